"""Who was told to wait: for a moment, the same is told again without asking, so that a flood costs next to nothing."""

import asyncio
from collections.abc import Hashable

from service.guard.memory import Memory

AGAIN_SECONDS = 2.0  # after which it is asked again: a thread may have been told to be faster
LOCAL = 10_000  # of whom this worker remembers it


class Told:
    """What was told to whom, by this worker."""

    def __init__(self) -> None:
        self._until: Memory[Hashable, tuple[float, float]] = Memory(LOCAL)

    def tell(self, who: Hashable, seconds: float) -> None:
        """Somebody is told to wait so long."""
        now = asyncio.get_running_loop().time()
        self._until.keep(who, (now + seconds, now + min(seconds, AGAIN_SECONDS)))

    def left(self, who: Hashable) -> float:
        """Seconds that are left of what somebody was told a moment ago; or 0: it is to be asked."""
        now = asyncio.get_running_loop().time()
        until, again = self._until.get(who) or (now, now)
        return until - now if now < again else 0.0
