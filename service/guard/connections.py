"""How many sockets and streams are open: of one address on all workers, and in this worker.

Also how often an address connects to this worker, where what is open is limited at all.

What this worker holds it knows by itself, and tells Redis as a whole number, never as one more or one less: what was
lost on the way is right again with the next telling. A worker that was killed stops beating, and its numbers with it.
"""

import asyncio
import contextlib
import itertools
import logging
import resource
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service import roster
from service.errors import TooMany, WorkerFull
from service.guard.memory import Memory
from service.guard.pace import Pace
from service.roster import BELIEVED_SECONDS

HANDSHAKES = 10  # a minute, for each connection that an address may have open, in this worker
LOCAL = 10_000  # addresses whose pace is remembered
RETRY_SECONDS = 5.0  # what who is refused is told to wait
AGAIN_SECONDS = 1.0  # between two tries while Redis is away
REMIND_SECONDS = 60.0  # between two tellings of all that is open: Redis may have lost it
LASTING_SECONDS = 150  # for which Redis remembers an address that nobody tells of
BATCH = 256  # addresses in one call
RESERVE = 256  # file descriptors that are kept for everything else: stores, pages, who is about to be refused
SPARE = 64  # of these, which no connection takes: the stores' and the files'
UNLIMITED = 10_240  # file descriptors, where the system names no number (macOS) and takes no more than this

log = logging.getLogger(__name__)
_SCRIPT = Path(__file__).with_suffix(".lua").read_text("utf-8")


class Connections:
    """Holds a slot for each open connection. `per_address`: 0 for no limit, and Redis is not asked."""

    def __init__(self, redis: Redis, site: str, worker: str, per_address: int, per_worker: int) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._workers, self._member = roster.workers(site), roster.member(site, worker)
        self._prefix = f"afterword:{{{site}}}:connections"
        self._per_address = per_address
        self._per_worker = per_worker
        self._count = 0
        self._paces: Memory[str, Pace] = Memory(LOCAL)
        self._open: Counter[str] = Counter()  # by visitor, with those who wait for an answer
        self._asking: dict[str, list[asyncio.Future[bool]]] = {}
        self._untold: set[str] = set()
        self._news = asyncio.Event()

    async def take(self, visitor: str) -> None:
        """Count a connection of `visitor` from now on, until `release`. Raises `WorkerFull` and `TooMany`."""
        if self._count >= self._per_worker:
            raise WorkerFull(retry_after=RETRY_SECONDS)
        self._count += 1
        self._open[visitor] += 1
        try:
            if self._per_address:
                if not await self._allowed(visitor):
                    raise TooMany(retry_after=RETRY_SECONDS)
                if wait := self._pace(visitor).wait(asyncio.get_running_loop().time()):
                    raise TooMany(retry_after=wait)
        except BaseException:
            self.release(visitor)
            raise

    def release(self, visitor: str) -> None:
        """Count a connection of `visitor` no longer."""
        self._count -= 1
        self._open[visitor] -= 1
        if not self._open[visitor]:
            del self._open[visitor]
        if self._per_address:
            self._untold.add(visitor)
            self._news.set()

    @contextlib.asynccontextmanager
    async def slot(self, visitor: str) -> AsyncIterator[None]:
        """Count a connection of `visitor` while inside. Raises as `take` does."""
        await self.take(visitor)
        try:
            yield
        finally:
            self.release(visitor)

    async def run(self) -> None:
        """Tell Redis what is open here, and answer who asks, until cancelled."""
        if not self._per_address:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell())
            tasks.create_task(self._remind())

    def _pace(self, visitor: str) -> Pace:
        """How fast an address comes: only who found a slot counts, so that to wait for one costs nothing."""
        burst = HANDSHAKES * self._per_address
        return self._paces.recall(visitor, lambda: Pace(60 / burst, burst))

    async def _allowed(self, visitor: str) -> bool:
        if self._open[visitor] > self._per_address:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asking.setdefault(visitor, []).append(answer)
        self._news.set()
        return await answer

    async def _tell(self) -> None:
        """One call at a time, so that no number overtakes a later one."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not (batch := self._batch()):
                continue
            granted = await self._exchange({visitor: len(answers) for visitor, answers in batch.items()})
            for answers, number in zip(batch.values(), granted, strict=True):
                for place, answer in enumerate(answers):
                    if not answer.done():  # else who asked is gone, and Redis is told so
                        answer.set_result(place < number)

    async def _exchange(self, asked: dict[str, int]) -> list[int]:
        """How many of those who ask may open a connection; while Redis is away, all whom this worker let ask."""
        numbers = [number for visitor, more in asked.items() for number in (self._open[visitor] - more, more)]
        try:
            granted: list[int] = await self._script(
                keys=[self._workers, *(f"{self._prefix}:{visitor}" for visitor in asked)],
                args=[self._member, BELIEVED_SECONDS, LASTING_SECONDS, self._per_address, *numbers],
            )
        except (RedisError, OSError):
            self._untold.update(asked)
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._news.set)
            return list(asked.values())
        if self._untold:
            self._news.set()
        return granted

    def _batch(self) -> dict[str, list[asyncio.Future[bool]]]:
        """The next addresses to tell of, with who waits for an answer: these first."""
        batch: dict[str, list[asyncio.Future[bool]]] = {}
        for visitor in tuple(itertools.islice(itertools.chain(self._asking, self._untold), BATCH)):
            batch.setdefault(visitor, self._asking.pop(visitor, []))
            self._untold.discard(visitor)
        if self._asking:
            self._news.set()
        return batch

    async def _remind(self) -> None:
        while True:
            await asyncio.sleep(REMIND_SECONDS)
            self._untold.update(self._open)
            self._news.set()


def capacity(wanted: int) -> int:
    """How many connections this worker may hold: `wanted`, or (0) what its file descriptors allow; it takes all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = UNLIMITED if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    allowed = max(most - RESERVE, most // 2)
    return min(wanted or allowed, allowed)


def keep_spare(server: web.Server) -> None:
    """From now on, cut off who connects where that takes one of the last file descriptors.

    The kernel gives the lowest free number (open(2)): a high one tells how many are in use, whatever for.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = most - min(SPARE, most // 4)
    meet, warned = server.connection_made, False

    def connection_made(handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        nonlocal warned
        meet(handler, transport)
        if transport.get_extra_info("socket").fileno() >= last:
            transport.abort()
            if not warned:
                log.warning("file descriptors are used up, who connects is cut off")
            warned = True

    server.connection_made = connection_made  # type: ignore[method-assign]
