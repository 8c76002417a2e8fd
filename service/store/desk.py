"""What the desk shows, read from Postgres."""

import datetime
from typing import NamedTuple

from service.protocol import MAX_INTEGER, CommentNo, Slug
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("desk")
SEARCHED = 100_000  # comments that a search looks at, the latest: it reads each of them
OWN_ACTS = 500  # among so many of a moderator's latest acts one is found to undo
WAITING = 1_000  # up to which is counted what waits


class Card(NamedTuple):
    """A comment on the desk. `seen`: whether readers ever saw it; `text` is None where it was erased."""

    no: CommentNo
    at: datetime.datetime
    state: str
    seen: bool
    text: str | None
    reason: str | None
    slug: Slug
    title: str
    thread_state: str


class Line(NamedTuple):
    """A line of the record. `stands`: nobody has acted on the same since, so it can be undone."""

    id: int
    at: datetime.datetime
    moderator: str | None
    kind: str
    slug: Slug
    title: str
    comment: CommentNo | None
    was: str
    reason: str
    stands: bool


class Conversation(NamedTuple):
    """A thread on the desk. `slow`: seconds between two comments of one address there, 0 for none."""

    slug: Slug
    title: str
    state: str
    comments: int
    slow: int


class Desk:
    """The desk of one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def version(self) -> str:
        """What differs when anything that the desk shows does."""
        async with available():
            return str(await self._pool.fetchval(SQL["version"]))

    async def waiting(self) -> int:
        """How many comments wait for a moderator, up to `WAITING`."""
        async with available():
            return int(await self._pool.fetchval(SQL["waiting"], WAITING))

    async def held(self, limit: int) -> list[Card]:
        """What waits for a moderator, the oldest first."""
        return await self._cards("held", limit)

    async def recent(self, limit: int, before: int = MAX_INTEGER) -> list[Card]:
        """The latest comments of all threads, the newest first."""
        return await self._cards("recent", before, limit)

    async def found(self, words: str, limit: int, before: int = MAX_INTEGER) -> list[Card]:
        """Those of the latest `SEARCHED` that hold these words as they stand, in whatever case; the newest first."""
        literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return await self._cards("found", before, limit, f"%{literal}%", SEARCHED)

    async def record(self, limit: int, before: int = MAX_INTEGER) -> list[Line]:
        """The latest acts, the newest first."""
        async with available():
            return [Line(*row) for row in await self._pool.fetch(SQL["record"], before, limit)]

    async def last(self, moderator: str) -> Line | None:
        """The latest act of a moderator that can be undone, and is no undoing itself."""
        async with available():
            row = await self._pool.fetchrow(SQL["last"], moderator, OWN_ACTS)
        return Line(*row) if row else None

    async def threads(self, limit: int) -> list[Conversation]:
        """The threads of the latest articles."""
        async with available():
            return [Conversation(*row) for row in await self._pool.fetch(SQL["threads"], limit)]

    async def _cards(self, query: str, *values: object) -> list[Card]:
        async with available():
            return [Card(*row) for row in await self._pool.fetch(SQL[query], *values)]
