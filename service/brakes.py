"""Threads that ask more of who writes there, as this worker knows them: read every two seconds."""

import asyncio
import contextlib
from typing import NamedTuple

from service.errors import Unavailable
from service.protocol import Thread, ThreadId
from service.store.comments import Comments

LOOK_SECONDS = 2.0


class Brake(NamedTuple):
    """What a thread asks. `slow`: seconds between two comments of one address; `surge`: it is stricter for a while."""

    slow: int
    surge: bool


class Brakes:
    """The threads that ask anything. While the database is away, what was known holds."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self._brakes: dict[ThreadId, Brake] = {}
        self._begun = 0.0

    def find(self, thread: ThreadId) -> Brake | None:
        """What a thread asks, if anything."""
        return self._brakes.get(thread)

    @property
    def surges(self) -> set[ThreadId]:
        """The threads that are in a surge."""
        return {thread for thread, brake in self._brakes.items() if brake.surge}

    def learn(self, thread: ThreadId, now: Thread) -> None:
        """Take in what this worker did to a thread; a read that began before tells less."""
        self._begun = asyncio.get_running_loop().time()
        self._brakes.pop(thread, None)
        if now.slow or now.surge is True:
            self._brakes[thread] = Brake(now.slow, now.surge is True)

    async def read(self) -> None:
        """Read what all threads ask, now. Raises `Unavailable`."""
        begun = asyncio.get_running_loop().time()
        brakes = {thread: Brake(slow, surge) for thread, slow, surge in await self._comments.braked()}
        if begun >= self._begun:
            self._brakes, self._begun = brakes, begun

    async def run(self) -> None:
        """Stay level with the store, until cancelled."""
        while True:
            with contextlib.suppress(Unavailable):
                await self.read()
            await asyncio.sleep(LOOK_SECONDS)
