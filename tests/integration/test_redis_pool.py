"""Tasks that talk to Redis end when they are cancelled, at whatever moment."""

import asyncio
import random
import secrets

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as GoneError

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


@pytest.mark.parametrize("end", [None, GoneError()], ids=["sent", "failed"])
async def test_a_cancellation_that_is_swallowed_while_sending_ends_task_and_connection(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, end: Exception | None
) -> None:
    connection = redis_pool.make(redis_url).make_connection()  # type: ignore[no-untyped-call]
    await connection.connect()

    async def send(*_: object) -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if end:
                raise end from None

    monkeypatch.setattr(AbstractConnection, "send_packed_command", send)
    task = asyncio.create_task(connection.send_packed_command(b"PING"))
    await asyncio.wait([task])
    assert task.cancelled()
    assert not connection.is_connected, "the next to use it would get the answer"
