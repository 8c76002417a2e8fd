"""Which threads ask more of who writes, as this worker knows it: read every two seconds, and asked without a word."""

import asyncio
import contextlib
from typing import NamedTuple

from service.errors import Unavailable
from service.protocol import ThreadId
from service.store.comments import Comments

LOOK_SECONDS = 2.0


class Brake(NamedTuple):
    """What a thread asks: `slow` seconds between two comments of one address; `surge`: whether it is in one."""

    slow: int
    surge: bool


class Brakes:
    """The threads that are slow or in a surge. While the database is away, what was known holds."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self._brakes: dict[ThreadId, Brake] | None = None
        self._begun = 0.0

    async def find(self, thread: ThreadId) -> Brake | None:
        """What a thread asks, or None. Raises `Unavailable` where nothing was ever read."""
        if self._brakes is None:
            await self.read()
        return (self._brakes or {}).get(thread)

    @property
    def surges(self) -> set[ThreadId]:
        """The threads that are in a surge."""
        return {thread for thread, brake in (self._brakes or {}).items() if brake.surge}

    async def read(self) -> None:
        """Read what holds, now: a surge has begun or ended here, say. Raises `Unavailable`."""
        begun = asyncio.get_running_loop().time()
        brakes = {thread: Brake(slow, surge) for thread, slow, surge in await self._comments.braked()}
        if begun >= self._begun:  # else a later read was faster
            self._brakes, self._begun = brakes, begun

    async def run(self) -> None:
        """Stay level with the store, until cancelled."""
        while True:
            with contextlib.suppress(Unavailable):
                await self.read()
            await asyncio.sleep(LOOK_SECONDS)
