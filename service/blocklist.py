"""Who is banned, as this worker knows it: read every two seconds and when told, and asked without a word to anybody."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from service.errors import Banned, Unavailable
from service.keyring import Visitor
from service.store.bans import Ban, Bans

LOOK_SECONDS = 2.0


class _Entry(NamedTuple):
    ban: Ban
    over: float  # by the loop's clock, which nobody sets


class Blocklist:
    """The bans in force. While the database is away, those that were known hold until their end.

    `tell` has the other workers `wake` theirs.
    """

    def __init__(self, bans: Bans, tell: Callable[[], None] = lambda: None) -> None:
        self._bans = bans
        self._tell = tell
        self._woken = asyncio.Event()
        self._entries: dict[bytes, _Entry] | None = None
        self._begun = 0.0

    async def find(self, visitor: Visitor) -> Banned | None:
        """Why a visitor may not write, or None. Raises `Unavailable` where nothing was ever read."""
        if self._entries is None:
            await self.read()
        if not self._entries:
            return None
        now = asyncio.get_running_loop().time()
        found = [entry for tag in visitor[1:] if (entry := self._entries.get(tag)) and entry.over > now]
        if not found:
            return None
        last = max(found, key=lambda entry: entry.over)
        return Banned(last.ban.reason, last.ban.ends, retry_after=last.over - now)

    async def read(self) -> None:
        """Read what is in force, now. Raises `Unavailable`."""
        begun = asyncio.get_running_loop().time()
        entries: dict[bytes, _Entry] = {}
        for ban, tag, left in await self._bans.in_force():
            entries.setdefault(tag, _Entry(ban, begun + left.total_seconds()))  # the one that ends last
        if begun >= self._begun:  # else a later read was faster
            self._entries, self._begun = entries, begun

    async def changed(self) -> None:
        """A ban was made or lifted here: it holds at once, on the other workers as soon as they hear of it."""
        self._tell()
        with contextlib.suppress(Unavailable):  # the next look comes soon
            await self.read()

    def wake(self) -> None:
        """Read soon: another worker says that something has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Stay level with the store, until cancelled."""
        while True:
            self._woken.clear()
            with contextlib.suppress(Unavailable):
                await self.read()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
