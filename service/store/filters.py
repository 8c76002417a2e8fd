"""Filters in Postgres: what a comment may not hold, where, and what becomes of one that does."""

import datetime
from typing import Annotated, Literal, NamedTuple

import asyncpg
import msgspec

from service.errors import Malformed, phrase
from service.protocol import CommentNo, Slug, ThreadId
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("filters")
MOST = 200  # in force at a time
SEARCHED = 100_000  # comments, the latest, among which a trial finds those of its section or article

Kind = Literal["word", "pattern", "host", "links", "first"]
Action = Literal["refuse", "hold", "pass"]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Unfit(Malformed):
    """That is no filter."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter looks for, where, and what it does. `value` is as `service/filters/rule.py` writes it.

    `section`, `article`: where it holds; without both on the whole site. `reason`: what moderators read.
    """

    kind: Kind
    value: Annotated[str, msgspec.Meta(max_length=200)]
    action: Action
    section: Line | None = None
    article: Slug | None = None
    reason: Annotated[str, msgspec.Meta(max_length=80)] = ""


class Filter(NamedTuple):
    """A filter, in force while `ended` is None; without `begun` one that is only tried out."""

    id: int
    rule: Rule
    begun: datetime.datetime | None = None
    ended: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """What the desk calls it on a comment that it holds: its number, then why, or what it looks for."""
        return f"filter #{self.id}: {self.rule.reason or self.rule.value or self.rule.kind}"


class Place(NamedTuple):
    """Where a comment is to stand, and whether it is the first of its address, as far as that is known."""

    section: str
    article: Slug
    first: bool


class Written(NamedTuple):
    """A comment on which a filter is tried out."""

    no: CommentNo
    at: datetime.datetime
    text: str
    title: str
    place: Place


class Filters:
    """The filters of one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, rule: Rule, moderator: str | None = None) -> int:
        """Put a filter in force; its number. Raises `Unfit` where it can't be."""
        async with available():
            values = (rule.kind, rule.value, rule.action, rule.section, rule.article, rule.reason, moderator, MOST)
            number: int | None = await self._pool.fetchval(SQL["add"], *values)
            if number is not None:
                return number
            placed, room = await self._pool.fetchrow(SQL["room"], rule.article, MOST) or (True, True)
        if not placed:
            raise Unfit(phrase("There is no such article."))
        if not room:
            raise Unfit(phrase("There are as many filters as there may be; end one first."))
        raise Unfit(phrase("There is such a filter already."))

    async def end(self, number: int, reason: str, moderator: str | None = None) -> bool:
        """End a filter; False where none of that number is in force."""
        async with available():
            return await self._pool.fetchval(SQL["end"], number, reason, moderator) is not None

    async def in_force(self) -> list[Filter]:
        """Those in force, the oldest first."""
        async with available():
            return [_filter(row) for row in await self._pool.fetch(SQL["in_force"])]

    async def ended(self, limit: int) -> list[Filter]:
        """Those that have ended, the last one first."""
        async with available():
            return [_filter(row) for row in await self._pool.fetch(SQL["ended"], limit)]

    async def one(self, number: int) -> Filter | None:
        """A filter by its number, in force or not."""
        async with available():
            row = await self._pool.fetchrow(SQL["one"], number)
        return _filter(row) if row else None

    async def place(self, thread: ThreadId, address: bytes | None) -> Place | None:
        """Where a thread is, and whether an address has published nothing; None where there is no such thread."""
        async with available():
            row = await self._pool.fetchrow(SQL["place"], thread, address)
        return Place(*row) if row else None

    async def latest(self, rule: Rule, limit: int) -> list[Written]:
        """The latest comments where a rule would hold, the newest first."""
        async with available():
            rows = await self._pool.fetch(SQL["latest"], rule.section, rule.article, limit, SEARCHED)
        return [
            Written(
                row["no"], row["at"], row["text"], row["title"], Place(row["section"], row["article"], row["first"])
            )
            for row in rows
        ]


def _filter(row: asyncpg.Record) -> Filter:
    rule = Rule(
        kind=row["kind"],
        value=row["value"],
        action=row["action"],
        section=row["section"],
        article=row["article"],
        reason=row["reason"],
    )
    return Filter(row["id"], rule, row["begun"], row["ended"])
