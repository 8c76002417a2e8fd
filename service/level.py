"""What each worker knows of the whole site: read every two seconds, and as soon as another says that it has changed."""

import abc
import asyncio
import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

from service.errors import Unavailable

LOOK_SECONDS = 2.0

T = TypeVar("T")


class Level(abc.ABC, Generic[T]):
    """Something that is kept level with the store. While the database is away, what was known holds."""

    def __init__(self) -> None:
        self.tell: Callable[[], None] = lambda: None
        """Has the other workers `wake` theirs."""
        self._woken = asyncio.Event()
        self._value: T | None = None
        self._begun = 0.0

    @abc.abstractmethod
    async def _look(self) -> T:
        """What holds now. Raises `Unavailable`."""

    async def known(self) -> T:
        """What is known. Raises `Unavailable` where nothing was ever read."""
        if self._value is None:
            await self.read()
        assert self._value is not None
        return self._value

    async def read(self) -> None:
        """Look now. Raises `Unavailable`."""
        begun = asyncio.get_running_loop().time()
        self._learn(await self._look(), begun)

    async def changed(self) -> None:
        """Something was changed here: it holds at once, on the other workers as soon as they hear of it."""
        self.tell()
        with contextlib.suppress(Unavailable):  # the next look comes soon
            await self.read()

    def wake(self) -> None:
        """Look soon: another worker says that something has changed."""
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

    def _learn(self, value: T, begun: float) -> None:
        """Take in what was seen since `begun`, by the loop's clock, unless something later is known."""
        if begun >= self._begun:
            self._value, self._begun = value, begun
