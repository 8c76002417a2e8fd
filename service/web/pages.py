"""The pages that people read: complete without JavaScript, cached, the same for everybody."""

import datetime
import functools
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web
from msgspec import UNSET

from service import keys, protocol
from service.errors import Malformed, NotFound, Refusal, Unavailable, UpgradeRequired
from service.fresh import Seen
from service.guard.posts import LASTING_SECONDS
from service.language import Language
from service.paper import Lists, Parts, Render, View, etag
from service.protocol import MAX_INTEGER, Slug, Thread
from service.settings import Settings
from service.web.words import sentence, stamp

SECTION_ARTICLES = 60
FRONT_SECTIONS = 8
_UNSTORABLE = re.compile("[\\0\\ud800-\\udfff]")  # what Postgres takes for no text
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class Site(NamedTuple):
    """What every page knows of its site; `url` has no slash at its end."""

    name: str
    url: str
    timezone: str
    language: str
    locale: str


class Form(NamedTuple):
    """The comment form: what stands in it, why it was refused, and whether the last one is held."""

    text: str = ""
    error: str | None = None
    held: bool = False


async def front(request: web.Request) -> web.Response:
    """GET /: recent news and popular stories."""
    lists = await request.app[keys.PAPER].lists()
    lead, recent = next(iter(lists.value.recent), None), lists.value.recent[1:]
    by_section = lists.value.sections[:FRONT_SECTIONS]
    return page(request, "index.html", {"lead": lead, "recent": recent, "by_section": by_section}, lists)


async def section(request: web.Request) -> web.Response:
    """GET /sections/{section}: its latest articles."""
    name = request.match_info["section"]
    articles = (
        await request.app[keys.ARTICLES].recent(SECTION_ARTICLES, name) if _UNSTORABLE.search(name) is None else []
    )
    if not articles:
        raise NotFound
    lists = await request.app[keys.PAPER].lists()
    return page(request, "section.html", {"section": articles[0].section, "articles": articles}, lists)


async def privacy(request: web.Request) -> web.Response:
    """GET /privacy: what is kept of a visitor, why and for how long, as this site is set."""
    settings = request.app[keys.SETTINGS]
    figures = {
        "limit_minutes": LASTING_SECONDS // 60,
        "tags": settings.poster_tags == "on",
        "address_days": settings.address_retention_days,
        "removed_days": settings.removed_retention_days,
        "backup_days": settings.backup_retention_days,
    }
    return page(request, "privacy.html", figures, await request.app[keys.PAPER].lists())


async def article(request: web.Request) -> web.Response:
    """GET /articles/{slug}: the article and a window of its thread."""
    query, quoted = request.query, number(request.query, "quote")
    if quoted == 0:
        raise Malformed("quote must be the number of a comment.")
    view = View(slug(request), base(request), quote=quoted, held=query.get("held") == "1", **window(query))
    made = await request.app[keys.PAPER].page(view, number(query, "seen") or 0)
    return _answer(request, made.body, made.etag)


async def picture(request: web.Request) -> web.Response:
    """GET /pictures/{name}: an article's picture, for ever the same under its name. A drawing's scripts are inert."""
    found = await request.app[keys.ARTICLES].picture(request.match_info["name"])
    return web.Response(
        body=found.data,
        content_type=found.media_type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
        },
    )


async def refused_form(request: web.Request, text: str, refusal: Refusal) -> web.Response:
    """The article's page with the text still in the form and the reason beside it. Raises `NotFound`."""
    view = View(slug(request), base(request))
    form = Form(text, sentence(request.app[keys.LANGUAGE], refusal, request.app[keys.SETTINGS].zone))
    try:
        body = await _with_form(request.app, view, form)
    except Unavailable:  # the store is away, and nothing of the article is remembered here
        body = _form_alone(request.app, view, form)
    headers = {"Cache-Control": "no-store", **refusal_headers(refusal)}
    return web.Response(text=body, status=refusal.status, content_type="text/html", headers=headers)


async def _with_form(app: web.Application, view: View, form: Form) -> str:
    """The article's page as it is now, or else as this worker remembers it."""
    paper = app[keys.PAPER]
    try:
        parts = await paper.parts(view)
        lists = (await paper.lists()).value
    except Unavailable:
        remembered = await paper.page(view)
        return render(app, view, remembered.parts, remembered.lists, stale=True, form=form)
    return render(app, view, parts, lists, stale=False, form=form)


def _form_alone(app: web.Application, view: View, form: Form) -> str:
    """A page of which only the form is known."""
    context = _context(app, view.base, Lists([], [], []), stale=True) | {
        "page": f"/articles/{view.slug}",
        "thread": Thread("open"),
        "form": form,
    }
    return aiohttp_jinja2.get_env(app).get_template("kept.html").render(context)


def render(
    app: web.Application,
    view: View,
    parts: Parts,
    lists: Lists,
    *,
    stale: bool,
    form: Form | None = None,
) -> str:
    """An article's page."""
    context = _context(app, view.base, lists, stale=stale) | {
        "article": parts.article,
        "url": f"{view.base}/articles/{view.slug}",
        "window": parts.window,
        "window_earlier_count": parts.earlier,
        "answers": parts.answers,
        "pinned": parts.pinned,
        "form": form or Form(f">>{view.quote}\n" if view.quote else "", held=view.held),
    }
    return aiohttp_jinja2.get_env(app).get_template("article.html").render(context)


def page(
    request: web.Request,
    template: str,
    context: Mapping[str, object],
    lists: Seen[Lists] | None,
    status: int = 200,
) -> web.Response:
    """A page that is made for each request, with the lists beside it."""
    value = lists.value if lists else Lists([], [], [])
    around = _context(request.app, base(request), value, stale=bool(lists and lists.stale))
    text = aiohttp_jinja2.get_env(request.app).get_template(template).render({**around, **context})
    body = text.encode()
    return _answer(request, body, etag(body), status)


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """What a refusal says in headers: how long to wait, and which protocol this address speaks."""
    headers = {}
    wait = protocol.whole_seconds(refusal.retry_after)
    if wait is not UNSET:
        headers["Retry-After"] = str(wait)
    if isinstance(refusal, UpgradeRequired):
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    return headers


def error(request: web.Request, refusal: Refusal) -> web.Response:
    """A refusal as a page that looks like the site; it needs nothing but the templates."""
    context = {"status": refusal.status, "message": sentence(request.app[keys.LANGUAGE], refusal)}
    try:
        return page(request, "error.html", context, None, refusal.status)
    except Malformed:  # not even the Host header is to be used
        return web.Response(text=refusal.message, status=refusal.status)


def asks_for_json(request: web.Request) -> bool:
    """Whether a program asked that wants JSON, which it names."""
    return "json" in request.headers.get("Accept", "")


def slug(request: web.Request) -> Slug:
    """The slug in the address; the route lets no other form through."""
    return Slug(request.match_info["slug"])


def number(query: Mapping[str, str], name: str) -> int | None:
    """An integer from 0 to 2^53 - 1 in the query, or None where it is absent. Raises `Malformed`."""
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > MAX_INTEGER:
        raise Malformed(f"{name} must be an integer from 0 to 2^53 - 1.")
    return int(text)


def window(query: Mapping[str, str]) -> dict[str, int]:
    """Which window of a thread the query chooses: at most one of `before`, `from_` and `around`. Raises `Malformed`."""
    names = {"before": "before", "from": "from_", "around": "around"}
    numbers = {names[name]: no for name in names if (no := number(query, name)) is not None}
    if len(numbers) > 1:
        raise Malformed("Give one of before, from and around, not several.")
    return numbers


def base(request: web.Request) -> str:
    """The site's address: as it is set, else as this request names it."""
    if set_url := request.app[keys.SETTINGS].site_url:
        return set_url.rstrip("/")
    if not _HOST.fullmatch(request.host):
        raise Malformed("The Host header names no host.")
    return f"{request.scheme}://{request.host}"


def filters(settings: Settings, language: Language) -> dict[str, Callable[..., str]]:
    """What the templates write times, numbers and addresses with."""
    zone = settings.zone
    return {
        "stamp": lambda at: stamp(at, zone),
        "iso": lambda at: f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "date": language.day,
        "day": lambda at: language.day(at.astimezone(zone)),
        "number": language.number,
        "section_url": lambda name: f"/sections/{quote(name, safe='')}",
    }


def renderer(app: web.Application) -> Render:
    """How the paper makes an article's page."""
    return functools.partial(render, app)


def _context(app: web.Application, url: str, lists: Lists, *, stale: bool) -> dict[str, object]:
    settings, language = app[keys.SETTINGS], app[keys.LANGUAGE]
    return {
        "site": Site(settings.site_name, url, settings.timezone, language.name, str(language.locale)),
        "asset": app[keys.ASSETS].url,
        "sections": [name for name, _ in lists.sections],
        "recent": lists.recent,
        "popular": lists.popular,
        "stale": stale,
    }


def _answer(request: web.Request, body: bytes, tag: str, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{tag}"'}
    if status == 200 and any(known.value in {tag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, status=status, headers={"Content-Type": "text/html; charset=utf-8", **headers})
