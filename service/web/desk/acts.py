"""What the forms of the desk do."""

import re

from aiohttp import web

from service import keys
from service.errors import Malformed
from service.protocol import MAX_INTEGER, CommentNo, Slug
from service.store.moderation import SLOWEST, Terms, Verdict
from service.web.desk.door import Fields, Session, acting, line, see_other

REASON = 200  # characters of a reason
AT_ONCE = 200  # comments in one act
VERDICTS: dict[str, Verdict] = {"publish": "published", "restore": "published", "hold": "held", "remove": "removed"}
STATES = {"open": "open", "close": "closed", "hold": "held"}
_BACK = re.compile(r"/desk(/[a-z]+)?(\?[!-~]*)?")


@acting
async def on_comments(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/comments: publish, hold, remove or restore one, or those that are chosen."""
    act, _, one = fields.get("one", "").partition(" ")
    numbers = [_number(no) for no in ([one] if one else fields.getall("no[]", []))]
    verdict = VERDICTS.get(act or fields.get("act", ""))
    if verdict is None or len(numbers) > AT_ONCE:
        raise Malformed
    reason = line(fields.get("reason", ""), REASON) if verdict == "removed" else ""
    await request.app[keys.JUDGING].judge(numbers, verdict, reason, session.name)
    return _back(fields)


@acting
async def on_thread(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/threads: open, close, hold or slow one."""
    act, _, slug = fields.get("one", "").partition(" ")
    if act == "slow":
        terms = Terms(slow=_seconds(fields.get(f"slow {slug}", "")))
    elif act in STATES:
        terms = Terms(state=STATES[act])
    else:
        raise Malformed
    await request.app[keys.JUDGING].judge_thread(Slug(line(slug, REASON)), terms, "", session.name)
    return _back(fields)


@acting
async def undo(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/undo: bring back what was before an act; where somebody has acted since, nothing happens."""
    await request.app[keys.JUDGING].undo(_number(fields.get("act", "")), session.name)
    return _back(fields)


@acting
async def on_people(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/people: let one in no more, or again, or end every session of one; for admins."""
    session.require("admin")
    act, _, name = fields.get("one", "").partition(" ")
    name, moderators = line(name, REASON), request.app[keys.MODERATORS]
    match act:
        case "disable":
            await moderators.disable(name)
        case "enable":
            await moderators.disable(name, disabled=False)
        case "revoke":
            await moderators.revoke(name)
        case _:
            raise Malformed
    return _back(fields)


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > SLOWEST:
        raise Malformed
    return int(text)


def _number(text: str) -> CommentNo:
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > MAX_INTEGER:
        raise Malformed
    return int(text)


def _back(fields: Fields) -> web.Response:
    """To the page on which the form stood; to none that is not the desk's, whatever the form says."""
    back = fields.get("back", "")
    return see_other(back if _BACK.fullmatch(back) else "/desk")
