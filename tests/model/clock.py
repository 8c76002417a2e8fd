"""Time that passes only when nothing else is left to do, so that hours of waiting take a moment and repeat exactly."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
TICK = 1e-7  # seconds that looking at the clock takes: no two looks are at the same time, as on a real one


class Clock:
    """The clock of a model; it stands in for the module `time` too. `cost`: seconds that one write to a line takes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cost = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        self.now += TICK
        return self.now


class Loop(asyncio.SelectorEventLoop):
    """An event loop by that clock: where it would sleep, the clock moves on instead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Instant(clock))

    def time(self) -> float:
        """The loop's time is the clock's."""
        return self._clock.now

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something, and all that follows from it at once."""
        result = self.run_until_complete(work)
        self.wait(1e-6)
        return result

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run_until_complete(asyncio.sleep(seconds))

    def end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Cancel what still runs, and close."""
        for task in tasks:
            task.cancel()
        self.wait(1e-6)
        self.close()


class _Instant(selectors.SelectSelector):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for ever"
        self._clock.now += max(0.0, timeout)
        return []
