"""How often an address may post: GCRA in Redis for all workers, in this worker's memory while Redis is away."""

import time
from pathlib import Path
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.errors import TooFast

MARK_SECONDS = 600  # for which a repeated act is known here; after that the store knows it
LOCAL = 10_000  # addresses remembered in this worker

_SCRIPT = Path(__file__).with_name("gcra.lua").read_text("utf-8")


class Limits:
    """The posts of each address: `per_minute` at once, then one every 60 / `per_minute` seconds; 0 for no limit."""

    def __init__(self, redis: Redis, site: str, per_minute: int) -> None:
        self._prefix = f"afterword:{site}:limit"
        self._script = redis.register_script(_SCRIPT)
        self._burst = per_minute
        self._cost_ms = 60_000 / per_minute if per_minute else 0.0
        self._local = _Local()

    @property
    def off(self) -> bool:
        """Whether nothing is limited."""
        return not self._burst

    async def post(self, visitor: str, op: UUID) -> None:
        """Count a post of `visitor` once for its op. Raises `TooFast` with the exact wait."""
        if self.off:
            return
        keys = [f"{self._prefix}:{{{visitor}}}", f"{self._prefix}:{{{visitor}}}:{op.hex}"]
        try:
            wait = await self._script(keys=keys, args=[self._cost_ms, self._burst, MARK_SECONDS * 1000])
        except (RedisError, OSError):
            wait = self._local.post(keys[0], keys[1], self._cost_ms, self._burst)
        if wait:
            raise TooFast(retry_after=wait / 1000)


class _Local:
    """The same rule in memory, by this machine's clock."""

    def __init__(self) -> None:
        self._arrivals: dict[str, float] = {}
        self._marks: dict[str, None] = {}

    def post(self, address: str, act: str, cost_ms: float, burst: int) -> float:
        """Milliseconds to wait, or 0."""
        now = time.monotonic() * 1000
        if act in self._marks:
            return 0
        arrival = max(self._arrivals.pop(address, now), now)
        wait = arrival + cost_ms - burst * cost_ms - now
        self._arrivals[address] = arrival if wait >= 1 else arrival + cost_ms
        if wait >= 1:
            return wait
        self._marks[act] = None
        for remembered in (self._arrivals, self._marks):
            while len(remembered) > LOCAL:
                remembered.pop(next(iter(remembered)))
        return 0
