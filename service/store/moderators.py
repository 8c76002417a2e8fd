"""Moderators in Postgres, and their sessions: rows of the server's, so that each can be ended."""

import datetime
from typing import Literal, NamedTuple

from service.errors import NotFound
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("moderators")
LONGEST = datetime.timedelta(days=7)  # a session ends so long after it began,
IDLE = datetime.timedelta(hours=12)  # or so long after it was last used

Role = Literal["moderator", "editor", "admin"]


class Moderator(NamedTuple):
    """One of those who may sign in. `seen`: when an open session was last used, to the minute."""

    name: str
    role: Role
    disabled: bool
    sessions: int
    seen: datetime.datetime | None


class Signed(NamedTuple):
    """Who is signed in."""

    name: str
    role: Role


class Moderators:
    """The moderators of one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, name: str, password: str, role: Role) -> bool:
        """Add one, with the hash of a password; False where the name is taken."""
        async with available():
            return await self._pool.fetchval(SQL["add"], name, password, role) is not None

    async def everybody(self) -> list[Moderator]:
        """All of them, by name."""
        async with available():
            return [Moderator(*row) for row in await self._pool.fetch(SQL["list"], IDLE)]

    async def disable(self, name: str, *, disabled: bool = True) -> None:
        """Let one in no more, or again; every session ends at once. Raises `NotFound`."""
        await self._change("disable", name, disabled)

    async def change_password(self, name: str, password: str) -> None:
        """Take the hash of a new password; every session ends at once. Raises `NotFound`."""
        await self._change("password", name, password)

    async def revoke(self, name: str) -> None:
        """End every session of one."""
        async with available():
            await self._pool.execute(SQL["revoke"], name)

    async def known(self, name: str) -> str | None:
        """The hash of the password of who may sign in; None for anyone else."""
        async with available():
            password: str | None = await self._pool.fetchval(SQL["known"], name)
        return password

    async def begin(self, name: str, password: str, token: bytes) -> bool:
        """Begin a session for who was known by this hash; False where that holds no more."""
        async with available():
            return await self._pool.fetchval(SQL["begin"], name, password, token, LONGEST, IDLE) is not None

    async def session(self, token: bytes) -> Signed | None:
        """Who is signed in by a token's hash; using a session keeps it."""
        async with available():
            row = await self._pool.fetchrow(SQL["session"], token, IDLE)
        return Signed(*row) if row else None

    async def end(self, token: bytes) -> None:
        """End a session."""
        async with available():
            await self._pool.execute(SQL["end"], token)

    async def _change(self, query: str, name: str, value: object) -> None:
        """Change one, then end the sessions, by a later statement: it sees those that began until the change."""
        async with available(), self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchrow(SQL[query], name, value) is None:
                raise NotFound("There is no moderator of that name.")
            await connection.execute(SQL["revoke"], name)
