"""Who was told to wait: until then the same is told again without asking, so that a flood costs next to nothing."""

import asyncio
from collections.abc import Hashable

from service.guard.memory import Memory

LOCAL = 10_000  # of whom this worker remembers it


class Told:
    """What was told to whom, by this worker."""

    def __init__(self) -> None:
        self._until: Memory[Hashable, float] = Memory(LOCAL)

    def tell(self, who: Hashable, seconds: float) -> None:
        """Somebody is told to wait so long."""
        self._until.keep(who, asyncio.get_running_loop().time() + seconds)

    def left(self, who: Hashable) -> float:
        """Seconds that are left of what somebody was told; or 0: it is to be asked."""
        until = self._until.get(who)
        return max(0.0, until - asyncio.get_running_loop().time()) if until else 0.0
