"""Limits in Redis: exact, shared by all workers, and kind to who repeats an act."""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.guard.limits import MARK_SECONDS, Limits


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield client


@pytest.fixture
def site() -> str:
    return secrets.token_hex(6)


async def wait(limits: Limits, visitor: str = "v", op: uuid.UUID | None = None) -> float:
    """How long to wait, or 0."""
    return await limits.wait(visitor, op or uuid.uuid4())


@pytest.mark.parametrize("per_minute", [1, 6, 7, 11, 13, 60])
async def test_a_burst_passes_whole_and_then_the_wait_is_exact(redis: Redis, site: str, per_minute: int) -> None:
    limits, cost = Limits(redis, site, per_minute), 60 / per_minute
    begun = time.monotonic()
    assert [await wait(limits) for _ in range(per_minute)] == [0] * per_minute
    told = await wait(limits)
    passed = time.monotonic() - begun
    assert cost - passed - 0.002 <= told <= cost + 0.002


@pytest.mark.parametrize("per_minute", [7, 11, 700])
async def test_the_arrival_moves_by_exactly_what_the_posts_cost(redis: Redis, site: str, per_minute: int) -> None:
    limits = Limits(redis, site, per_minute)
    begun = time.time() * 1000
    assert [await wait(limits) for _ in range(per_minute)] == [0] * per_minute
    (key,) = [key async for key in redis.scan_iter(f"afterword:{site}:limit:{{v}}")]
    kept = await redis.get(key)
    assert kept
    arrival = float(kept)
    assert begun + 60_000 - 2 <= arrival <= time.time() * 1000 + 60_000 + 2


async def test_who_waited_as_long_as_told_may_post(redis: Redis, site: str) -> None:
    limits = Limits(redis, site, 1200)  # one every 50 ms
    for _ in range(10_000):
        if told := await wait(limits):
            assert told <= 0.051
            await asyncio.sleep(told)
            assert await wait(limits) == 0
            return
    pytest.fail("never refused")


async def test_an_act_let_through_costs_nothing_again(redis: Redis, site: str) -> None:
    limits, op = Limits(redis, site, 1), uuid.uuid4()
    assert [await wait(limits, op=op) for _ in range(5)] == [0] * 5
    assert 0 < await wait(limits) <= 60
    assert await wait(limits, op=op) == 0


async def test_a_refused_act_is_not_let_through_by_repeating_it(redis: Redis, site: str) -> None:
    limits, op = Limits(redis, site, 1), uuid.uuid4()
    assert await wait(limits) == 0
    assert 0 < await wait(limits, op=op) <= 60
    assert 0 < await wait(limits, op=op) <= 60


async def test_asking_in_vain_costs_nothing(redis: Redis, site: str) -> None:
    limits = Limits(redis, site, 1)
    await wait(limits)
    waits = [await wait(limits) for _ in range(20)]
    assert waits == sorted(waits, reverse=True)


async def test_a_mark_is_its_visitors_own(redis: Redis, site: str) -> None:
    limits, op = Limits(redis, site, 1), uuid.uuid4()
    assert await wait(limits, "a", op) == 0
    assert await wait(limits, "b") == 0
    assert await wait(limits, "b", op) > 0


async def test_workers_share_the_limit_and_sites_do_not(redis: Redis, site: str) -> None:
    one, two, stranger = Limits(redis, site, 2), Limits(redis, site, 2), Limits(redis, "stranger" + site, 2)
    assert [await wait(one), await wait(two)] == [0, 0]
    assert await wait(one) > 0
    assert await wait(two) > 0
    assert await wait(stranger) == 0


async def test_posts_at_once_get_exactly_the_burst(redis: Redis, site: str) -> None:
    limits = Limits(redis, site, 6)
    waits = await asyncio.gather(*(wait(limits) for _ in range(30)))
    assert sum(told == 0 for told in waits) == 6


async def test_nothing_is_kept_for_longer_than_it_matters(redis: Redis, site: str) -> None:
    limits, op = Limits(redis, site, 6), uuid.uuid4()
    await wait(limits, op=op)
    kept = {key.decode(): await redis.pttl(key) async for key in redis.scan_iter(f"afterword:{site}:*")}
    prefix = f"afterword:{site}:limit:{{v}}"
    assert set(kept) == {prefix, f"{prefix}:{op.hex}"}
    assert 0 < kept[prefix] <= 10_001
    assert 0 < kept[f"{prefix}:{op.hex}"] <= MARK_SECONDS * 1000


async def test_nobody_waits_longer_where_the_clock_was_set_back(redis: Redis, site: str) -> None:
    limits = Limits(redis, site, 600)  # one every 100 ms
    await wait(limits)
    await redis.set(f"afterword:{site}:limit:{{v}}", (time.time() + 3600) * 1000)
    told = await wait(limits)
    assert 0 < told <= 0.1
    await asyncio.sleep(told)
    assert await wait(limits) == 0


async def test_while_redis_is_away_this_worker_counts_alone(site: str) -> None:
    away = Redis.from_url("unix:///nowhere/at/all.sock", retry=Retry(NoBackoff(), 0))
    limits, op = Limits(away, site, 2), uuid.uuid4()
    assert [await wait(limits, op=op), await wait(limits)] == [0, 0]
    assert 0 < await wait(limits) <= 30
    assert await wait(limits, op=op) == 0
    await away.aclose()
