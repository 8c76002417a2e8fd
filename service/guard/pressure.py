"""How much comes to each thread: what is let in there, what is refused, and what readers report.

Every worker counts what comes to it, and adds that in Redis once a second to what comes to others: numbers only, for a
second, and for a minute of which an hour is remembered. While Redis is away a worker knows what came to itself.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.guard.limits import LOCAL
from service.protocol import ThreadId

SECONDS = 10  # what is called recent
MINUTES = 60  # what is called usual
MOST = 3  # comments that one address counts as on a worker while it is recent: a surge is made by many


class Pressure:
    """The pressure on the threads of a site. `calm`: posts a minute that a thread takes, 0 for any number."""

    def __init__(self, redis: Redis, site: str, calm: int) -> None:
        self.most = calm * SECONDS / 60 if calm else math.inf
        """What a thread takes in ten seconds."""
        self._redis = redis
        self._prefix = f"afterword:{site}:pressure"
        self._new: Counter[ThreadId] = Counter()
        self._own: dict[ThreadId, Tally] = {}
        self._felt: Counter[tuple[ThreadId, str]] = Counter()
        self._felt_until = 0.0
        self._recent: dict[ThreadId, int] = {}

    def feel(self, thread: ThreadId, who: str, weight: int = 1) -> None:
        """Count what came to a thread from somebody, named by the hash for the limits, as so many comments."""
        now = time.monotonic()
        if now >= self._felt_until:
            self._felt.clear()
            self._felt_until = now + SECONDS
        if len(self._felt) < LOCAL:
            counted = min(weight, MOST - self._felt[thread, who])
            self._felt[thread, who] += counted
            self._new[thread] += counted

    def steps(self, thread: ThreadId) -> int:
        """How often what a thread takes is to be doubled until it is what came lately."""
        return int(self._recent.get(thread, 0) / self.most).bit_length()

    async def recent(self, threads: Iterable[ThreadId]) -> dict[ThreadId, int]:
        """What came in the last ten seconds to each of these threads, and to those where something new has come."""
        self._recent = await self._exchange(threads)
        return self._recent

    async def _exchange(self, threads: Iterable[ThreadId]) -> dict[ThreadId, int]:
        new, self._new = self._new, Counter()
        second, asked = int(time.time()), {*threads, *new}
        for thread in asked:
            self._own.setdefault(thread, Tally()).add(second, new[thread])
        for thread in [thread for thread, tally in self._own.items() if not tally.usual(second)]:
            del self._own[thread]
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for thread in asked:
                    if count := new[thread]:
                        for key, lasts in self._counts(thread, second).items():
                            pipe.incrby(key, count)
                            pipe.expire(key, lasts)
                    pipe.mget([self._second(thread, second - ago) for ago in range(SECONDS)])
                answers = [answer for answer in await pipe.execute() if isinstance(answer, list)]
        except (RedisError, OSError):
            return {thread: self._own[thread].recent(second) if thread in self._own else 0 for thread in asked}
        return {thread: _sum(counts) for thread, counts in zip(asked, answers, strict=True)}

    async def usual(self, thread: ThreadId) -> float:
        """What came in ten seconds to a thread on the average of the last hour, the last ten left out."""
        second = int(time.time())
        minutes = [self._minute(thread, second // 60 - ago) for ago in range(MINUTES)]
        seconds = [self._second(thread, second - ago) for ago in range(SECONDS)]
        try:
            counts = await self._redis.mget([*minutes, *seconds])
            before = _sum(counts[:MINUTES]) - _sum(counts[MINUTES:])
        except (RedisError, OSError):
            tally = self._own.get(thread, Tally())
            before = tally.usual(second) - tally.recent(second)
        return max(0, before) * SECONDS / (MINUTES * 60 - SECONDS)

    def _counts(self, thread: ThreadId, second: int) -> dict[str, int]:
        """The counters of now, and for how many seconds each is kept."""
        return {
            self._second(thread, second): SECONDS + 2,
            self._minute(thread, second // 60): (MINUTES + 1) * 60,
        }

    def _second(self, thread: ThreadId, second: int) -> str:
        return f"{self._prefix}:{{{thread}}}:{second}"

    def _minute(self, thread: ThreadId, minute: int) -> str:
        return f"{self._prefix}:{{{thread}}}:m{minute}"


class Tally:
    """The same counters in memory."""

    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}
        self._minutes: dict[int, int] = {}

    def add(self, second: int, count: int) -> None:
        """Count so many in a second."""
        for counts, unit in ((self._seconds, second), (self._minutes, second // 60)):
            if count:
                counts[unit] = counts.get(unit, 0) + count

    def recent(self, second: int) -> int:
        """What came in the ten seconds that end with this one."""
        self._seconds = {each: count for each, count in self._seconds.items() if second - SECONDS < each <= second}
        return sum(self._seconds.values())

    def usual(self, second: int) -> int:
        """What came in the hour that ends with this minute."""
        oldest = second // 60 - MINUTES
        self._minutes = {each: count for each, count in self._minutes.items() if oldest < each <= second // 60}
        return sum(self._minutes.values())


def _sum(counts: Sequence[bytes | str | None]) -> int:
    return sum(int(count or 0) for count in counts)
