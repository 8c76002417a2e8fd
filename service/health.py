"""Whether this worker is fit to take traffic."""

import asyncio
import contextlib

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.bus import Bus
from service.errors import Unavailable
from service.store.comments import Comments

LOOK_SECONDS = 2.0


class Readiness(msgspec.Struct, frozen=True):
    """Fit or not, and the state of what this worker needs. What is away for all workers makes none unready."""

    ready: bool
    draining: bool
    postgres: bool
    redis: bool
    hints: bool


class Health:
    """What `/readyz` knows."""

    def __init__(self, comments: Comments, redis: Redis, bus: Bus) -> None:
        self._comments = comments
        self._redis = redis
        self._bus = bus
        self._was_ready = False
        self.draining = False

    async def look(self) -> Readiness:
        """Look at everything now. Not ready: draining, deaf although Redis answers, or Postgres never yet reached."""
        postgres, redis = await asyncio.gather(self._postgres(), self._redis_answers())
        self._was_ready = self._was_ready or postgres
        deaf = redis and not self._bus.hearing
        ready = self._was_ready and not self.draining and not deaf
        return Readiness(ready, self.draining, postgres, redis, self._bus.hearing)

    async def _postgres(self) -> bool:
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._comments.hour()
                return True
        return False

    async def _redis_answers(self) -> bool:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.ping()
            return True
        return False
