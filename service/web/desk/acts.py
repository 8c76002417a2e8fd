"""What the forms of the desk do."""

import logging
import re

from aiohttp import web

from service import keys, press
from service.errors import Malformed, NotFound, Refusal
from service.protocol import Slug
from service.store.bans import Scope
from service.store.moderation import SLOWEST, Terms, Verdict
from service.web.desk import views
from service.web.desk.door import Fields, Session, acting, files, line, number, see_other, uploading
from service.web.words import sentence

REASON = 200  # characters of a reason
AT_ONCE = 200  # comments in one act
VERDICTS: dict[str, Verdict] = {"publish": "published", "restore": "published", "hold": "held", "remove": "removed"}
TERMS = {
    "open": Terms(state="open"),
    "close": Terms(state="closed"),
    "hold": Terms(state="held"),
    "calm": Terms(surge=False),
}
SCOPES: dict[str, Scope] = {"address": "address", "network": "network"}
DAYS = {"1": 1, "7": 7, "30": 30}
PICTURES = 20  # files beside an article
FILE_NAME = 100  # characters of one's name, of up to two bytes each: a file system takes 255
_BACK = re.compile(r"/desk(/[a-z0-9-]+){0,3}(\?[!-~]*)?")
_OP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

log = logging.getLogger(__name__)


@acting
async def on_comments(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/comments: publish, hold, remove or restore one, or those that are chosen."""
    act, _, one = fields.get("one", "").partition(" ")
    numbers = [number(no) for no in ([one] if one else fields.getall("no[]", []))]
    verdict = VERDICTS.get(act or fields.get("act", ""))
    if verdict is None or len(numbers) > AT_ONCE:
        raise Malformed
    reason = line(fields.get("reason", ""), REASON) if verdict == "removed" else ""
    await request.app[keys.JUDGING].judge(numbers, verdict, reason, session.name)
    return _back(fields)


@acting
async def on_thread(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/threads: open, close, hold or slow one, or end a surge."""
    act, _, slug = fields.get("one", "").partition(" ")
    if act == "slow":
        terms = Terms(slow=_seconds(fields.get(f"slow {slug}", "")))
    elif act in TERMS:
        terms = TERMS[act]
    else:
        raise Malformed
    await request.app[keys.JUDGING].judge_thread(Slug(line(slug, REASON)), terms, "", session.name)
    return _back(fields)


@acting
async def on_pins(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/pins: let a comment stand first in its thread, or none there."""
    act, _, what = fields.get("one", "").partition(" ")
    judging = request.app[keys.JUDGING]
    match act:
        case "pin":
            await judging.pin(number(what), session.name)
        case "unpin":
            await judging.judge_thread(Slug(line(what, REASON)), Terms(pinned=None), "", session.name)
        case _:
            raise Malformed
    return _back(fields)


@acting
async def on_bans(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/bans: ban who wrote a comment for some days, or end a ban."""
    act, _, what = fields.get("one", "").partition(" ")
    judging, no = request.app[keys.JUDGING], number(what)
    match act:
        case "ban":
            scope, days = SCOPES.get(fields.get("scope", "")), DAYS.get(fields.get("days", ""))
            if scope is None or days is None:
                raise Malformed
            await judging.ban(no, scope, days, line(fields.get("why", ""), REASON), session.name)
        case "lift":
            await judging.lift(no, session.name)
        case _:
            raise Malformed
    return _back(fields)


@acting
async def on_others(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/others: remove all that the address of a comment wrote in the last hour, in one step."""
    numbers = await request.app[keys.DESK].lately(number(fields.get("no", "")))
    reason = line(fields.get("reason", ""), REASON)
    await request.app[keys.JUDGING].judge(numbers, "removed", reason, session.name)
    return _back(fields)


@acting
async def on_answers(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/answers: what the newsroom says below an article, once for its op; or the form again, and why."""
    op, slug, no = fields.get("op", ""), Slug(line(fields.get("slug", ""), REASON)), fields.get("no")
    if not _OP.fullmatch(op):
        raise Malformed
    about, text = number(no) if no else None, fields.get("text", "")
    app = request.app
    thread = await app[keys.COMMENTS].thread(slug)
    try:
        await app[keys.NEWSROOM].answer(thread, op, text, session.name)
    except NotFound:
        raise
    except Refusal as refusal:
        writing = views.Writing(slug, op, text, about, sentence(app[keys.LANGUAGE], refusal))
        return await views.written(request, session, writing, refusal.status)
    return see_other(f"/desk/threads/{slug}")


@uploading
async def on_articles(request: web.Request, session: Session, _fields: Fields) -> web.StreamResponse:
    """POST /desk/articles: publish an article from its file, with its pictures; what came of it, in words."""
    session.require("editor", "admin")
    sent = [*await files(request, "article"), *await files(request, "picture")]
    named = {_file_name(name): data for name, data in sent}
    if len(sent) > PICTURES:
        raise Malformed
    said: list[str] = []
    complaints: list[str] = []
    articles, zone = request.app[keys.ARTICLES], request.app[keys.SETTINGS].zone
    await press.receive(articles, named, zone, said.append, complaints.append)
    for each in said:
        log.info("an article came from the desk", extra={"article": each.split()[-1], "moderator": session.name})
    return await views.published(request, session, said, complaints)


@acting
async def undo(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/undo: bring back what was before an act, or before `all` acts on comments that were one step with it.

    Where somebody has acted since, nothing happens.
    """
    judging = request.app[keys.JUDGING]
    if step := fields.get("all"):
        await judging.undo_step(number(step), session.name)
    else:
        await judging.undo(number(fields.get("act", "")), session.name)
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


def _file_name(name: str) -> str:
    """The name of a file that was sent, without any folder. Raises `Malformed` where it can't be one."""
    bare = line(re.split(r"[/\\]", name)[-1], FILE_NAME)
    if not bare or bare.startswith("."):
        raise Malformed
    return bare


def _back(fields: Fields) -> web.Response:
    """To the page on which the form stood; to none that is not the desk's, whatever the form says."""
    back = fields.get("back", "")
    return see_other(back if _BACK.fullmatch(back) else "/desk")
