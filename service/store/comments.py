"""Comments and threads in Postgres: posting, retracting, what changed, and windows."""

import datetime
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from service import markup
from service.errors import NotFound, NotYours
from service.protocol import MAX_INTEGER, Comment, Epoch, Placed, Slug, State, Thread, ThreadId, Window
from service.store import queries
from service.store.database import Connection, Pool, available

SQL = queries.load("comments")
SURGE_SLOW = 30  # seconds between two comments of one address in a surge, at least
Tag = Callable[[ThreadId, bytes], str]
"""Makes the tag of a poster, of a thread and the hash of an address."""


class Draft(NamedTuple):
    """An act to be committed. `others`: op tags under which the same act may stand already (at most two).

    `address` and `network` are the keyed hashes of who wrote it (service/keyring.py), where they are known. `held`: why
    a guard wants a moderator to look first. `by`: who of the newsroom speaks. `tag`: what readers know the author by.
    """

    thread: ThreadId
    op: UUID
    text: str
    text_tag: bytes
    others: tuple[UUID, ...] = ()
    address: bytes | None = None
    network: bytes | None = None
    held: str | None = None
    by: str | None = None
    tag: str | None = None

    @property
    def ops(self) -> tuple[UUID, ...]:
        """Every op tag under which this act may stand."""
        return (self.op, *self.others)


class Position(msgspec.Struct, frozen=True):
    """Where a thread stands. `state_version`: the version at which `thread` last changed."""

    epoch: Epoch
    version: int
    count: int
    thread: Thread = Thread("open")
    state_version: int = 0


class Standing(NamedTuple):
    """The comment that stands for an act; `version` is None while it was never published."""

    no: int
    version: int | None
    state: State
    text_tag: bytes
    fresh: bool = False
    """Whether this very commit made it."""


class Outcome(NamedTuple):
    """What became of one draft: `standing` is None where the thread refused (`thread_state` says why)."""

    standing: Standing | None
    thread_state: str | None
    published: Comment | None
    """The comment as readers get it, where this very draft was published now."""
    position: Position | None


class Since(NamedTuple):
    """What changed in a thread since version `from_`: complete, in version order, each comment once."""

    position: Position
    comments: tuple[Comment, ...]
    from_: int


class Retracted(NamedTuple):
    """A comment after its retraction; `change` is what readers get, where they can see a difference."""

    standing: Standing
    change: Comment | None
    position: Position


class Changed(NamedTuple):
    """A comment that a moderator brought into another state; `change` is what readers get, where they can see it."""

    no: int
    thread: ThreadId
    change: Comment | None
    position: Position


class Comments:
    """The comments in one database; `tag` where posters are to have one.

    Every method raises `Unavailable` while the database is away.
    """

    def __init__(self, pool: Pool, tag: Tag | None = None) -> None:
        self._pool = pool
        self._tag = tag

    async def thread(self, slug: Slug) -> ThreadId:
        """The thread below an article. Raises `NotFound`."""
        return ThreadId((await self._row("thread", slug))["id"])

    async def standing(self, asked: Sequence[tuple[ThreadId, Sequence[UUID]]]) -> list[set[UUID]]:
        """For some op tags of each thread, those under which a comment stands already."""
        pairs = [(thread, op) for thread, ops in asked for op in ops]
        async with available():
            rows = await self._pool.fetch(SQL["standing"], [thread for thread, _ in pairs], [op for _, op in pairs])
        known = {row["op"] for row in rows}  # an op tag is of one thread: it is made with it
        return [known.intersection(ops) for _, ops in asked]

    async def hour(self) -> int:
        """Hours since 1970 by the database's clock."""
        async with available():
            return cast("int", await self._pool.fetchval(SQL["hour"]))

    async def retract(self, thread: ThreadId, no: int, op: UUID) -> Retracted:
        """Take a comment back and erase its text. Raises `NotFound` and `NotYours`."""
        row = await self._row("retract", thread, no, op)
        if not row["yours"]:
            raise NotYours
        position = Position(row["thread_epoch"], row["thread_version"], row["thread_count"])
        return Retracted(_standing(row), _comment(row, self._tag) if row["raised"] else None, position)

    async def since(self, thread: ThreadId, version: int, limit: int) -> Since:
        """What changed after `version`, or the last `limit` comments of it. Raises `NotFound`."""
        async with available():
            rows = await self._pool.fetch(SQL["since"], thread, min(version, MAX_INTEGER), limit)
        if not rows:
            raise NotFound
        position = _position(rows[0])
        comments = _comments(rows, self._tag)
        from_ = comments[0].version - 1 if len(comments) == limit else min(version, position.version)
        return Since(position, comments, from_)

    async def renew(self, thread: ThreadId, epoch: Epoch, version: int) -> None:
        """Begin a new epoch where the thread stands below a version that was seen in this one: it was restored."""
        async with available():
            await self._pool.execute(SQL["renew"], thread, epoch, version)

    async def positions(self, threads: Sequence[ThreadId]) -> dict[ThreadId, tuple[Epoch, int]]:
        """Epoch and version of every thread that exists."""
        async with available():
            rows = await self._pool.fetch(SQL["positions"], list(threads))
        return {row["id"]: (row["epoch"], row["version"]) for row in rows}

    async def braked(self) -> list[tuple[ThreadId, int, bool]]:
        """The threads that ask more of who writes than others do: how slow each is, and whether it is in a surge."""
        async with available():
            rows = await self._pool.fetch(SQL["braked"])
        return [(ThreadId(row["id"]), slowed(row["slow"], row["surge"]), row["surge"]) for row in rows]

    async def newest(self, thread: ThreadId, limit: int) -> Window:
        """The newest `limit` comments."""
        return await self.before(thread, MAX_INTEGER, limit)

    async def before(self, thread: ThreadId, no: int, limit: int) -> Window:
        """The `limit` comments below a number."""
        position, below, above = await self._window(thread, no, limit + 1, 1)
        return _cut(position, below[-limit:], earlier=len(below) > limit, later=bool(above))

    async def from_(self, thread: ThreadId, no: int, limit: int) -> Window:
        """A comment and those above it, `limit` in all."""
        position, below, above = await self._window(thread, no, 1, limit + 1)
        return _cut(position, above[:limit], earlier=bool(below), later=len(above) > limit)

    async def around(self, thread: ThreadId, no: int, limit: int) -> Window:
        """`limit` comments with one in their middle, or as near to it as the ends allow. Raises `NotFound`."""
        position, below, above = await self._window(thread, no, limit + 1, limit + 1)
        if not above or above[0].no != no:
            raise NotFound("That comment is not in this thread.")
        over = min(len(above), max(limit - limit // 2, limit - len(below)))
        under = min(len(below), limit - over)
        return _cut(
            position,
            below[len(below) - under :] + above[:over],
            earlier=len(below) > under,
            later=len(above) > over,
        )

    async def placed(self, no: int) -> Placed:
        """A comment wherever it stands, with its article. Raises `NotFound`."""
        row = await self._row("placed", no)
        return Placed(row["no"], row["slug"], row["title"], _comment(row, self._tag))

    async def place(self, no: int, newest: int) -> tuple[Slug, int]:
        """The article of a comment, and how many stand after it, counted up to `newest`. Raises `NotFound`."""
        row = await self._row("place", no, newest)
        return Slug(row["slug"]), row["newer"]

    async def _window(
        self, thread: ThreadId, no: int, below: int, above: int
    ) -> tuple[Position, tuple[Comment, ...], tuple[Comment, ...]]:
        async with available():
            rows = await self._pool.fetch(SQL["window"], thread, no, below, above)
        if not rows:
            raise NotFound
        comments = _comments(rows, self._tag)
        split = sum(comment.no < no for comment in comments)
        return _position(rows[0]), comments[:split], comments[split:]

    async def _row(self, query: str, *values: object) -> asyncpg.Record:
        async with available():
            row = await self._pool.fetchrow(SQL[query], *values)
        if row is None:
            raise NotFound
        return row


async def post(connection: Connection, drafts: Sequence[Draft]) -> list[Outcome]:
    """Commit a batch of drafts with distinct ops, in one round trip; an outcome for each, in order.

    Raises `Unavailable`: then the batch may stand or not, and running it again tells.
    """
    others = [(*draft.others, None, None) for draft in drafts]
    async with available():
        rows = await connection.fetch(
            SQL["post"],
            [draft.thread for draft in drafts],
            [draft.op for draft in drafts],
            [pair[0] for pair in others],
            [pair[1] for pair in others],
            [draft.text for draft in drafts],
            [draft.text_tag for draft in drafts],
            [draft.address for draft in drafts],
            [draft.network for draft in drafts],
            [draft.held for draft in drafts],
            [draft.by for draft in drafts],
        )
    return [_outcome(row, draft) for row, draft in zip(rows, drafts, strict=True)]


def changed(row: asyncpg.Record, tag: Tag | None = None) -> Changed:
    """A comment as `judge_comments` left it."""
    position = Position(row["thread_epoch"], row["thread_version"], row["thread_count"])
    return Changed(row["no"], ThreadId(row["thread"]), _comment(row, tag) if row["raised"] else None, position)


def thread(row: asyncpg.Record) -> Thread:
    """The state of a thread."""
    slow = slowed(row["thread_slow"], row["thread_surge"])
    return Thread(row["thread_state"], slow, row["thread_surge"] or UNSET, row["thread_pinned"] or UNSET)


def slowed(slow: int, surge: bool) -> int:
    """How slow a thread is: as a moderator has set it, and at least so in a surge."""
    return max(slow, SURGE_SLOW) if surge else slow


def _outcome(row: asyncpg.Record, draft: Draft) -> Outcome:
    if row["thread_state"] is None:
        return Outcome(None, None, None, None)
    position = Position(row["thread_epoch"], row["thread_version"], row["thread_count"])
    if row["no"] is None:
        return Outcome(None, row["thread_state"], None, position)
    published = None
    if row["fresh"] and row["state"] == "published":
        published = _published(row["no"], row["version"], row["at"], draft.text, by=draft.by, tag=draft.tag)
    return Outcome(_standing(row), row["thread_state"], published, position)


def _standing(row: asyncpg.Record) -> Standing:
    return Standing(row["no"], row["version"], row["state"], row["text_tag"], row["fresh"])


def _position(row: asyncpg.Record) -> Position:
    return Position(
        row["thread_epoch"],
        row["thread_version"],
        row["thread_count"],
        thread(row),
        row["thread_state_version"],
    )


def _comments(rows: Sequence[asyncpg.Record], tag: Tag | None) -> tuple[Comment, ...]:
    return tuple(_comment(row, tag) for row in rows if row["no"] is not None)


def _comment(row: asyncpg.Record, tag: Tag | None) -> Comment:
    if row["state"] != "published":
        return Comment(row["no"], row["version"], _second(row["at"]), gone=row["state"])
    known = tag(row["thread"], row["address"]) if tag and row["address"] else None
    return _published(row["no"], row["version"], row["at"], row["text"], by=row["author"], tag=known)


def _published(no: int, version: int, at: datetime.datetime, text: str, *, by: str | None, tag: str | None) -> Comment:
    body = markup.render(text)
    shown: str | UnsetType = tag if tag and not by else UNSET  # who speaks for the newsroom says so
    return Comment(no, version, _second(at), by=by or "Anonymous", tag=shown, html=body.html, quotes=body.quotes)


def _second(at: datetime.datetime) -> datetime.datetime:
    return at.replace(microsecond=0)


def _cut(position: Position, comments: tuple[Comment, ...], *, earlier: bool, later: bool) -> Window:
    return Window(position.epoch, position.version, position.count, position.thread, comments, earlier, later)
