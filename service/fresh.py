"""A value read from the store at most every so often, once for all who ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from service.errors import Unavailable

PATIENCE = 1.0  # seconds that a look may take where there is an older value to give

T = TypeVar("T")


class Seen(NamedTuple, Generic[T]):
    """A value, and whether it is old because the store is away."""

    value: T
    stale: bool


class Fresh(Generic[T]):
    """What `read()` brought, begun at most `seconds` ago; while the store is away an older value, marked stale."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._begun = float("-inf")
        self._seen: Seen[T] | None = None

    async def get(self, *, now: bool = False) -> Seen[T]:
        """The value; `now`: of a read that begins after this call. Raises what `read` raises.

        An equal value stays the same object, so that what was made of it can be kept.
        """
        wanted = time.monotonic() - (0 if now else self._seconds)  # uvloop's own clock stands still within a turn
        if self._seen and self._begun >= wanted:
            return self._seen
        async with self._lock:
            if self._seen is None or self._begun < wanted:
                begun = time.monotonic()
                self._seen = await self._look(self._seen)
                self._begun = time.monotonic() if self._seen.stale else begun  # who waited for a failure has waited
            return self._seen

    async def _look(self, before: Seen[T] | None) -> Seen[T]:
        try:
            async with asyncio.timeout(PATIENCE if before else None):
                value = await self._read()
        except (Unavailable, TimeoutError):
            if before is None:
                raise
            return Seen(before.value, stale=True)
        return Seen(before.value if before and before.value == value else value, stale=False)
