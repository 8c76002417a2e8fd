"""The thread over HTTP: windows, changes and single comments as JSON, posting as JSON or as a form, retracting."""

import msgspec
from aiohttp import web
from aiohttp.http import HttpProcessingError

from service import keys, paper, protocol
from service.errors import Empty, Malformed, Media, NotFound, Refusal, TooLarge
from service.guard import origin, patience, visitors
from service.keyring import Visitor
from service.protocol import Joined, PostBody, RetractBody
from service.rooms import Rooms
from service.web import pages

MAX_WINDOW = 200

# What aiohttp raises on a body that was cut off, or is not what its headers say.
UNREADABLE = (
    ValueError,
    LookupError,
    AssertionError,
    RuntimeError,
    ConnectionError,
    HttpProcessingError,
    web.RequestPayloadError,
)

_post = msgspec.json.Decoder(PostBody)
_retract = msgspec.json.Decoder(RetractBody)


async def comment(request: web.Request) -> web.Response:
    """GET /comments/{no}: to the place where that comment stands; the comment itself for who asks for JSON."""
    no, comments = number(request), request.app[keys.COMMENTS]
    if pages.asks_for_json(request):
        response = json(await comments.placed(no))
    else:
        slug, newer = await comments.place(no, paper.WINDOW)
        query = "" if newer < paper.WINDOW else f"?around={no}"
        response = web.Response(status=302, headers={"Location": f"/articles/{slug}{query}#no-{no}"})
    response.headers.update({"Cache-Control": "no-store", "Vary": "Accept"})
    return response


async def window(request: web.Request) -> web.Response:
    """GET /articles/{slug}/comments: a window of the thread, or what changed since a version."""
    query = request.query
    epoch, after = resume(request)
    if epoch is not None and after is not None:
        return json(await _since(request.app[keys.ROOMS], pages.slug(request), epoch, after))
    numbers = pages.window(query)
    limit = min(MAX_WINDOW, pages.number(query, "limit") or paper.WINDOW)
    comments = request.app[keys.COMMENTS]
    thread = await comments.thread(pages.slug(request))
    match numbers:
        case {"before": no}:
            found = await comments.before(thread, no, limit)
        case {"from_": no}:
            found = await comments.from_(thread, no, limit)
        case {"around": no}:
            found = await comments.around(thread, no, limit)
        case _:
            found = await comments.newest(thread, limit)
    return json(found)


async def post(request: web.Request) -> web.Response:
    """POST /articles/{slug}/comments"""
    origin.check(request, request.app[keys.SETTINGS])
    match request.content_type:
        case "application/json":
            return await _post_json(request)
        case "application/x-www-form-urlencoded" | "multipart/form-data":
            return await _post_form(request)
    raise Media


async def retract(request: web.Request) -> web.Response:
    """DELETE /articles/{slug}/comments/{no}"""
    origin.check(request, request.app[keys.SETTINGS])
    no = number(request)
    asked = decoded(_retract, await body(request))
    thread = await request.app[keys.POSTING].thread(pages.slug(request))
    accepted = await request.app[keys.POSTING].retract(thread, "", no, asked.key, visitor(request))
    return json(protocol.Retraction(accepted.no, accepted.version, accepted.state))


def number(request: web.Request) -> protocol.CommentNo:
    """The number in the address. Raises `NotFound` where no comment has it."""
    no = int(request.match_info["no"])
    if not 1 <= no <= protocol.MAX_INTEGER:
        raise NotFound
    return no


def resume(request: web.Request) -> tuple[str | None, int | None]:
    """Epoch and version from which a client goes on; both or neither. Raises `Malformed`."""
    epoch, after = request.query.get("epoch"), pages.number(request.query, "after")
    if (epoch is None) != (after is None):
        raise Malformed("Give both epoch and after, or neither.")
    return epoch, after


def visitor(request: web.Request) -> Visitor:
    """Who asks, as limits and bans know them: keyed hashes of the address."""
    app = request.app
    address = visitors.address(request, app[keys.SETTINGS].proxies)
    return app[keys.KEYRING].visitor(address, visitors.network(address))


def json(message: msgspec.Struct, status: int = 200) -> web.Response:
    """A message as the body of an answer that nobody keeps."""
    return web.Response(
        body=protocol.encode(message),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def body(request: web.Request) -> bytes:
    """The body of a request. Raises `TooLarge`, `Malformed`."""
    try:
        return await patience.with_body(request.read())
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except UNREADABLE:
        raise Malformed("The body could not be read.") from None


def decoded(decoder: "msgspec.json.Decoder[protocol.T]", raw: bytes) -> protocol.T:
    """A message out of a body. Raises `Malformed`."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Malformed(protocol.reason(error)) from None


async def _since(rooms: Rooms, slug: protocol.Slug, epoch: str, after: int) -> Joined:
    async with rooms.enter(slug, epoch, after) as room:
        return room.missed(epoch, after)


async def _post_json(request: web.Request) -> web.Response:
    posted = decoded(_post, await body(request))
    thread = await request.app[keys.POSTING].thread(pages.slug(request))
    posting = request.app[keys.POSTING]
    [act] = await posting.admit(thread, [posted], visitor(request))
    accepted, fresh = await posting.commit(act)
    return json(accepted, 201 if fresh else 200)


async def _post_form(request: web.Request) -> web.Response:
    """Post once, however often it is sent; then 303 to the page that shows it, or the form again with the reason."""
    text = ""
    try:
        form = await patience.with_body(request.post())
        field = form.get("text", "")
        if not isinstance(field, str):
            raise Empty
        text = field
        thread = await request.app[keys.POSTING].thread(pages.slug(request))
        posting = request.app[keys.POSTING]
        accepted, _ = await posting.commit(await posting.admit_form(thread, text, visitor(request)))
    except NotFound:
        raise
    except web.HTTPRequestEntityTooLarge:
        return await pages.refused_form(request, "", TooLarge())
    except UNREADABLE:
        return await pages.refused_form(request, "", Malformed("The form could not be read."))
    except Refusal as refusal:
        return await pages.refused_form(request, text, refusal.with_traceback(None))  # see `middleware.word_refusals`
    where = f"/articles/{pages.slug(request)}"
    if accepted.version is None:
        where += "?held=1#form"
    else:
        where += f"?around={accepted.no}&seen={accepted.version}#no-{accepted.no}"
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
