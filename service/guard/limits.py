"""How often an address may post: GCRA in Redis for all workers, in this worker's memory while Redis is away."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.guard.pace import Pace

MARK_SECONDS = 600  # for which a repeated act is known here; after that the store knows it
LOCAL = 10_000  # addresses remembered in this worker

_SCRIPT = Path(__file__).with_name("gcra.lua").read_text("utf-8")


class Limits:
    """The posts of each address: `per_minute` at once, then one every 60 / `per_minute` seconds; 0 for no limit."""

    def __init__(self, redis: Redis, site: str, per_minute: int) -> None:
        self._prefix = f"afterword:{site}:limit"
        self._script = redis.register_script(_SCRIPT)
        self._burst = per_minute
        self._cost = 60 / per_minute if per_minute else 0.0
        self._local = _Local(self._cost, per_minute)

    @property
    def off(self) -> bool:
        """Whether nothing is limited."""
        return not self._burst

    async def post(self, visitor: str, ops: Sequence[UUID]) -> list[float]:
        """Count the posts of `visitor`, each once for its op: the seconds that each must wait, 0 for none."""
        if self.off or not ops:
            return [0.0] * len(ops)
        address = f"{self._prefix}:{{{visitor}}}"
        marks = [f"{address}:{op.hex}" for op in ops]
        try:
            waits = await self._script(
                keys=[address, *marks], args=[self._cost * 1000, self._burst, MARK_SECONDS * 1000]
            )
        except (RedisError, OSError):
            return [self._local.post(address, mark) for mark in marks]
        return [wait / 1000 for wait in waits]


class _Local:
    """The same rule in memory, by this machine's clock."""

    def __init__(self, cost: float, burst: int) -> None:
        self._cost = cost
        self._burst = burst
        self._paces: dict[str, Pace] = {}
        self._marks: dict[str, None] = {}

    def post(self, address: str, act: str) -> float:
        """Seconds to wait, or 0."""
        if act in self._marks:
            return 0
        pace = self._paces[address] = self._paces.pop(address, Pace(self._cost, self._burst))
        if wait := pace.wait(time.monotonic()):
            return wait
        self._marks[act] = None
        for remembered in (self._paces, self._marks):
            while len(remembered) > LOCAL:
                remembered.pop(next(iter(remembered)))
        return 0
