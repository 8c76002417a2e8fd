"""Bans in Postgres: made from a comment by whoever wrote it, for a time, and never from an address."""

import datetime
from typing import Literal, NamedTuple

from service.protocol import CommentNo
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("bans")
MOST = 10_000  # in force at a time; beyond that those that end first are not heeded
MAX_DAYS = 365
Scope = Literal["address", "network"]


class Ban(NamedTuple):
    """A ban, as people see it: never whom it is on."""

    id: int
    scope: Scope
    reason: str
    begun: datetime.datetime
    ends: datetime.datetime


class InForce(NamedTuple):
    """A ban that holds: the hash of whom it is on, and for how long yet by the database's clock."""

    ban: Ban
    tag: bytes
    left: datetime.timedelta


class Bans:
    """The bans of one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def impose(
        self, no: CommentNo, scope: Scope, days: int, reason: str, moderator: str | None = None
    ) -> Ban | None:
        """Ban who wrote a comment, or the wider net of that address; None where it is not known any more."""
        async with available():
            row = await self._pool.fetchrow(SQL["impose"], no, scope, datetime.timedelta(days=days), reason, moderator)
        return Ban(*row) if row else None

    async def lift(self, ban: int, reason: str, moderator: str | None = None) -> bool:
        """End a ban before its time; False where none of that number is in force.

        Its hash stays for a day, so that a mistake can be undone (`Retention`).
        """
        async with available():
            return await self._pool.fetchrow(SQL["lift"], ban, reason, moderator) is not None

    async def undo(self, act: int, moderator: str | None = None) -> bool:
        """Undo an act on a ban: lift it, or bring it back; False where that can't be, since it is over, say."""
        async with available():
            return await self._pool.fetchrow(SQL["undo"], act, moderator) is not None

    async def in_force(self) -> list[InForce]:
        """Those that hold now, the longest first."""
        async with available():
            rows = await self._pool.fetch(SQL["in_force"], MOST)
        return [InForce(Ban(*tuple(row)[:5]), row["tag"], row["left"]) for row in rows]
