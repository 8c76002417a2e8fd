"""What moderators do, in Postgres: every act changes what readers see and is written into the record, in one step."""

import datetime
from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from service.errors import NotFound
from service.protocol import CommentNo, Slug, ThreadId
from service.store import queries
from service.store.comments import Changed, Position, Tag, changed, thread
from service.store.database import Pool, available

SQL = queries.load("moderation")
DISMISSALS = {"dismiss", "reopen"}  # acts on what was reported of a comment, which itself stays
SLOWEST = 86_400  # seconds between two comments of one address, at most
CLOSED = 100  # threads that are locked and closed at a time: some milliseconds
Verdict = Literal["published", "held", "removed"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What of a thread is to be otherwise; what is unset stays. `pinned` is None for no comment."""

    state: str | UnsetType = UNSET
    slow: int | UnsetType = UNSET
    surge: bool | UnsetType = UNSET
    pinned: CommentNo | UnsetType | None = UNSET


class ThreadChanged(NamedTuple):
    """Where a thread stands after an act on it, and whether that differs from before."""

    thread: ThreadId
    raised: bool
    position: Position


class Act(NamedTuple):
    """One line of the record. `was`: the state or the seconds before.

    `moderator` is None for the command line and for what the service does by itself; `slug` for an act on a ban or a
    filter, which `ban` and `filter` name.
    """

    id: int
    at: datetime.datetime
    moderator: str | None
    kind: str
    slug: Slug | None
    comment: CommentNo | None
    was: str
    reason: str
    ban: int | None
    filter: int | None


class Held(NamedTuple):
    """A comment that waits for a moderator."""

    no: CommentNo
    at: datetime.datetime
    text: str
    slug: Slug


class Moderation:
    """Acts on the comments and threads of one database; `tag` where posters are to have one.

    Every method raises `Unavailable` while the database is away.
    """

    def __init__(self, pool: Pool, tag: Tag | None = None) -> None:
        self._pool = pool
        self._tag = tag

    async def judge(
        self, numbers: Sequence[CommentNo], verdict: Verdict, reason: str, moderator: str | None = None
    ) -> list[Changed]:
        """Bring comments into a state; those that were in another and could be, in the order of their versions.

        A retracted comment, and one whose text was erased, stays as it is.
        """
        async with available():
            rows = await self._pool.fetch(SQL["judge"], list(numbers), verdict, reason, moderator)
        return [changed(row, self._tag) for row in rows]

    async def judge_thread(self, slug: Slug, terms: Terms, reason: str, moderator: str | None = None) -> ThreadChanged:
        """Open, close, hold or slow a thread, say, or pin a comment. Raises `NotFound`."""
        async with available():
            row = await self._pool.fetchrow(SQL["judge_thread"], slug, _json(terms), reason, moderator)
        if row is None:
            raise NotFound
        return _thread_changed(row)

    async def pin(self, no: CommentNo, moderator: str | None = None) -> ThreadChanged:
        """Let a published comment stand first in its thread. Raises `NotFound`."""
        async with available():
            row = await self._pool.fetchrow(SQL["pin"], no, moderator)
        if row is None:
            raise NotFound("That comment is not there, or not published.")
        return _thread_changed(row)

    async def surge(self, thread: ThreadId, why: str) -> ThreadChanged | None:
        """Begin a surge; None where there is one, or where somebody ended one in the last ten minutes."""
        return await self._surge("surge", thread, why)

    async def calm(self, thread: ThreadId) -> ThreadChanged | None:
        """End a surge that is over; None where there is none."""
        return await self._surge("calm", thread)

    async def _surge(self, query: str, *values: object) -> ThreadChanged | None:
        async with available():
            row = await self._pool.fetchrow(SQL[query], *values)
        return _thread_changed(row) if row else None

    async def close_old(self, days: int) -> list[ThreadChanged]:
        """Close some of the threads whose articles were published more than some days ago; none when all are.

        One that a moderator opened, closed or held since it was that old stays as it is.
        """
        age, reason = datetime.timedelta(days=days), f"{days} days"
        async with available():
            rows = await self._pool.fetch(SQL["close_old"], age, reason, CLOSED)
        return [_thread_changed(row) for row in rows]

    async def undo(self, act: int, moderator: str | None = None) -> Changed | ThreadChanged | None:
        """Bring back what was before an act; None where that can't be: somebody has acted on the same since, say.

        An act on a ban is undone by `Bans.undo`.
        """
        async with available():
            done = await self._pool.fetchrow(SQL["act"], act)
            if done is None or done["ban"] is not None:
                return None
            if done["comment"] is None:
                row = await self._pool.fetchrow(SQL["undo_thread"], act, moderator)
                return _thread_changed(row) if row else None
            undone = await self._undo(done, act, moderator)
            return undone[0] if undone else None

    async def undo_step(self, act: int, moderator: str | None = None) -> list[Changed]:
        """Bring back what was before all acts on comments that were one step with this one, where that can be."""
        async with available():
            done = await self._pool.fetchrow(SQL["act"], act)
            return await self._undo(done, act, moderator, step=True) if done else []

    async def _undo(
        self, done: asyncpg.Record, act: int, moderator: str | None, *, step: bool = False
    ) -> list[Changed]:
        query = "undo_dismissal" if done["kind"] in DISMISSALS else "undo"
        return [changed(row, self._tag) for row in await self._pool.fetch(SQL[query], act, moderator, step)]

    async def sign(self, thread: ThreadId, op: UUID, moderator: str) -> None:
        """Keep who of the newsroom writes what is about to be posted under an op tag; whoever was first stays it."""
        async with available():
            await self._pool.execute(SQL["sign"], thread, op, moderator)

    async def acts(self, limit: int, slug: Slug | None = None) -> list[Act]:
        """The latest acts, the newest first: of one article's thread, or of all."""
        async with available():
            return [Act(*row) for row in await self._pool.fetch(SQL["acts"], slug, limit)]

    async def held(self, limit: int) -> list[Held]:
        """What waits for a moderator, the oldest first."""
        async with available():
            return [Held(*row) for row in await self._pool.fetch(SQL["held"], limit)]


def _json(terms: Terms) -> str:
    return msgspec.json.encode(terms).decode()


def _thread_changed(row: asyncpg.Record) -> ThreadChanged:
    position = Position(row["thread_epoch"], row["thread_version"], row["thread_count"], thread(row))
    return ThreadChanged(ThreadId(row["thread"]), row["raised"], position)
