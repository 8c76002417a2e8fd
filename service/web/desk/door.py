"""The door of the desk: who is signed in, who may sign in, and whose forms are believed."""

import functools
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from service import keys, protocol
from service.errors import ForeignOrigin, Malformed, Media, NotAllowed, TooLarge, TooMany, UploadTooLarge
from service.guard import origin, patience
from service.store.moderators import LONGEST, Role
from service.web import pages
from service.web.comments import UNREADABLE, visitor

COOKIE = "__Host-desk"
NAME = 40  # characters of a moderator's name, at most
UPLOAD = 12 * 1024 * 1024  # bytes of an article and its pictures
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_UNWRITABLE = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")  # what a line of text does not hold, or Postgres does not keep

Fields = MultiDictProxy[str]


class Session(NamedTuple):
    """Who is signed in on a request.

    `token`: what the cookie holds. `version`: of what the desk shows, before anything of it was read: what comes while
    a page is made is noticed.
    """

    name: str
    role: Role
    token: str
    version: str

    @property
    def form(self) -> str:
        """What every form of this session holds: no other site can know it, and none can be made from it."""
        return hmac.digest(self.token.encode(), b"form", "sha256").hex()

    def require(self, *roles: Role) -> None:
        """Raise `NotAllowed` where this role is none of these."""
        if self.role not in roles:
            raise NotAllowed


Read = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]
Act = Callable[[web.Request, Session, Fields], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def signed_in(read: Read) -> Handler:
    """What answers who is signed in; anyone else is sent to the door."""

    @functools.wraps(read)
    async def handler(request: web.Request) -> web.StreamResponse:
        session = await _session(request)
        return await read(request, session) if session else _to_the_door(request)

    return handler


def acting(act: Act) -> Handler:
    """What does something for who is signed in, asked by a form of this very session. Raises `ForeignOrigin`."""

    @functools.wraps(act)
    async def handler(request: web.Request) -> web.StreamResponse:
        return await _acted(request, act, _URLENCODED)

    return handler


def uploading(act: Act) -> Handler:
    """The same for a form with files, which `files` reads: at most `UPLOAD` bytes in all."""

    @functools.wraps(act)
    async def handler(request: web.Request) -> web.StreamResponse:
        return await _acted(request.clone(client_max_size=UPLOAD), act, _MULTIPART)

    return handler


async def files(request: web.Request, field: str) -> list[tuple[str, bytes]]:
    """The name and the content of each file that came in a field of a form; those that were not chosen left out."""
    found = []
    for each in (await request.post()).getall(field, []):
        if isinstance(each, web.FileField):
            with each.file:
                found.append((each.filename, each.file.read()))
    return found


async def login(request: web.Request) -> web.StreamResponse:
    """GET /desk/login: the form."""
    if await _session(request):
        return see_other("/desk")
    return _door(request, {"lost": "lost" in request.query})


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /desk/login: who has the password gets a session; for anyone else it takes as long, and says as much."""
    origin.check(request, request.app[keys.SETTINGS])
    fields, app = await _form(request), request.app
    name, password = line(fields.get("name", ""), NAME), fields.get("password", "")
    wait = await app[keys.TRIES].wait(visitor(request).limit, app[keys.KEYRING].name(name))
    if wait:
        return _later(request, name, wait)
    moderators = app[keys.MODERATORS]
    known, token = await moderators.known(name), secrets.token_urlsafe(32)
    try:
        matched = await app[keys.PASSWORDS].match(known, password)
    except TooMany as refusal:
        return _later(request, name, refusal.retry_after)
    if known is None or not matched or not await moderators.begin(name, known, _hashed(token)):
        return _door(request, {"name": name, "wrong": True}, 403)
    response = see_other("/desk?welcome")
    response.set_cookie(
        COOKIE, token, max_age=int(LONGEST.total_seconds()), path="/", secure=True, httponly=True, samesite="Strict"
    )
    return response


@acting
async def log_out(request: web.Request, session: Session, _fields: Fields) -> web.StreamResponse:
    """POST /desk/logout: the session ends."""
    await request.app[keys.MODERATORS].end(_hashed(session.token))
    response = see_other("/desk/login")
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response


async def still(request: web.Request, session: Session) -> bool:
    """Whether a session that was there at the beginning of a request has not ended since."""
    return await request.app[keys.MODERATORS].session(_hashed(session.token)) is not None


def page(request: web.Request, template: str, context: Mapping[str, object], status: int = 200) -> web.Response:
    """A page of the desk: kept by nobody."""
    response = pages.page(request, template, context, None, status)
    del response.headers["ETag"]
    response.headers["Cache-Control"] = "no-store"
    return response


def see_other(where: str) -> web.Response:
    """On to another page of the desk."""
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})


def line(text: str, most: int) -> str:
    """What was typed, as one line of at most so many characters, whatever keyboard it was (NFC)."""
    return " ".join(unicodedata.normalize("NFC", _UNWRITABLE.sub(" ", text)).split())[:most]


def number(text: str) -> int:
    """A comment's number, an act's, a ban's or a filter's, as a form names it. Raises `Malformed`."""
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > protocol.MAX_INTEGER:
        raise Malformed
    return int(text)


def _door(
    request: web.Request, context: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    shown = {"name": "", "wait": 0, "wrong": False, "lost": False, **context}
    response = page(request, "desk_login.html", shown, status)
    response.headers.update(headers or {})
    return response


def _later(request: web.Request, name: str, wait: float | None) -> web.Response:
    seconds = protocol.whole_seconds(wait)
    return _door(request, {"name": name, "wait": seconds}, 429, {"Retry-After": str(seconds)})


def _to_the_door(request: web.Request) -> web.Response:
    """Who comes straight from signing in and has no session has a browser that did not keep the cookie."""
    return see_other("/desk/login?lost" if "welcome" in request.query else "/desk/login")


async def _session(request: web.Request) -> Session | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    signed = await request.app[keys.MODERATORS].session(_hashed(token))
    if signed is None:
        return None
    return Session(signed.name, signed.role, token, (await request.app[keys.WATCH].get()).value)


async def _acted(request: web.Request, act: Act, media: str) -> web.StreamResponse:
    origin.check(request, request.app[keys.SETTINGS])
    session = await _session(request)
    if session is None:
        return _to_the_door(request)
    fields = await _form(request, media)
    if not hmac.compare_digest(fields.get("token", "").encode("utf-8", "replace"), session.form.encode()):
        raise ForeignOrigin
    return await act(request, session, fields)


async def _form(request: web.Request, media: str = _URLENCODED) -> Fields:
    """The fields of a form. Raises `Media`, `TooLarge`, `Malformed`."""
    if request.content_type != media:
        raise Media(f"Send a form, as {media}.")
    try:
        form = await patience.with_body(request.post())
    except web.HTTPRequestEntityTooLarge:
        raise (UploadTooLarge if media == _MULTIPART else TooLarge) from None
    except UNREADABLE:
        raise Malformed("The form could not be read.") from None
    return MultiDictProxy(MultiDict((name, value) for name, value in form.items() if isinstance(value, str)))


def _hashed(token: str) -> bytes:
    """What the store keeps of a token. It has 256 random bits: it needs no salt, and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
