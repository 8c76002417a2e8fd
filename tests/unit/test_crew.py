"""Replacing workers: one after the other, and not more often than anybody can have wanted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from service import crew
from tests.site import eventually


class Double(crew.Worker):
    """A worker whose successor serves, or does not, when the test says so."""

    def __init__(self) -> None:
        self.rounds = 0
        self.successor: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def replace(self) -> None:
        """Count, and wait for what the test says."""
        self.rounds += 1
        await self.successor


@contextlib.asynccontextmanager
async def replacing(workers: list[Double], asked: asyncio.Event) -> AsyncIterator[None]:
    """Heed what is asked."""
    task = asyncio.create_task(crew.replace(workers, asked))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_asking_often_during_a_replacement_is_one_more() -> None:
    asked, workers = asyncio.Event(), [Double(), Double()]
    async with replacing(workers, asked):
        asked.set()
        await eventually(lambda: workers[0].rounds == 1)
        assert workers[1].rounds == 0
        for _ in range(3):
            asked.set()
        for worker in workers:
            worker.successor.set_result(None)
        await eventually(lambda: workers[1].rounds == 2)
        for _ in range(10):
            await asyncio.sleep(0)
        assert [worker.rounds for worker in workers] == [2, 2]


async def test_a_successor_that_does_not_serve_ends_the_replacement(caplog: pytest.LogCaptureFixture) -> None:
    asked, workers = asyncio.Event(), [Double(), Double(), Double()]
    workers[0].successor.set_result(None)
    workers[1].successor.set_exception(TimeoutError())
    async with replacing(workers, asked):
        asked.set()
        await eventually(lambda: len(caplog.messages) == 2)
        assert caplog.messages == ["worker 1 is replaced", "worker 2 stays: its successor does not serve (in time)"]
        assert [worker.rounds for worker in workers] == [1, 1, 0]
