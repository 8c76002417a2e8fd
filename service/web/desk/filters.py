"""The page of the filters: what is in force, and a rule tried out before it is; editors and admins make them."""

from aiohttp import web

from service import filters, keys
from service.errors import Malformed, NotFound
from service.filters import Trial
from service.store.filters import Rule, Unfit
from service.store.moderators import Role
from service.web import words
from service.web.desk import views
from service.web.desk.door import Fields, Session, acting, line, number, see_other, signed_in

ROLES: tuple[Role, ...] = ("editor", "admin")
ENDED = 50  # on the page
VALUE, REASON = 200, 80  # characters
FIELDS = ("kind", "value", "action", "section", "article", "reason")


@signed_in
async def listed(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/filters: those in force, those that have ended, and a form to try another one."""
    return await _page(request, session, {"kind": "word", "action": "hold"})


@acting
async def on_filters(request: web.Request, session: Session, fields: Fields) -> web.StreamResponse:
    """POST /desk/filters: try a rule out, save it, end a filter or use one again; for editors and admins."""
    session.require(*ROLES)
    form = {name: fields.get(name, "") for name in FIELDS}
    try:
        if fields.get("one") == "try":
            return await _page(request, session, form, trial=await request.app[keys.SIEVE].tried(_rule(fields)))
        await _change(request, session, fields)
    except Unfit as unfit:
        response = await _page(request, session, form, fault=words.sentence(request.app[keys.LANGUAGE], unfit))
        response.set_status(422)
        return response
    await request.app[keys.SIEVE].changed()
    return see_other("/desk/filters")


async def _change(request: web.Request, session: Session, fields: Fields) -> None:
    store = request.app[keys.FILTERS]
    act, _, which = fields.get("one", "").partition(" ")
    match act:
        case "save":
            await store.add(_rule(fields), session.name)
        case "again":
            known = await store.one(number(which))
            if known is None:
                raise NotFound
            await store.add(known.rule, session.name)
        case "end":
            await store.end(number(which), "", session.name)
        case _:
            raise Malformed


async def _page(
    request: web.Request, session: Session, form: dict[str, str], *, fault: str = "", trial: Trial | None = None
) -> web.Response:
    store = request.app[keys.FILTERS]
    in_force, ended = await store.in_force(), await store.ended(ENDED)
    shown = {name: line(form.get(name, ""), VALUE) for name in FIELDS}
    return await views.filters(request, session, filters=in_force, ended=ended, form=shown, fault=fault, trial=trial)


def _rule(fields: Fields) -> Rule:
    """What a form asks for. Raises `Unfit`."""
    kind, value, action, section, article = (line(fields.get(name, ""), VALUE + 1) for name in FIELDS[:-1])
    reason = line(fields.get("reason", ""), REASON)
    return filters.rule(kind, value, action, section=section, article=article, reason=reason)
