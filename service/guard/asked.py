"""How many challenges an address was given lately: who asks for many gets harder ones."""

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.guard.limits import LOCAL, MARK_SECONDS

EASY = 8  # challenges of an address at the least difficulty; then every doubling is a step


class Asked:
    """Counts in Redis for all workers, forgotten after ten minutes; in this worker's memory while Redis is away."""

    def __init__(self, redis: Redis, site: str) -> None:
        self._redis = redis
        self._prefix = f"afterword:{site}:asked"
        self._local: dict[str, tuple[int, float]] = {}

    async def steps(self, visitor: str, number: int) -> int:
        """Count `number` more challenges of `visitor`; by how many steps they are harder."""
        key = f"{self._prefix}:{{{visitor}}}"
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.incrby(key, number)
                pipe.expire(key, MARK_SECONDS, nx=True)
                count = int((await pipe.execute())[0])
        except (RedisError, OSError):
            count = self._count(visitor, number)
        return (count // EASY).bit_length()

    def _count(self, visitor: str, number: int) -> int:
        now = time.monotonic()
        count, until = self._local.pop(visitor, (0, now + MARK_SECONDS))
        if until <= now:
            count, until = 0, now + MARK_SECONDS
        self._local[visitor] = count + number, until
        while len(self._local) > LOCAL:
            self._local.pop(next(iter(self._local)))
        return count + number
