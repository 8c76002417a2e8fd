"""Reports by readers and appeals by authors, in Postgres; and what was done with them, for everybody to see."""

import datetime
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from service.errors import NotFound
from service.protocol import CommentNo, ReportReason, Slug, ThreadId
from service.store import queries
from service.store.comments import Changed, changed
from service.store.database import Pool, available

SQL = queries.load("reports")
NOTES = 5  # of each reason, shown with a comment
Reason = ReportReason | Literal["appeal"]


class Report(NamedTuple):
    """What somebody has to say about a comment. `reporter` is a keyed hash (service/keyring.py)."""

    comment: CommentNo
    reporter: bytes
    reason: Reason
    note: str | None


class Filed(NamedTuple):
    """The thread of the comment, and the comment itself where that made enough reports to hold it."""

    thread: ThreadId
    held: Changed | None


class Open(NamedTuple):
    """What waits for a moderator: how often a comment was reported for a reason, and what was said besides."""

    comment: CommentNo
    reason: Reason
    times: int
    notes: Sequence[str]


class Line(NamedTuple):
    """One report in a list."""

    at: datetime.datetime
    comment: CommentNo
    reason: Reason
    open: bool
    note: str | None


class Done(NamedTuple):
    """How often something was done in a thread on one day, for a reason: '' where that is not for everybody."""

    day: datetime.date
    kind: str
    reason: str
    times: int


class About(msgspec.Struct, frozen=True):
    """A report as evidence: when and why, never by whom. `settled` is the act that settled it."""

    id: int
    at: datetime.datetime
    reason: str
    note: str | None
    open: bool
    settled: int | None


class Judgement(msgspec.Struct, frozen=True):
    """An act on a comment, as evidence. `moderator` is None for the command line and the service itself."""

    id: int
    at: datetime.datetime
    moderator: str | None
    kind: str
    was: str
    reason: str


class Evidence(msgspec.Struct, frozen=True):
    """A comment, what was reported of it and what was done with it, of one snapshot. `text` is None once erased."""

    no: CommentNo
    article: Slug
    title: str
    at: datetime.datetime
    state: str
    judged_at: datetime.datetime | None
    reason: str | None
    text: str | None
    reports: tuple[About, ...]
    appeals: tuple[About, ...]
    acts: tuple[Judgement, ...]


class Reports:
    """The reports of one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def file(self, report: Report, to_hold: int) -> Filed:
        """File a report, or an appeal: once for each reporter.

        Raises `NotFound` where there is no such comment, or it was never published.
        """
        async with available():
            row = await self._pool.fetchrow(SQL["file"], *report, to_hold)
        if row is None:
            raise NotFound
        return Filed(ThreadId(row["below"]), changed(row) if row["no"] else None)

    async def dismiss(
        self, numbers: Sequence[CommentNo], state: str | None, reason: str, moderator: str | None = None
    ) -> list[CommentNo]:
        """Settle what is open on comments in this state, or in any, which they keep: those on which something was."""
        async with available():
            rows = await self._pool.fetch(SQL["dismiss"], list(numbers), state, reason, moderator)
        return [row[0] for row in rows]

    async def open(self, numbers: Sequence[CommentNo]) -> dict[CommentNo, list[Open]]:
        """What is open on comments, the most frequent reason first."""
        found: dict[CommentNo, list[Open]] = {}
        async with available():
            for row in await self._pool.fetch(SQL["open"], list(numbers), NOTES):
                found.setdefault(row["comment"], []).append(Open(*row))
        return found

    async def latest(self, limit: int, *, settled: bool) -> list[Line]:
        """The latest reports, the newest first: those that are open, or the settled ones too."""
        async with available():
            return [Line(*row) for row in await self._pool.fetch(SQL["latest"], settled, limit)]

    async def done(self, slug: Slug, zone: str, reasons: Sequence[str], limit: int) -> list[Done]:
        """What was done in a thread, by day, the latest first, among so many acts; only these reasons are told."""
        async with available():
            return [Done(*row) for row in await self._pool.fetch(SQL["done"], slug, zone, list(reasons), limit)]

    async def evidence(self, no: CommentNo) -> Evidence:
        """All there is about a comment. Raises `NotFound`."""
        async with (
            available(),
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            comment = await connection.fetchrow(SQL["comment"], no)
            if comment is None:
                raise NotFound
            about = [About(*row) for row in await connection.fetch(SQL["about"], no)]
            acts = tuple(Judgement(*row) for row in await connection.fetch(SQL["acts"], no))
        appeals = tuple(each for each in about if each.reason == "appeal")
        reports = tuple(each for each in about if each.reason != "appeal")
        return Evidence(**dict(comment), reports=reports, appeals=appeals, acts=acts)
