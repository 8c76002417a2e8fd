"""Hints between workers over Redis pub/sub: what was just committed, so that others need not ask the store.

A hint may be lost, late or doubled: the ledgers notice and the store mends. One supervised connection a worker listens;
it talks to itself every second, so that a connection which looks alive but brings nothing is noticed and replaced.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from service import protocol, redis_pool
from service.protocol import Epoch, ThreadId
from service.run import Run

QUEUE = 8 * 1024 * 1024  # bytes of hints waiting for Redis; beyond it the oldest are dropped
BURST = 64  # hints sent at once
HEARTBEAT_SECONDS = 1.0
DEAF_SECONDS = 5.0  # nothing heard for so long, not even the own heartbeat: a new connection
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)
Heard = Callable[[ThreadId, Epoch, Run], None]


class Bus:
    """The only user of pub/sub. `site` and `worker` name its channels."""

    def __init__(self, redis: Redis, url: str, site: str, worker: str) -> None:
        self._redis = redis
        self._pool = redis_pool.make(
            url, protocol=2, socket_connect_timeout=2, socket_timeout=2, health_check_interval=0
        )
        self._prefix = f"afterword:{site}:".encode()
        self._own = self._prefix + b"worker:" + worker.encode()
        self._confirmed: dict[bytes, asyncio.Event] = {self._own: asyncio.Event()}
        self._renew: dict[bytes, Callable[[], None]] = {}
        self._asks: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._outbox: deque[tuple[bytes, bytes]] = deque()
        self._waiting = 0
        self._queued = asyncio.Event()
        self._connection: AbstractConnection | None = None

    @property
    def hearing(self) -> bool:
        """Whether hints arrive, as far as one can tell."""
        return self._connection is not None and self._confirmed[self._own].is_set()

    async def subscribe(self, thread: ThreadId) -> None:
        """Ask for a thread's hints, and return when Redis has confirmed that they come."""
        channel = self._channel(thread)
        event = self._confirmed.get(channel)
        if event is None:
            event = self._confirmed[channel] = asyncio.Event()
            self._asks.put_nowait(("SUBSCRIBE", channel))
        await event.wait()

    def unsubscribe(self, thread: ThreadId) -> None:
        """Ask no longer for a thread's hints."""
        channel = self._channel(thread)
        if self._confirmed.pop(channel, None):
            self._asks.put_nowait(("UNSUBSCRIBE", channel))

    def publish(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Tell the other workers of a run; never waits."""
        self._put(self._channel(thread), b"%b\n%b" % (epoch.encode(), protocol.encode(run.message())))

    def call(self, noun: str) -> None:
        """Tell all workers that something of the whole site is to be read anew; never waits."""
        self._put(self._prefix + noun.encode(), b"")

    def on(self, noun: str, renew: Callable[[], None]) -> None:
        """Have `renew` called when a worker calls so; to be asked for before `run`."""
        channel = self._prefix + noun.encode()
        self._renew[channel] = renew
        self._confirmed[channel] = asyncio.Event()

    async def run(self, heard: Heard, check: Callable[[], None]) -> None:
        """Listen and publish until cancelled; `check` is called whenever something may have been missed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(heard, check))
            tasks.create_task(self._ask())
            tasks.create_task(self._send())
            tasks.create_task(self._beat())

    async def _listen(self, heard: Heard, check: Callable[[], None]) -> None:
        while True:
            connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.connect()  # type: ignore[no-untyped-call]
                await self._hear(connection, heard, check)
            except (RedisError, OSError) as error:
                log.warning("no hints from Redis, trying again", extra={"cause": repr(error)})
            finally:
                self._connection = None
                with contextlib.suppress(RedisError, OSError):
                    await connection.disconnect(nowait=True)
            heed_cancellation()
            check()
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, connection: AbstractConnection, heard: Heard, check: Callable[[], None]) -> None:
        """Subscribe to everything, then pass on what comes. Raises when the connection ends or falls silent."""
        for event in self._confirmed.values():
            event.clear()
        self._connection, missing = connection, set(self._confirmed)
        await connection.send_command("SUBSCRIBE", *missing, check_health=False)
        heed_cancellation()
        while True:
            response = await connection.read_response(timeout=DEAF_SECONDS)
            if response is None:  # redis-py's word for a timeout
                raise TimeoutError("nothing heard, not even the own heartbeat")
            kind, channel, data = response
            if kind == b"subscribe":
                if confirmed := self._confirmed.get(channel):
                    confirmed.set()
                if channel in missing:
                    missing.remove(channel)
                    if not missing:
                        check()  # whatever was published while nobody listened
            elif kind == b"message" and channel in self._renew:
                self._renew[channel]()
            elif kind == b"message" and channel != self._own:
                self._pass_on(channel, data, heard)

    def _pass_on(self, channel: bytes, data: bytes, heard: Heard) -> None:
        try:
            thread = ThreadId(int(channel.rsplit(b":", 1)[1]))
            epoch, payload = data.split(b"\n", 1)
            hint = thread, Epoch(epoch.decode()), Run.read(payload)
        except (ValueError, RecursionError):  # msgspec's DecodeError is a ValueError
            log.warning("a hint that can't be read")
        else:
            heard(*hint)

    async def _ask(self) -> None:
        while True:
            command, channel = await self._asks.get()
            if self._connection:
                with contextlib.suppress(RedisError, OSError):  # the listener notices, and subscribes to everything
                    await self._connection.send_command(command, channel, check_health=False)
                heed_cancellation()

    async def _send(self) -> None:
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._outbox:
                pipeline = self._redis.pipeline(transaction=False)
                for _ in range(min(BURST, len(self._outbox))):
                    pipeline.publish(*self._take())
                with contextlib.suppress(RedisError, OSError):  # they were hints: the versions tell
                    await pipeline.execute()
                heed_cancellation()

    async def _beat(self) -> None:
        while True:
            self._put(self._own, b"")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _put(self, channel: bytes, data: bytes) -> None:
        self._outbox.append((channel, data))
        self._waiting += len(data)
        while self._waiting > QUEUE:
            self._take()
        self._queued.set()

    def _take(self) -> tuple[bytes, bytes]:
        channel, data = self._outbox.popleft()
        self._waiting -= len(data)
        return channel, data

    def _channel(self, thread: ThreadId) -> bytes:
        return b"%sthread:%d" % (self._prefix, thread)


def heed_cancellation() -> None:
    """Raise the cancellation that came just as Redis answered; every loop that talks to it asks this.

    redis-py writes under `asyncio.wait_for`, which swallows it before Python 3.12 (CPython issue 86296): the loop would
    go on for ever, and whoever waits for its end with it.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
