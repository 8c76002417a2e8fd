"""Slots for connections in Redis: exact over all workers, right again after whatever was lost."""

import asyncio
import contextlib
import resource
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service import redis_pool, roster
from service.crowd import Crowd
from service.errors import TooMany, WorkerFull
from service.guard import connections
from service.guard.connections import Connections, capacity
from service.protocol import ThreadId
from service.roster import BELIEVED_SECONDS
from tests.site import eventually

AWAY = "unix:///nowhere/at/all.sock"
NO_LIMIT = 1_000_000


def client(url: str) -> Redis:
    return Redis.from_pool(redis_pool.make(url, socket_timeout=0.25, retry=Retry(NoBackoff(), 0)))


async def lead(redis: Redis, path: str) -> None:
    """Let a client's connections end, and its next ones lead elsewhere."""
    pool = redis.connection_pool
    await pool.disconnect()
    pool.connection_kwargs["path"] = path
    pool.reset()  # type: ignore[no-untyped-call]


class Worker:
    """A worker as far as slots go: one beat, and connections that are held until told."""

    def __init__(self, redis: Redis, site: str, name: str, limit: int, per_worker: int = NO_LIMIT) -> None:
        self.redis = redis
        self.site = site
        self.name = name
        self.connections = Connections(redis, site, name, limit, per_worker)
        self.task = asyncio.create_task(self.connections.run())
        self.held: list[contextlib.AsyncExitStack] = []

    async def beat(self) -> None:
        """Say that it is alive."""
        await Crowd(self.redis, self.site, self.name).exchange({})

    async def open(self, visitor: str = "v") -> bool:
        """Open one, if it may."""
        stack = contextlib.AsyncExitStack()
        try:
            await stack.enter_async_context(self.connections.slot(visitor))
        except TooMany:
            return False
        self.held.append(stack)
        return True

    async def close(self, number: int = 1) -> None:
        """Close the oldest."""
        for _ in range(number):
            await self.held.pop(0).aclose()

    async def kill(self) -> None:
        """End it in mid-air: it tells nobody."""
        self.task.cancel()
        await asyncio.wait([self.task])


class Town:
    """A site with workers."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.site = secrets.token_hex(6)
        self.workers: list[Worker] = []

    async def worker(self, limit: int, per_worker: int = NO_LIMIT, redis: Redis | None = None) -> Worker:
        """One more worker, which has beaten once."""
        worker = Worker(redis or self.redis, self.site, secrets.token_hex(4), limit, per_worker)
        self.workers.append(worker)
        await worker.beat()
        return worker

    async def kept(self, visitor: str = "v") -> Counter[str]:
        """What Redis has of an address, by worker."""
        found = await self.redis.hgetall(f"afterword:{{{self.site}}}:connections:{visitor}")
        names = (member.decode() if isinstance(member, bytes) else member for member in found)
        return Counter({name.rpartition(":")[2]: int(count) for name, count in zip(names, found.values(), strict=True)})

    async def becomes(self, visitor: str = "v", **counts: int) -> None:
        """Wait until Redis has this, by the place of the workers."""
        expected = Counter({self.workers[int(place[1:])].name: count for place, count in counts.items()})

        async def level() -> bool:
            return await self.kept(visitor) == expected

        await eventually(level)


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with client(redis_url) as redis:
        yield redis


@pytest_asyncio.fixture
async def town(redis: Redis) -> AsyncIterator[Town]:
    town = Town(redis)
    yield town
    for worker in town.workers:
        await worker.kill()


async def test_workers_share_the_limit_and_addresses_do_not(town: Town) -> None:
    one, two = await town.worker(3), await town.worker(3)
    assert [await one.open(), await two.open(), await two.open()] == [True] * 3
    assert [await one.open(), await two.open()] == [False] * 2
    with pytest.raises(TooMany) as refused:
        async with two.connections.slot("v"):
            pytest.fail("one too many")
    assert refused.value.retry_after
    assert await one.open("w")
    await town.becomes(w0=1, w1=2)


async def test_who_closes_one_may_open_one_on_any_worker(town: Town) -> None:
    one, two = await town.worker(2), await town.worker(2)
    assert [await one.open(), await one.open(), await two.open()] == [True, True, False]
    await one.close()
    await town.becomes(w0=1)
    assert [await two.open(), await one.open()] == [True, False]


async def test_a_storm_gets_exactly_the_limit(town: Town) -> None:
    workers = [await town.worker(20) for _ in range(3)]
    opened = await asyncio.gather(*(worker.open() for worker in workers for _ in range(30)))
    assert sum(opened) == 20
    assert sum((await town.kept()).values()) == 20


async def test_many_addresses_at_once_are_told_in_batches(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BATCH", 7)
    one = await town.worker(2)
    visitors = [f"v{number}" for number in range(40)] * 3
    opened = await asyncio.gather(*map(one.open, visitors))
    assert sum(opened) == 80
    await one.close(80)
    for visitor in set(visitors):
        await town.becomes(visitor)


async def test_who_connects_too_often_waits_and_to_wait_for_a_slot_costs_nothing(town: Town) -> None:
    one = await town.worker(1)
    assert await one.open()
    assert not any([await one.open() for _ in range(50)])
    await one.close()
    for _ in range(connections.HANDSHAKES - 1):
        assert await one.open()
        await one.close()
    with pytest.raises(TooMany) as refused:
        await one.connections.take("v")
    assert 5 < (refused.value.retry_after or 0) <= 6
    assert await one.open("w")
    await town.becomes()


async def test_nothing_stays_when_all_are_closed(town: Town) -> None:
    one = await town.worker(2)
    await one.open()
    (key,) = [key async for key in town.redis.scan_iter(f"afterword:{{{town.site}}}:connections:*")]
    assert 0 < await town.redis.ttl(key) <= connections.LASTING_SECONDS
    await one.close()
    await town.becomes()
    assert not await town.redis.exists(key)
    assert not one.connections._open
    assert not one.connections._count


async def test_the_slots_of_a_dead_worker_are_free(town: Town) -> None:
    dead, alive = await town.worker(2), await town.worker(2)
    assert [await dead.open(), await dead.open(), await alive.open()] == [True, True, False]
    await dead.kill()
    await town.redis.zadd(
        roster.workers(town.site), {roster.member(town.site, dead.name): time.time() - BELIEVED_SECONDS - 1}
    )
    assert await alive.open()
    assert await town.kept() == {alive.name: 1}


async def test_a_beat_from_before_the_clock_was_set_back_is_not_believed(town: Town) -> None:
    dead, alive = await town.worker(1), await town.worker(1)
    thread = ThreadId(1)
    await Crowd(town.redis, town.site, dead.name).exchange({thread: 5})
    assert [await dead.open(), await alive.open()] == [True, False]
    crowd = Crowd(town.redis, town.site, alive.name)
    assert await crowd.exchange({thread: 0}) == {thread: 5}
    await dead.kill()
    await town.redis.zadd(roster.workers(town.site), {roster.member(town.site, dead.name): time.time() + 3600})
    assert await alive.open()
    assert await crowd.exchange({thread: 0}) == {thread: 0}
    assert await town.redis.zrange(roster.workers(town.site), 0, -1) == [roster.member(town.site, alive.name).encode()]


async def test_while_redis_is_away_a_worker_counts_alone() -> None:
    async with client(AWAY) as away:
        worker = Worker(away, "site", "one", 2)
        assert [await worker.open(), await worker.open(), await worker.open()] == [True, True, False]
        await worker.close()
        assert [await worker.open(), await worker.open("w")] == [True, True]
        await worker.kill()


async def test_what_redis_missed_it_is_told_when_it_is_back(
    town: Town, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "AGAIN_SECONDS", 0.05)
    async with client(redis_url) as own:
        one, two = await town.worker(3, redis=own), await town.worker(3)
        assert [await one.open(), await one.open(), await two.open()] == [True] * 3
        where = own.connection_pool.connection_kwargs["path"]
        await lead(own, "/nowhere/at/all.sock")
        await one.close(2)
        assert [await one.open("w"), await one.open("w")] == [True] * 2
        assert await two.open() is False
        await lead(own, where)
        await town.becomes(w1=1)
        await town.becomes("w", w0=2)


async def test_a_redis_that_lost_everything_is_reminded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REMIND_SECONDS", 0.05)
    one = await town.worker(2)
    await one.open()
    await town.becomes(w0=1)
    await town.redis.delete(f"afterword:{{{town.site}}}:connections:v")
    await town.becomes(w0=1)


async def test_who_goes_while_asking_leaves_nothing(town: Town) -> None:
    one = await town.worker(4)  # who may connect forty times a minute
    for turns in range(30):
        asking = asyncio.create_task(one.open())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await one.close(len(one.held))
    await town.becomes()
    assert [await one.open() for _ in range(5)] == [True] * 4 + [False]


async def test_without_a_limit_redis_is_not_asked(town: Town, redis_url: str) -> None:
    async with client(AWAY) as away:
        one = await town.worker(0, redis=away)
        async with asyncio.timeout(5):
            assert [await one.open() for _ in range(1000)] == [True] * 1000
        await one.close(1000)
        await one.task  # it has nothing to do
        assert not one.connections._untold


async def test_a_worker_takes_no_more_than_it_can_hold(town: Town) -> None:
    one, two = await town.worker(0, per_worker=2), await town.worker(0, per_worker=2)
    assert [await one.open("a"), await one.open("b"), await two.open("a")] == [True] * 3
    with pytest.raises(WorkerFull) as refused:
        async with one.connections.slot("c"):
            pytest.fail("one too many")
    assert refused.value.retry_after
    await one.close()
    assert await one.open("c")


def test_a_worker_can_hold_what_its_file_descriptors_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, int]] = []
    hard = 65_536
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (1024, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, both: limits.append(both))
    assert capacity(0) == capacity(NO_LIMIT) == 65_536 - connections.RESERVE
    assert capacity(100) == 100
    hard = 256
    assert capacity(0) == 128
    hard = resource.RLIM_INFINITY
    assert capacity(0) == connections.UNLIMITED - connections.RESERVE
    assert limits[0] == (65_536, 65_536)
    assert limits[-1] == (connections.UNLIMITED, resource.RLIM_INFINITY)
