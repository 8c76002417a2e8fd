"""Tries to sign in: limited by address and by name, on all workers, and while Redis is away."""

import asyncio
import secrets

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.guard.tries import OF_ADDRESS, OF_NAME, Tries
from tests.integration.test_limits import redis, site

__all__ = ["redis", "site"]


async def test_an_address_tries_ten_names_and_then_waits_as_told(redis: Redis, site: str) -> None:
    tries = [Tries(redis, site), Tries(redis, site)]
    for number in range(OF_ADDRESS):
        assert await tries[number % 2].wait("address", secrets.token_hex(4)) == 0
    assert 5 < await tries[0].wait("address", "another") <= 6
    assert await tries[0].wait("elsewhere", "another") == 0


async def test_a_name_is_tried_ten_times_by_everybody_together(redis: Redis, site: str) -> None:
    tries = Tries(redis, site)
    waits = await asyncio.gather(*(tries.wait(f"address-{number}", "ida") for number in range(OF_NAME + 5)))
    assert sum(wait == 0 for wait in waits) == OF_NAME
    assert await tries.wait("address-0", "ole") == 0


async def test_who_has_to_wait_makes_no_name_wait(redis: Redis, site: str) -> None:
    tries = Tries(redis, site)
    for _ in range(OF_ADDRESS):
        await tries.wait("address", "other")
    for _ in range(OF_NAME):
        assert await tries.wait("address", "ida") > 0
    assert await tries.wait("elsewhere", "ida") == 0


async def test_while_redis_is_away_a_worker_counts_by_itself(site: str) -> None:
    away = Redis.from_url("unix:///nowhere/at/all.sock", retry=Retry(NoBackoff(), 0))
    tries = Tries(away, site)
    assert [await tries.wait("address", "ida") for _ in range(OF_ADDRESS)] == [0] * OF_ADDRESS
    assert await tries.wait("address", "ole") > 0
    assert await tries.wait("elsewhere", "ida") > 0
    await away.aclose()
