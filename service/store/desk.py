"""What the desk shows, read from Postgres."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from service import markup
from service.errors import NotFound
from service.protocol import MAX_INTEGER, CommentNo, Slug
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("desk")
SEARCHED = 100_000  # comments that a search looks at, the latest: it reads each of them
OWN_ACTS = 500  # among so many of a moderator's latest acts one is found to undo
WAITING = 1_000  # up to which is counted what waits
LATELY = datetime.timedelta(hours=1)  # for so long back others by the same address are counted, and removed together
OTHERS = 1_000  # of those, at most
BESIDE = 3  # comments before and after one


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
    """A line of the record. `stands`: nobody has acted on the same since, so it can be undone.

    `slug` and `title` are None for an act on a ban or a filter, which `ban` and `filter` name; a filter has its undoing
    on its own page. `together`: on how many comments it was done in
    one step; 0 for an act on something else.
    """

    id: int
    at: datetime.datetime
    moderator: str | None
    kind: str
    slug: Slug | None
    title: str | None
    comment: CommentNo | None
    was: str
    reason: str
    stands: bool
    ban: int | None
    filter: int | None
    together: int


class Note(NamedTuple):
    """What else the desk knows of a comment.

    `author`: who of the newsroom speaks, as readers see it, and `writer` which moderator that was. `known`: whether it
    is known who wrote it, so that a ban can be made of it; `others`: how many more the same address wrote `LATELY`.
    """

    no: CommentNo
    author: str | None
    writer: str | None
    pinned: bool
    known: bool
    others: int


class Listed(NamedTuple):
    """An article on the desk, and how its thread stands."""

    slug: Slug
    title: str
    section: str
    published_at: datetime.datetime
    revision: int
    state: str
    comments: int


class Conversation(NamedTuple):
    """A thread on the desk. `slow`: seconds between two comments of one address there, 0 for none."""

    slug: Slug
    title: str
    state: str
    comments: int
    surge: bool
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
        """How many comments wait for a moderator, held or reported, up to `WAITING`."""
        async with available():
            return int(await self._pool.fetchval(SQL["waiting"], WAITING))

    async def queue(self, limit: int) -> list[Card]:
        """What waits for a moderator, held or reported, the oldest first."""
        return await self._cards("queue", limit)

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

    async def notes(self, numbers: Sequence[CommentNo]) -> dict[CommentNo, Note]:
        """What else is known of comments, by their numbers."""
        async with available():
            rows = await self._pool.fetch(SQL["notes"], list(numbers), LATELY, OTHERS)
        return {row["no"]: Note(*row) for row in rows}

    async def around(self, no: CommentNo) -> list[Card]:
        """A comment, those beside it in its thread, and those that it quotes, in order. Raises `NotFound`."""
        found = await self._cards("cards", [no])
        if not found:
            raise NotFound
        beside, quoted = await self._numbers("beside", no, BESIDE), markup.render(found[0].text or "").quotes
        return await self._cards("cards", [*beside, *quoted])

    async def latest(self, slug: Slug, limit: int) -> list[Card]:
        """The latest comments below an article, in order."""
        return await self._cards("cards", await self._numbers("latest", slug, limit))

    async def others(self, no: CommentNo, limit: int) -> list[Card]:
        """The latest from the same address, the newest first, as long as that is known."""
        return (await self._cards("cards", await self._numbers("others", no, limit)))[::-1]

    async def lately(self, no: CommentNo) -> list[CommentNo]:
        """The numbers of those that the same address wrote `LATELY` and that can be removed, at most `OTHERS`."""
        return await self._numbers("lately", no, LATELY, OTHERS)

    async def articles(self, limit: int) -> list[Listed]:
        """The latest articles."""
        async with available():
            return [Listed(*row) for row in await self._pool.fetch(SQL["articles"], limit)]

    async def _numbers(self, query: str, *values: object) -> list[CommentNo]:
        async with available():
            return [row["no"] for row in await self._pool.fetch(SQL[query], *values)]

    async def _cards(self, query: str, *values: object) -> list[Card]:
        async with available():
            return [Card(*row) for row in await self._pool.fetch(SQL[query], *values)]
