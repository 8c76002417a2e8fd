"""What readers report and authors appeal against: small pages with a form, whole without a script; and as JSON."""

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple, get_args

import msgspec
from aiohttp import web
from msgspec import UNSET

from service import keys
from service.errors import Malformed, Media, NotFound, Refusal, TooLarge
from service.guard import origin, patience
from service.protocol import AppealBody, Filed, ReportBody, ReportReason
from service.reporting import APPEAL, NOTE
from service.web import pages
from service.web.comments import UNREADABLE, body, decoded, json, number, visitor
from service.web.words import sentence

_report = msgspec.json.Decoder(ReportBody)
_appeal = msgspec.json.Decoder(AppealBody)
_REASONS: dict[str, ReportReason] = {reason: reason for reason in get_args(ReportReason)}

Kind = Literal["report", "appeal"]


class Form(NamedTuple):
    """What stands in a form, and why it was refused."""

    reason: str = ""
    text: str = ""
    error: str = ""


async def report(request: web.Request) -> web.Response:
    """GET /comments/{no}/report: the form; with `?thanks`, that it was sent."""
    return await _page(request, "report", Form())


async def appeal(request: web.Request) -> web.Response:
    """GET /comments/{no}/appeal: the form; with `?thanks`, that it was sent."""
    return await _page(request, "appeal", Form())


async def send_report(request: web.Request) -> web.Response:
    """POST /comments/{no}/report, as JSON or as a form."""
    origin.check(request, request.app[keys.SETTINGS])
    no, reporting = number(request), request.app[keys.REPORTING]
    if request.content_type == "application/json":
        said = decoded(_report, await body(request))
        await reporting.report(no, said.reason, said.note, visitor(request))
        return json(Filed(no), 202)

    async def file(form: Form) -> None:
        if form.reason not in _REASONS:
            raise Malformed
        await reporting.report(no, _REASONS[form.reason], form.text, visitor(request))

    return await _by_form(request, "report", file)


async def send_appeal(request: web.Request) -> web.Response:
    """POST /comments/{no}/appeal, as JSON or as a form."""
    origin.check(request, request.app[keys.SETTINGS])
    no, reporting = number(request), request.app[keys.REPORTING]
    if request.content_type == "application/json":
        await reporting.appeal(no, decoded(_appeal, await body(request)).text, visitor(request))
        return json(Filed(no), 202)
    return await _by_form(request, "appeal", lambda form: reporting.appeal(no, form.text, visitor(request)))


async def _by_form(request: web.Request, kind: Kind, file: Callable[[Form], Awaitable[None]]) -> web.Response:
    """File what a form says; then 303 to the thanks, or the form again with the reason."""
    form = Form()
    try:
        form = await _form(request)
        await file(form)
    except (NotFound, Media):
        raise
    except Refusal as refusal:
        told = sentence(request.app[keys.LANGUAGE], refusal, request.app[keys.SETTINGS].zone)
        return await _page(request, kind, form._replace(error=told), refusal)
    where = f"/comments/{number(request)}/{kind}?thanks"
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})


async def _form(request: web.Request) -> Form:
    """The fields of a form. Raises `Media`, `TooLarge`, `Malformed`."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise Media
    try:
        fields = await patience.with_body(request.post())
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except UNREADABLE:
        raise Malformed from None
    reason, text = (field if isinstance(field := fields.get(name, ""), str) else "" for name in ("reason", "text"))
    return Form(reason, text)


async def _page(request: web.Request, kind: Kind, form: Form, refusal: Refusal | None = None) -> web.Response:
    """The form below the comment that it is about. Raises `NotFound` where that was never published."""
    placed = await request.app[keys.COMMENTS].placed(number(request))
    context = {
        "placed": placed,
        "gone": None if placed.comment.gone is UNSET else placed.comment.gone,
        "form": form,
        "most": NOTE if kind == "report" else APPEAL,
        "thanks": "thanks" in request.query,
    }
    lists = await request.app[keys.PAPER].lists()
    response = pages.page(request, f"{kind}.html", context, lists, refusal.status if refusal else 200)
    if refusal:
        response.headers.update({"Cache-Control": "no-store", **pages.refusal_headers(refusal)})
    return response
