"""Who is banned, as this worker knows it: asked without a word to anybody."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from service.errors import Banned
from service.keyring import Visitor
from service.level import Level
from service.store.bans import Ban, Bans


class _Entry(NamedTuple):
    ban: Ban
    over: float  # by the loop's clock, which nobody sets


class Blocklist(Level[Mapping[bytes, _Entry]]):
    """The bans in force, by what they are on; one that was known ends in its time, even while the database is away."""

    def __init__(self, bans: Bans) -> None:
        super().__init__()
        self._bans = bans

    async def find(self, visitor: Visitor) -> Banned | None:
        """Why a visitor may not write, or None. Raises `Unavailable` where nothing was ever read."""
        if not (entries := await self.known()):
            return None
        now = asyncio.get_running_loop().time()
        found = [entry for tag in visitor[1:] if (entry := entries.get(tag)) and entry.over > now]
        if not found:
            return None
        last = max(found, key=lambda entry: entry.over)
        return Banned(last.ban.reason, last.ban.ends, retry_after=last.over - now)

    async def _look(self) -> Mapping[bytes, _Entry]:
        begun = asyncio.get_running_loop().time()
        entries: dict[bytes, _Entry] = {}
        for ban, tag, left in await self._bans.in_force():
            entries.setdefault(tag, _Entry(ban, begun + left.total_seconds()))  # the one that ends last
        return entries
