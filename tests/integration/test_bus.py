"""The bus: hints arrive, and where they may not have, somebody is told to look."""

import asyncio
import contextlib
import datetime
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service import bus
from service.bus import Bus
from service.protocol import Comment, Epoch, Thread, ThreadId
from service.run import PIECE, Run

PATIENCE = 20.0  # seconds that any condition may take on a busy machine
AWAY = "unix:///nowhere/at/all.sock"
EPOCH, ONE, TWO = Epoch("e.1"), ThreadId(1), ThreadId(2)
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Worker:
    """A bus, and what its worker heard and was told to look at."""

    def __init__(self, url: str, site: str, name: str) -> None:
        self.redis = Redis.from_url(url, socket_timeout=0.25, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 0))
        self.bus = Bus(self.redis, url, site, name)
        self.heard: list[tuple[ThreadId, Epoch, Run]] = []
        self.looks = 0

    def hear(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Take a hint down."""
        self.heard.append((thread, epoch, run))

    def look(self) -> None:
        """Note that something may have been missed."""
        self.looks += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Listen and publish meanwhile."""
        task = asyncio.create_task(self.bus.run(self.hear, self.look))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.redis.aclose()


@pytest.fixture
def name() -> str:
    """A site of one test."""
    return secrets.token_hex(6)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes seconds takes a fraction."""
    monkeypatch.setattr(bus, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(bus, "DEAF_SECONDS", 0.5)
    monkeypatch.setattr(bus, "RETRY_SECONDS", 0.05)


@pytest_asyncio.fixture
async def worker(redis_url: str, name: str, hasty: None) -> AsyncIterator[Worker]:
    made = Worker(redis_url, name, "one")
    async with made.running():
        await eventually(lambda: made.bus.hearing)
        yield made


@pytest_asyncio.fixture
async def other(redis_url: str, name: str, hasty: None) -> AsyncIterator[Worker]:
    made = Worker(redis_url, name, "two")
    async with made.running():
        await eventually(lambda: made.bus.hearing)
        yield made


@pytest_asyncio.fixture
async def admin(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def eventually(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def heard_so_far(worker: Worker, count: int) -> Callable[[], bool]:
    return lambda: len(worker.heard) == count


def looked(worker: Worker, times: int) -> bool:
    return worker.looks >= times


async def kill_subscribers(admin: Redis) -> None:
    await admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]


def posted(version: int, size: int = 1) -> Run:
    """A new comment, as its commit tells it."""
    comment = Comment(version, version, AT, by="Anonymous", html="x" * size, quotes=())
    return Run.of(version - 1, version, version, [comment])


def publish(worker: Worker, thread: ThreadId, run: Run) -> None:
    worker.bus.publish(thread, EPOCH, run)


async def test_a_hint_reaches_who_asked_for_its_thread_in_order(worker: Worker, other: Worker) -> None:
    await other.bus.subscribe(ONE)
    for version in range(1, 50):
        publish(worker, TWO, posted(version))
        publish(worker, ONE, posted(version))
    await eventually(lambda: len(other.heard) == 49)
    assert other.heard == [(ONE, EPOCH, posted(version)) for version in range(1, 50)]
    assert worker.heard == []


async def test_a_subscription_is_confirmed_when_the_next_hint_will_come(worker: Worker, other: Worker) -> None:
    for thread in range(1, 30):
        await other.bus.subscribe(ThreadId(thread))
        publish(worker, ThreadId(thread), posted(1))
        await eventually(heard_so_far(other, thread))


async def test_who_subscribes_twice_hears_once(worker: Worker, other: Worker) -> None:
    await asyncio.gather(*(other.bus.subscribe(ONE) for _ in range(5)))
    publish(worker, ONE, posted(1))
    publish(worker, ONE, posted(2))
    await eventually(lambda: len(other.heard) >= 2)
    assert [run.to for _, _, run in other.heard] == [1, 2]


async def test_a_worker_hears_its_own_hints(worker: Worker) -> None:
    await worker.bus.subscribe(ONE)
    publish(worker, ONE, posted(1))
    await eventually(lambda: worker.heard == [(ONE, EPOCH, posted(1))])


async def test_who_unsubscribed_hears_no_more(worker: Worker, other: Worker) -> None:
    await other.bus.subscribe(ONE)
    await other.bus.subscribe(TWO)
    other.bus.unsubscribe(ONE)
    other.bus.unsubscribe(ThreadId(3))
    await eventually(lambda: not other.bus._asks.qsize())
    await other.bus.subscribe(ThreadId(4))  # confirmed, and so the one before was heard as well
    publish(worker, ONE, posted(1))
    publish(worker, TWO, posted(1))
    await eventually(lambda: other.heard)
    assert [thread for thread, _, _ in other.heard] == [TWO]
    await other.bus.subscribe(ONE)
    publish(worker, ONE, posted(2))
    await eventually(lambda: len(other.heard) == 2)


async def test_two_sites_in_one_redis_never_meet(worker: Worker, redis_url: str) -> None:
    stranger = Worker(redis_url, secrets.token_hex(6), "one")
    async with stranger.running():
        await stranger.bus.subscribe(ONE)
        await worker.bus.subscribe(ONE)
        publish(worker, ONE, posted(1))
        await eventually(lambda: worker.heard)
        publish(stranger, ONE, posted(7))
        await eventually(lambda: stranger.heard)
    assert [run.to for _, _, run in stranger.heard] == [7]
    assert [run.to for _, _, run in worker.heard] == [1]


async def test_a_position_alone_and_a_state_arrive_too(worker: Worker, other: Worker) -> None:
    await other.bus.subscribe(ONE)
    runs = [Run(7, 7, 3), Run(7, 8, 3, (), Thread("closed", 30))]
    for run in runs:
        publish(worker, ONE, run)
    await eventually(lambda: other.heard == [(ONE, EPOCH, run) for run in runs])


@pytest.mark.parametrize("size", [PIECE, 200 * 1024])
async def test_a_hint_of_any_size_arrives_whole(worker: Worker, other: Worker, size: int) -> None:
    await other.bus.subscribe(ONE)
    publish(worker, ONE, posted(1, size))
    await eventually(lambda: other.heard == [(ONE, EPOCH, posted(1, size))])


async def test_more_hints_than_go_at_once_arrive_all_in_order(worker: Worker, other: Worker) -> None:
    await other.bus.subscribe(ONE)
    for version in range(1, 3 * bus.BURST + 2):
        publish(worker, ONE, posted(version))
    await eventually(lambda: len(other.heard) == 3 * bus.BURST + 1)
    assert [run.to for _, _, run in other.heard] == list(range(1, 3 * bus.BURST + 2))


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\n",
        b"no line",
        b"e.1\nnot json",
        b"e.1\n[]",
        b"e.1\n{}",
        b"e.1\n" + b"[" * 100_000,
        b'e.1\n{"type":"changes","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'e.1\n{"type":"changes","from":-1,"to":1,"count":0,"comments":[]}',
        b'e.1\n{"type":"changes","from":0,"to":9007199254740992,"count":0,"comments":[]}',
        b'e.1\n{"type":"post","op":"x","text":"x"}',
        b'\xff\n{"type":"changes","from":0,"to":1,"count":0,"comments":[]}',
        b'e.1\n{"type":"changes","from":0,"to":1,"count":0,"comments":[{"no":1}]}',
    ],
    ids=lambda junk: repr(junk[:40]),
)
async def test_garbage_on_the_channel_is_survived(worker: Worker, admin: Redis, name: str, junk: bytes) -> None:
    await worker.bus.subscribe(ONE)
    channel = f"afterword:{name}:thread:1"
    assert await admin.publish(channel, junk) == 1
    assert await admin.publish(f"afterword:{name}:worker:one", junk) == 1
    publish(worker, ONE, posted(1))
    await eventually(lambda: worker.heard == [(ONE, EPOCH, posted(1))])


async def test_fields_of_a_later_release_are_ignored(worker: Worker, admin: Redis, name: str) -> None:
    await worker.bus.subscribe(ONE)
    payload = b'{"type":"changes","from":0,"to":1,"count":0,"comments":[],"later":[1]}'
    await admin.publish(f"afterword:{name}:thread:1", b"e.1\n" + payload)
    await eventually(lambda: worker.heard == [(ONE, EPOCH, Run(0, 1, 0))])


async def test_a_killed_subscriber_comes_back_and_somebody_looks(
    worker: Worker, other: Worker, admin: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await other.bus.subscribe(ONE)
    for round_ in range(1, 4):
        looks = other.looks
        await kill_subscribers(admin)
        await eventually(partial(looked, other, looks + 2))  # when it was lost, and when all is subscribed
        await eventually(lambda: other.bus.hearing)
        publish(worker, ONE, posted(round_))
        await eventually(heard_so_far(other, round_))
    assert "no hints from Redis, trying again" in caplog.text


async def test_what_is_subscribed_while_redis_is_away_comes_when_it_is_back(
    worker: Worker, admin: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "RETRY_SECONDS", 0.3)
    await kill_subscribers(admin)
    await eventually(lambda: not worker.bus.hearing)
    await worker.bus.subscribe(ONE)
    assert worker.bus.hearing
    publish(worker, ONE, posted(1))
    await eventually(lambda: worker.heard)


async def test_a_frozen_redis_is_noticed_and_left(
    worker: Worker, admin: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await worker.bus.subscribe(ONE)
    process = (await admin.info("server"))["process_id"]
    looks = worker.looks
    os.kill(process, signal.SIGSTOP)
    try:
        await eventually(lambda: not worker.bus.hearing)
        await eventually(lambda: worker.looks > looks)
        publish(worker, ONE, posted(1))  # nobody hears it, and nothing waits for it
    finally:
        os.kill(process, signal.SIGCONT)
    assert "nothing heard" in str([vars(record).get("cause") for record in caplog.records])
    await eventually(lambda: worker.bus.hearing)
    looks = worker.looks
    publish(worker, ONE, posted(2))
    await eventually(lambda: posted(2) in [run for _, _, run in worker.heard])


def test_silence_is_noticed_within_six_seconds() -> None:
    assert bus.HEARTBEAT_SECONDS < bus.DEAF_SECONDS / 2
    assert bus.DEAF_SECONDS + bus.RETRY_SECONDS <= 6


async def test_without_redis_it_goes_on_trying(name: str, hasty: None, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(AWAY, name, "one")
    async with worker.running() as task:
        publish(worker, ONE, posted(1))
        await eventually(lambda: worker.looks >= 3)
        assert not worker.bus.hearing
        assert not task.done()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await worker.bus.subscribe(ONE)
        await eventually(lambda: not worker.bus._outbox)


def waiting(worker: Worker) -> int:
    """The bytes of hints that wait for Redis."""
    return sum(len(data) for _, data in worker.bus._outbox)


async def test_hints_that_wait_for_redis_are_bounded_and_the_oldest_go(
    redis_url: str, name: str, other: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bus.QUEUE == 8 * 1024 * 1024
    monkeypatch.setattr(bus, "QUEUE", 100_000)
    await other.bus.subscribe(ONE)
    worker = Worker(redis_url, name, "one")
    for version in range(1, 101):
        publish(worker, ONE, posted(version, 3000))
        assert waiting(worker) <= bus.QUEUE
    assert waiting(worker) > bus.QUEUE - 4000, "no more than the oldest"
    left = len(worker.bus._outbox)
    async with worker.running():
        await eventually(lambda: other.heard and other.heard[-1][2].to == 100)
        assert waiting(worker) == worker.bus._waiting == 0
    assert [run.to for _, _, run in other.heard] == list(range(101 - left, 101))


async def test_a_hint_larger_than_all_that_may_wait_takes_nothing_else_along_later(
    redis_url: str, name: str, other: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "QUEUE", 10_000)
    await other.bus.subscribe(ONE)
    worker = Worker(redis_url, name, "one")
    publish(worker, ONE, posted(1, 10_000))
    assert waiting(worker) == 0
    publish(worker, ONE, posted(2))
    async with worker.running():
        await eventually(lambda: other.heard == [(ONE, EPOCH, posted(2))])


async def test_a_mistake_of_ours_is_loud(worker: Worker) -> None:
    def fail(*_anything: object) -> None:
        raise ZeroDivisionError

    subject = Worker(AWAY, "x", "y")
    with pytest.raises(ExceptionGroup) as group:
        await subject.bus.run(fail, fail)
    assert group.group_contains(ZeroDivisionError)
    await subject.redis.aclose()


async def test_a_cancellation_that_someone_swallowed_is_heeded() -> None:
    async def swallow() -> None:
        bus.heed_cancellation()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        bus.heed_cancellation()

    task = asyncio.create_task(swallow())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_busy_bus_ends_when_it_is_told_to(redis_url: str, name: str, hasty: None) -> None:
    for _ in range(30):
        worker = Worker(redis_url, name, "one")
        async with asyncio.timeout(PATIENCE), worker.running():
            await worker.bus.subscribe(ONE)
            for version in range(1, 20):
                publish(worker, ONE, posted(version))
                await asyncio.sleep(0)


async def test_a_call_reaches_every_other_worker_that_asked_for_it_and_nobody_else(redis_url: str, name: str) -> None:
    caller, listener, deaf = (Worker(redis_url, name, each) for each in ("one", "two", "three"))
    stranger = Worker(redis_url, f"not-{name}", "four")
    calls: list[str] = []
    for worker in (listener, stranger):
        worker.bus.on("bans", partial(calls.append, "elsewhere" if worker is stranger else "here"))
        worker.bus.on("others", partial(calls.append, "others"))
    async with contextlib.AsyncExitStack() as stack:
        for worker in (caller, listener, deaf, stranger):
            await stack.enter_async_context(worker.running())
            await eventually(partial(getattr, worker, "looks"))  # every subscription is confirmed
        caller.bus.call("bans")
        await eventually(lambda: calls)
        stranger.bus.call("bans")
        await eventually(lambda: len(calls) == 2)
        assert calls == ["here", "elsewhere"]
