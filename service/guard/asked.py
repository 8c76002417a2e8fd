"""How many challenges an address was given lately: who asks for many gets harder ones."""

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.guard.limits import LOCAL
from service.guard.memory import Memory

LASTING_SECONDS = 600
EASY = 8  # challenges of an address at the least difficulty; then every doubling is a step


class Asked:
    """Counts in Redis for all workers, forgotten after ten minutes; in this worker's memory while Redis is away."""

    def __init__(self, redis: Redis, site: str) -> None:
        self._redis = redis
        self._prefix = f"afterword:{site}:asked"
        self._local: Memory[str, tuple[int, float]] = Memory(LOCAL)  # how many, and until when they count

    async def steps(self, visitor: str, number: int) -> int:
        """Count `number` more challenges of `visitor`; by how many steps they are harder."""
        key = f"{self._prefix}:{{{visitor}}}"
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.incrby(key, number)
                pipe.expire(key, LASTING_SECONDS, nx=True)
                count = int((await pipe.execute())[0])
        except (RedisError, OSError):
            count = self._count(visitor, number)
        return (count // EASY).bit_length()

    def _count(self, visitor: str, number: int) -> int:
        now = time.monotonic()
        count, until = self._local.get(visitor) or (0, 0.0)
        if until <= now:
            count, until = 0, now + LASTING_SECONDS
        self._local.keep(visitor, (count + number, until))
        return count + number
