"""How many read along on other workers: counts only, never a list of anyone."""

from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service import roster
from service.protocol import ThreadId
from service.roster import BELIEVED_SECONDS

_SCRIPT = Path(__file__).with_suffix(".lua").read_text("utf-8")


class Crowd:
    """The sums over all workers of a site, kept in Redis."""

    def __init__(self, redis: Redis, site: str, worker: str) -> None:
        self._keys = [roster.member(site, worker), roster.workers(site)]
        self._sum = redis.register_script(_SCRIPT)

    async def exchange(self, counts: Mapping[ThreadId, int]) -> dict[ThreadId, int]:
        """Give this worker's counts, and get those of the others; nothing is known while Redis is away."""
        pairs = [number for pair in counts.items() for number in pair]
        try:
            sums = await self._sum(keys=self._keys, args=[BELIEVED_SECONDS, *pairs])
        except (RedisError, OSError):
            return dict.fromkeys(counts, 0)
        return dict(zip(counts, sums, strict=True))
