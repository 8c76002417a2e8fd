"""Tasks that talk to Redis end when they are cancelled, at whatever moment."""

import asyncio
import random
import secrets

from redis.asyncio import Redis

from service import redis_pool
from service.bus import Bus

TRIES = 50  # with redis-py's own connections nearly every second one went wrong


async def test_a_bus_ends_when_cancelled_at_any_moment(redis_url: str) -> None:
    for _ in range(TRIES):
        async with Redis.from_pool(redis_pool.make(redis_url, socket_timeout=1)) as redis:
            bus = Bus(redis, redis_url, "site", secrets.token_hex(4))
            task = asyncio.create_task(bus.run(lambda *_: None, lambda: None))
            for _ in range(random.randrange(60)):  # noqa: S311
                await asyncio.sleep(0)
            task.cancel()
            ended, _ = await asyncio.wait([task], timeout=5)
            assert ended
