"""Surges: when more comes to a thread than anybody reads, writing there costs more, until it is over."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from service.brakes import Brakes
from service.errors import Unavailable
from service.guard.pressure import SECONDS, Pressure
from service.protocol import ThreadId
from service.store.moderation import Moderation, ThreadChanged

LOOK_SECONDS = 1.0
TIMES = 4  # so many times what is usual in a thread is no surge yet
CALM_SECONDS = 60.0  # a surge is over when for so long less than half came of what begins one

log = logging.getLogger(__name__)


class Surge:
    """Begins and ends the surges of all threads.

    Every worker does that: to begin what has begun, or to end what is over, changes nothing in the store. `tell` is
    told what changed.
    """

    def __init__(
        self,
        pressure: Pressure,
        brakes: Brakes,
        moderation: Moderation,
        tell: Callable[[ThreadChanged], None],
        calm_seconds: float = CALM_SECONDS,
    ) -> None:
        self._pressure = pressure
        self._brakes = brakes
        self._moderation = moderation
        self._tell = tell
        self._calm_seconds = calm_seconds
        self._calm_since: dict[ThreadId, float] = {}  # by the loop's clock

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            with contextlib.suppress(Unavailable):  # the next look comes soon
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Begin what has to begin, and end what is over. Raises `Unavailable`."""
        surges = self._brakes.surges
        self._calm_since = {thread: since for thread, since in self._calm_since.items() if thread in surges}
        for thread, recent in (await self._pressure.recent(surges)).items():
            if thread not in surges:
                if recent > self._pressure.most and recent > TIMES * await self._pressure.usual(thread):
                    await self._begin(thread, recent)
            elif self._is_over(thread, recent):
                await self._end(thread)

    def _is_over(self, thread: ThreadId, recent: int) -> bool:
        """Whether it was calm for long enough, as far as this worker has watched."""
        if recent >= self._pressure.most / 2:
            self._calm_since.pop(thread, None)
            return False
        now = asyncio.get_running_loop().time()
        return now - self._calm_since.setdefault(thread, now) >= self._calm_seconds

    async def _begin(self, thread: ThreadId, recent: int) -> None:
        done = await self._moderation.surge(thread, f"{recent} in {SECONDS} seconds")
        if done:
            log.warning("a surge has begun", extra={"thread_id": thread, "count": recent})
        await self._heed(done)

    async def _end(self, thread: ThreadId) -> None:
        done = await self._moderation.calm(thread)
        if done:
            log.warning("a surge is over", extra={"thread_id": thread})
        await self._heed(done)

    async def _heed(self, done: ThreadChanged | None) -> None:
        if done:
            self._tell(done)
        await self._brakes.read()  # where nothing was done, somebody else has been faster
