"""Threads that ask more of who writes there, as this worker knows them."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from service.level import Level
from service.protocol import Thread, ThreadId
from service.store.comments import Comments


class Brake(NamedTuple):
    """What a thread asks. `slow`: seconds between two comments of one address; `surge`: it is stricter for a while."""

    slow: int
    surge: bool


class Brakes(Level[Mapping[ThreadId, Brake]]):
    """The threads that ask anything."""

    def __init__(self, comments: Comments) -> None:
        super().__init__()
        self._comments = comments

    def find(self, thread: ThreadId) -> Brake | None:
        """What a thread asks, if anything."""
        return (self._value or {}).get(thread)

    @property
    def surges(self) -> set[ThreadId]:
        """The threads that are in a surge."""
        return {thread for thread, brake in (self._value or {}).items() if brake.surge}

    def learn(self, thread: ThreadId, now: Thread) -> None:
        """Take in what this worker did to a thread; a read that began before tells less."""
        others = {each: brake for each, brake in (self._value or {}).items() if each != thread}
        asks = {thread: Brake(now.slow, now.surge is True)} if now.slow or now.surge is True else {}
        self._learn(others | asks, asyncio.get_running_loop().time())
        self.tell()

    async def _look(self) -> Mapping[ThreadId, Brake]:
        return {thread: Brake(slow, surge) for thread, slow, surge in await self._comments.braked()}
