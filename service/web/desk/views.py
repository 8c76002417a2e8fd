"""The pages of the desk: what waits, what was written, what was done, the threads, and the people."""

from aiohttp import web

from service import keys
from service.protocol import MAX_INTEGER
from service.store.desk import SEARCHED, WAITING
from service.web import pages
from service.web.desk.door import Session, line, page, signed_in

CARDS, LINES, THREADS = 50, 100, 200  # on a page
QUERY = 200  # characters of what is searched for


@signed_in
async def queue(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk: the held comments, the oldest first."""
    return await _view(request, session, "queue", cards=await request.app[keys.DESK].held(CARDS))


@signed_in
async def recent(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/recent: the latest comments of all threads, or those that hold some words."""
    desk, words = request.app[keys.DESK], line(request.query.get("q", ""), QUERY)
    before = _before(request)
    cards = await (desk.found(words, CARDS, before) if words else desk.recent(CARDS, before))
    more = cards[-1].no if len(cards) == CARDS else None
    return await _view(request, session, "recent", cards=cards, words=words, searched=SEARCHED, more=more)


@signed_in
async def record(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/record: every act, the latest first."""
    lines = await request.app[keys.DESK].record(LINES, _before(request))
    more = lines[-1].id if len(lines) == LINES else None
    return await _view(request, session, "record", lines=lines, more=more)


@signed_in
async def threads(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/threads: the conversations below the latest articles."""
    return await _view(request, session, "threads", threads=await request.app[keys.DESK].threads(THREADS))


@signed_in
async def people(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/people: who may sign in, and who is; for admins."""
    session.require("admin")
    return await _view(request, session, "people", people=await request.app[keys.MODERATORS].everybody())


async def filters(request: web.Request, session: Session, **shown: object) -> web.Response:
    """The page of the filters (filters.py)."""
    return await _view(request, session, "filters", **shown)


async def _view(request: web.Request, session: Session, name: str, **shown: object) -> web.Response:
    """A page with what all have; its version is one from before, so that what came meanwhile is noticed."""
    desk = request.app[keys.DESK]
    return page(
        request,
        "desk.html",
        {
            "view": name,
            "session": session,
            "version": (await request.app[keys.WATCH].get()).value,
            "waiting": await desk.waiting(),
            "waiting_most": WAITING,
            "last": await desk.last(session.name),
            "back": "/desk" if "welcome" in request.query else request.rel_url.raw_path_qs,
            **shown,
        },
    )


def _before(request: web.Request) -> int:
    return pages.number(request.query, "before") or MAX_INTEGER
