"""The pages of the desk: comments, threads, articles, the record, the bans, and the people."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import web

from service import evidence as files
from service import keys
from service.protocol import MAX_INTEGER, CommentNo, Op, Slug
from service.store.desk import SEARCHED, WAITING, Card
from service.web import comments, pages
from service.web.desk.door import Session, line, page, signed_in

CARDS, LINES, THREADS = 50, 100, 200  # on a page
QUERY = 200  # characters of what is searched for
LATEST = 20  # comments above a form to write below them


class Writing(NamedTuple):
    """The form to write in the newsroom's name: what stands in it, and why it was refused.

    `about`: the comment among whose neighbours it stands; without one it stands below the latest of the thread.
    """

    slug: Slug
    op: Op
    text: str = ""
    about: CommentNo | None = None
    error: str = ""


@signed_in
async def queue(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk: the comments that are held or reported, the oldest first."""
    return await _view(request, session, "queue", await request.app[keys.DESK].queue(CARDS))


@signed_in
async def recent(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/recent: the latest comments of all threads, or those that hold some words."""
    desk, words = request.app[keys.DESK], line(request.query.get("q", ""), QUERY)
    before = _before(request)
    cards = await (desk.found(words, CARDS, before) if words else desk.recent(CARDS, before))
    more = cards[-1].no if len(cards) == CARDS else None
    return await _view(request, session, "recent", cards, sought=words, searched=SEARCHED, more=more)


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


@signed_in
async def comment(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/comments/{no}: one among those around it in its thread, those it quotes, and a form to answer it."""
    no = comments.number(request)
    cards = await request.app[keys.DESK].around(no)
    [slug] = {card.slug for card in cards if card.no == no}
    return await _around(request, session, Writing(slug, str(uuid.uuid4()), f">>{no}\n", no), cards)


@signed_in
async def thread(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/threads/{slug}: the latest comments of one thread, and a form to write below them."""
    slug = pages.slug(request)
    await request.app[keys.COMMENTS].thread(slug)
    cards = await request.app[keys.DESK].latest(slug, LATEST)
    return await _around(request, session, Writing(slug, str(uuid.uuid4())), cards)


@signed_in
async def others(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/comments/{no}/others: what came from the same address, as long as that is known; never which it is."""
    no = comments.number(request)
    cards = await request.app[keys.DESK].others(no, THREADS)
    lately = len(await request.app[keys.DESK].lately(no))
    return await _view(request, session, "others", cards=cards, no=no, lately=lately)


@signed_in
async def bans(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/bans: those in force, the longest first; never whom they are on."""
    in_force = await request.app[keys.BANS].in_force()
    return await _view(request, session, "bans", bans=[each.ban for each in in_force[:THREADS]])


@signed_in
async def articles(request: web.Request, session: Session) -> web.StreamResponse:
    """GET /desk/articles: the latest, and a form to publish one; for editors and admins."""
    session.require("editor", "admin")
    return await _articles(request, session)


@signed_in
async def evidence(request: web.Request, _session: Session) -> web.StreamResponse:
    """GET /desk/comments/{no}/evidence: a comment with all that was reported of it and done with it, as a file."""
    no = comments.number(request)
    return web.Response(
        body=files.document(await request.app[keys.REPORTS].evidence(no), pages.base(request)),
        content_type="application/json",
        headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="comment-{no}.json"'},
    )


async def filters(request: web.Request, session: Session, **shown: object) -> web.Response:
    """The page of the filters (filters.py)."""
    return await _view(request, session, "filters", (), 200, **shown)


async def published(
    request: web.Request, session: Session, said: Sequence[str], remarks: Sequence[str]
) -> web.Response:
    """The articles, and what came of publishing what was sent, as the command line tells it."""
    return await _articles(request, session, [each.split() for each in said], remarks, sent=True)


async def _articles(
    request: web.Request,
    session: Session,
    said: Sequence[Sequence[str]] = (),
    remarks: Sequence[str] = (),
    *,
    sent: bool = False,
) -> web.Response:
    return await _view(
        request,
        session,
        "articles",
        status=422 if sent and not said else 200,
        back="/desk/articles",
        articles=await request.app[keys.DESK].articles(THREADS),
        sent=sent,
        said=said,
        remarks=remarks,
    )


async def written(request: web.Request, session: Session, writing: Writing, status: int) -> web.Response:
    """The form to write again, with what stood in it, and why that was refused."""
    desk = request.app[keys.DESK]
    cards = await (desk.around(writing.about) if writing.about else desk.latest(writing.slug, LATEST))
    return await _around(request, session, writing, cards, status)


async def _around(
    request: web.Request, session: Session, writing: Writing, cards: Sequence[Card], status: int = 200
) -> web.Response:
    back = f"/desk/comments/{writing.about}" if writing.about else f"/desk/threads/{writing.slug}"
    name = request.app[keys.NEWSROOM].name
    return await _view(
        request, session, "around", cards=cards, status=status, back=back, writing=writing, newsroom=name
    )


async def _view(
    request: web.Request,
    session: Session,
    name: str,
    cards: Sequence[Card] = (),
    status: int = 200,
    **shown: object,
) -> web.Response:
    """A page with what all have."""
    desk, numbers = request.app[keys.DESK], [card.no for card in cards]
    return page(
        request,
        "desk.html",
        {
            "view": name,
            "session": session,
            "waiting": await desk.waiting(),
            "waiting_most": WAITING,
            "last": await desk.last(session.name),
            "back": "/desk" if "welcome" in request.query else request.rel_url.raw_path_qs,
            "cards": cards,
            "notes": await desk.notes(numbers) if cards else {},
            "reports": await request.app[keys.REPORTS].open(numbers) if cards else {},
            **shown,
        },
        status,
    )


def _before(request: web.Request) -> int:
    return pages.number(request.query, "before") or MAX_INTEGER
