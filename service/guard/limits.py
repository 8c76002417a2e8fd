"""How often an address may do something: GCRA in Redis for all workers, in this worker's memory while Redis is away."""

import time
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.guard.memory import Memory
from service.guard.pace import Pace

MARK_SECONDS = 600  # for which a repeated act is known here
LOCAL = 10_000  # addresses, and acts, remembered in this worker

_SCRIPT = Path(__file__).with_name("gcra.lua").read_text("utf-8")


class Limits:
    """The acts of each address: `per_minute` at once, then one every 60 / `per_minute` seconds; 0 for no limit."""

    def __init__(self, redis: Redis, site: str, per_minute: int) -> None:
        self._prefix = f"afterword:{site}:limit"
        self._script = redis.register_script(_SCRIPT)
        self._burst = per_minute
        self._cost = 60 / per_minute if per_minute else 0.0
        self._paces: Memory[str, Pace] = Memory(LOCAL)
        self._marks: Memory[str, None] = Memory(LOCAL)

    @property
    def off(self) -> bool:
        """Whether nothing is limited."""
        return not self._burst

    async def wait(self, visitor: str, op: UUID) -> float:
        """Seconds that an act of `visitor` must wait; or 0, and it is counted, once for its op."""
        if self.off:
            return 0.0
        address = f"{self._prefix}:{{{visitor}}}"
        mark = f"{address}:{op.hex}"
        try:
            ms: int = await self._script(
                keys=[address, mark], args=[self._cost * 1000, self._burst, MARK_SECONDS * 1000]
            )
        except (RedisError, OSError):
            return self._here(address, mark)
        return ms / 1000

    def _here(self, address: str, mark: str) -> float:
        """The same rule in memory, by this machine's clock."""
        if mark in self._marks:
            return 0.0
        wait = self._paces.recall(address, lambda: Pace(self._cost, self._burst)).wait(time.monotonic())
        if not wait:
            self._marks.keep(mark, None)
        return wait
