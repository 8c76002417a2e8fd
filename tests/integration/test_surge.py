"""Surges on real stores: they begin, are told to nobody twice, and end; and what a worker knows while Redis is away."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.brakes import Brake, Brakes
from service.guard.asked import Asked
from service.guard.pressure import MOST, SECONDS, Pressure, Tally
from service.protocol import Slug, Thread, ThreadId
from service.store.moderation import Moderation, Terms, ThreadChanged
from service.surge import Surge
from tests.integration.test_store import Store, store

__all__ = ["store"]

CALM = 120  # posts a minute that a thread takes: 20 in ten seconds


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield client


@pytest.fixture
def site() -> str:
    return secrets.token_hex(6)


AWAY = Redis.from_url("redis://127.0.0.1:1", retry=Retry(NoBackoff(), 0))


@pytest.fixture(params=["with Redis", "without"])
def either(request: pytest.FixtureRequest, redis: Redis) -> Redis:
    """Redis, or one that is away."""
    return redis if request.param == "with Redis" else AWAY


class Worker:
    """What a worker has of it."""

    def __init__(self, store: Store, redis: Redis, site: str, calm_seconds: float = 60.0, calm: int = CALM) -> None:
        self.pressure = Pressure(redis, site, calm)
        self.brakes = Brakes(store.comments)
        self.told: list[Thread] = []
        self.surge = Surge(self.pressure, self.brakes, Moderation(store.pool), self.tell, calm_seconds)

    def tell(self, done: ThreadChanged) -> None:
        """What readers are told."""
        if done.raised:
            self.told.append(done.position.thread)

    def flood(self, thread: ThreadId, addresses: int, each: int = 1) -> None:
        """Something comes from each of many addresses."""
        for number in range(addresses * each):
            self.pressure.feel(thread, f"address {number % addresses}")

    async def look(self) -> None:
        """As each second."""
        await self.surge.look()


async def test_a_surge_begins_and_ends_once_whatever_the_workers_see(store: Store, redis: Redis, site: str) -> None:
    thread = await store.open("story")
    one, other = Worker(store, redis, site), Worker(store, redis, site, calm_seconds=0)
    one.flood(thread, 15)
    other.flood(thread, 15)
    await one.look()
    assert one.told == [], "fifteen are no flood"
    await asyncio.gather(other.look(), other.look())
    assert other.told == [Thread("open", slow=30, surge=True)]
    assert other.brakes.find(thread) == Brake(30, surge=True)
    one.flood(thread, 1)
    await one.look()
    assert one.told == []
    assert one.brakes.find(thread) == Brake(30, surge=True), "it has seen that another was faster"
    await other.look()
    assert other.brakes.surges == {thread}, "it goes on while so much comes"
    await redis.flushdb()
    await other.look()
    assert other.told[1:] == [Thread("open")]
    assert other.brakes.find(thread) is None
    await one.brakes.read()
    await one.look()
    assert one.told == []
    acts = await Moderation(store.pool).acts(10)
    assert [(act.kind, act.reason, act.moderator) for act in acts] == [
        ("calm", "over", None),
        ("surge", "30 in 10 seconds", None),
    ]


async def test_a_surge_begins_for_what_comes_to_one_worker_while_redis_is_away(
    store: Store, either: Redis, site: str
) -> None:
    thread, worker = await store.open("story"), Worker(store, either, site)
    worker.flood(thread, 21)
    await worker.look()
    assert worker.told == [Thread("open", slow=30, surge=True)]


async def test_a_surge_whose_workers_died_is_ended_by_the_next_one(store: Store, either: Redis, site: str) -> None:
    thread = await store.open("story")
    await Moderation(store.pool).judge_thread(Slug("story"), Terms(surge=True), "310 in 10 seconds")
    worker = Worker(store, either, site, calm_seconds=0.05, calm=0)
    await worker.brakes.read()
    await worker.look()
    assert worker.told == [], "for some time it has to be calm"
    await asyncio.sleep(0.06)
    await worker.look()
    assert worker.told == [Thread("open")]
    assert worker.brakes.find(thread) is None


async def test_a_surge_that_a_moderator_has_ended_does_not_begin_again_at_once(
    store: Store, redis: Redis, site: str, owner_url: str
) -> None:
    thread, worker, moderation = await store.open("story"), Worker(store, redis, site), Moderation(store.pool)
    worker.flood(thread, 40)
    await worker.look()
    await moderation.judge_thread(Slug("story"), Terms(surge=False), "", "ida")
    await worker.brakes.read()
    worker.flood(thread, 40)
    await worker.look()
    assert worker.brakes.surges == set()
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ALTER TABLE acts DISABLE TRIGGER USER")
    await owner.execute("UPDATE acts SET at = at - interval '11 minutes'")
    await owner.close()
    worker.flood(thread, 40, each=2)
    await worker.look()
    assert worker.brakes.surges == {thread}


async def test_no_surge_begins_where_posting_is_not_limited(store: Store, redis: Redis, site: str) -> None:
    thread, worker = await store.open("story"), Worker(store, redis, site, calm=0)
    worker.flood(thread, 5_000)
    await worker.look()
    assert worker.told == []
    assert worker.pressure.steps(thread) == 0


async def test_one_address_brings_no_surge_about(store: Store, redis: Redis, site: str) -> None:
    thread, worker = await store.open("story"), Worker(store, redis, site)
    worker.flood(thread, 1, each=1_000)
    assert (await worker.pressure.recent(())) == {thread: MOST}
    for _ in range(3):
        worker.pressure.feel(thread, "another address", MOST)
    worker.pressure.feel(thread, "address 0", MOST)
    assert (await worker.pressure.recent(())) == {thread: 2 * MOST}, "three comments or one report"
    await worker.look()
    assert worker.told == []


async def test_what_is_usual_in_a_thread_is_no_surge(store: Store, either: Redis, site: str) -> None:
    thread, worker = await store.open("story"), Worker(store, either, site)
    worker.flood(thread, 30)
    await worker.pressure.recent(())
    assert await worker.pressure.usual(thread) == 0, "what comes just now is not usual"
    second = int(time.time())
    for ago in range(1, 50):  # thirty in ten seconds, for most of an hour
        await either_adds(worker.pressure, either, thread, second // 60 - ago, 180)
    assert 20 < await worker.pressure.usual(thread) < 30
    worker.flood(thread, 1)
    await worker.look()
    assert worker.told == []


async def either_adds(pressure: Pressure, redis: Redis, thread: ThreadId, minute: int, count: int) -> None:
    """Something came in a minute of the past."""
    if redis is AWAY:
        pressure._own[thread]._minutes[minute] = count
    else:
        await redis.set(pressure._minute(thread, minute), count)


async def test_the_work_follows_how_much_more_comes_than_a_thread_takes(store: Store, redis: Redis, site: str) -> None:
    thread, worker = await store.open("story"), Worker(store, redis, site)
    steps = []
    for addresses in (10, 20, 30, 60):
        worker.flood(thread, addresses, each=1)
        await worker.pressure.recent(())
        steps.append(worker.pressure.steps(thread))
    assert steps == [0, 1, 2, 3]


async def test_the_counters_expire(redis: Redis, site: str, store: Store) -> None:
    thread, worker = await store.open("story"), Worker(store, redis, site)
    worker.flood(thread, 3)
    await worker.pressure.recent(())
    keys = [key async for key in redis.scan_iter(f"afterword:{site}:*")]
    assert len(keys) == 2
    assert all([0 < await redis.ttl(key) <= 3660 for key in keys])


def test_a_tally_forgets_after_ten_seconds_and_after_an_hour() -> None:
    tally = Tally()
    tally.add(1_000, 7)
    assert (tally.recent(1_000), tally.usual(1_000)) == (7, 7)
    assert tally.recent(1_000 + SECONDS - 1) == 7
    assert (tally.recent(1_000 + SECONDS), tally.usual(1_000 + SECONDS)) == (0, 7)
    assert (tally.usual(1_000 + 3_500), tally.usual(1_000 + 3_661)) == (7, 0)


async def test_who_asks_for_many_challenges_gets_harder_ones(either: Redis, site: str) -> None:
    asked = Asked(either, site)
    steps = [await asked.steps("v", 1) for _ in range(64)]
    assert [steps.count(each) for each in range(5)] == [7, 8, 16, 32, 1]
    assert await asked.steps("somebody else", 1) == 0
