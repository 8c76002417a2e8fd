"""How often an address may have the stores asked about what it posts: by this worker, and in its memory."""

import asyncio

from service.guard.memory import Memory
from service.guard.pace import Pace

TIMES = 10  # for each post that an address may make: who repeats what stands, or waits as told, needs far fewer
LOCAL = 10_000  # addresses that are remembered


class Lookups:
    """Look-ups: once there were too many, who was told to wait is not looked up before. 0 posts a minute: no limit."""

    def __init__(self, per_minute: int) -> None:
        self._most = TIMES * per_minute
        self._paces: Memory[str, Pace] = Memory(LOCAL)
        self._until: Memory[str, float] = Memory(LOCAL)

    def wait(self, visitor: str, number: int) -> float:
        """Seconds for which nothing is looked up for somebody; or 0, and so many look-ups are counted."""
        if not self._most:
            return 0
        now, pace = asyncio.get_running_loop().time(), self._paces.recall(visitor, self._pace)
        if wait := pace.left(now):
            return max(wait, (self._until.get(visitor) or now) - now)
        pace.count(now, number)
        return 0

    def told(self, visitor: str, seconds: float) -> None:
        """Somebody was told to wait so long before the next post."""
        self._until.keep(visitor, asyncio.get_running_loop().time() + seconds)

    def _pace(self) -> Pace:
        return Pace(60 / self._most, self._most)
