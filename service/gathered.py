"""One question for all who ask at the same time: while it is under way, the next ones are gathered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 32  # asked together: each may hold all that one socket has said, and Redis answers one call at a time


class Gathered(Generic[Q, A]):
    """Asks `ask` many questions at once, which answers each in its order, or raises for all of them.

    `pause`: seconds for which all that come are gathered first.
    """

    def __init__(self, ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], *, pause: float = 0.0) -> None:
        self._ask = ask
        self._pause = pause
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._working: asyncio.Task[None] | None = None

    async def get(self, question: Q) -> A:
        """The answer to a question. Raises what `ask` raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if self._working is None:
            self._working = loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._pause:
                    await asyncio.sleep(self._pause)
                waiting, self._waiting = self._waiting, []
                for begin in range(0, len(waiting), MOST):
                    await self._settle(waiting[begin : begin + MOST])
        finally:
            self._working = None

    async def _settle(self, batch: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._ask([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is raised where somebody asked
            for _, answer in batch:
                if not answer.done():  # else who asked is gone
                    answer.set_exception(error)
            return
        for (_, answer), given in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(given)
