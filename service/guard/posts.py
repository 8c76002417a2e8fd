"""What is posted, how fast and how like what was said before: judged in Redis, all that comes together in one call.

An act that was let through leaves a mark for an hour: while that lasts, it costs nothing again, and what it said is
compared. Every key has the site's hash tag, so all of them lie in one slot of a cluster.
"""

import itertools
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.errors import Alike, Duplicate, Refusal, TooFast
from service.guard.memory import Memory
from service.guard.pace import Pace
from service.likeness import Likeness

LASTING_SECONDS = 3600
OWN, OTHERS = 32, 128  # texts with which one is compared: the address's last ones anywhere, the thread's by anybody
LOCAL, LOCAL_TEXTS = 10_000, 1_000  # acts and paces, and lists of texts, remembered in this worker

_SCRIPT = Path(__file__).with_suffix(".lua").read_text("utf-8")


class Rates(NamedTuple):
    """Posts a minute of an address, in a thread and on the site; 0 for no limit."""

    address: int
    thread: int
    site: int

    @classmethod
    def of(cls, address: int, thread: int | None, site: int | None) -> Self:
        """What is set: 100 and 1,000 times the address's where nothing is; without that one, there is none at all."""
        return cls(
            address,
            (100 * address if thread is None else thread) if address else 0,
            (1_000 * address if site is None else site) if address else 0,
        )


class Post(NamedTuple):
    """One act: its op tag, what it costs (one plain comment is 1), and what it says."""

    op: UUID
    cost: int
    likeness: Likeness


class Burst(NamedTuple):
    """What one visitor posts together in a thread. `slow`: seconds between two posts of one address there."""

    visitor: str
    thread: int
    slow: int
    posts: Sequence[Post]


class Posts:
    """The posts of a site. Where addresses are not limited, nothing is, but by a thread's own `slow`."""

    def __init__(self, redis: Redis, site: str, rates: Rates) -> None:
        self._redis = redis
        self._prefix = f"afterword:{{{site}}}:posts"
        self._script = redis.register_script(_SCRIPT)
        self._rates = [(60_000 / rate if rate else 0.0, rate) for rate in rates]
        self._local = _Local(rates)
        self.off = not rates.address

    async def judge(self, bursts: Sequence[Burst]) -> list[list[Refusal | None]]:
        """Let in what may come, in its order; for the others `TooFast` or `Duplicate`."""
        named: list[str | bytes] = [f"{self._prefix}:rate"]
        args: list[str | bytes | float] = [number for rate in self._rates for number in rate]
        args += [OWN, OTHERS, LASTING_SECONDS * 1000, self._act(b"")]
        for visitor, thread, slow, posts in bursts:
            own, all_ = f"of:{visitor}", f"in:{thread}"
            keys = [f"rate:{own}", f"rate:{all_}", f"slow:{visitor}:{thread}"]
            keys += [f"runs:{own}", f"acts:{own}", f"runs:{all_}", f"acts:{all_}"]
            named += [f"{self._prefix}:{key}" for key in keys]
            args += [len(posts), slow * 1000, visitor]
            for op, cost, (same, sketch, enough) in posts:
                named += [self._act(op.bytes), f"{self._prefix}:same:{same.hex()}"]
                args += [cost, op.bytes, b"".join(sketch), enough]
        try:
            answers: Iterable[float] = await self._script(keys=named, args=args)
        except (RedisError, OSError):
            answers = [self._local.judge(burst, post) for burst in bursts for post in burst.posts]
        refusals = map(_refusal, answers)
        return [list(itertools.islice(refusals, len(burst.posts))) for burst in bursts]

    async def forget(self, op: UUID) -> None:
        """Compare nothing with this act any more: its comment was retracted."""
        self._local.forget(op)
        try:
            await self._redis.delete(self._act(op.bytes))
        except (RedisError, OSError):
            return  # what is known there goes within the hour

    def _act(self, op: bytes) -> bytes:
        return f"{self._prefix}:act:".encode() + op


def _refusal(answer: float) -> Refusal | None:
    """`answer`: ms to wait, or why there is no use in waiting, as the script tells it."""
    if answer < 0:
        return Duplicate() if answer == _SAME else Alike()
    return TooFast(retry_after=answer / 1000) if answer else None


_SAME, _ALIKE = -1, -2


class _Local:
    """The same rules in memory, by this machine's clock."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._paces: Memory[str, Pace] = Memory(LOCAL)
        self._last: Memory[tuple[str, int], float] = Memory(LOCAL)
        self._acts: Memory[UUID, tuple[str, float]] = Memory(LOCAL)
        self._same: Memory[bytes, UUID] = Memory(LOCAL)
        self._said: Memory[str, deque[tuple[UUID, tuple[bytes, ...]]]] = Memory(LOCAL_TEXTS)

    def judge(self, burst: Burst, post: Post) -> float:
        """As the script answers for one post."""
        visitor, thread, slow, _ = burst
        now = time.monotonic()
        mark = self._acts.get(post.op)
        if mark and mark[0] == visitor:
            return 0
        said = [self._scope(f"of:{visitor}", OWN), self._scope(f"in:{thread}", OTHERS)]
        if self._rates.address:
            same = self._same.get(post.likeness.same)
            if same and self._stands(same, now):
                return _SAME
            if any(self._alike(texts, post.likeness, now) for texts in said):
                return _ALIKE
        names = (f"of:{visitor}", f"in:{thread}", "")
        paces = [self._pace(name, rate) for name, rate in zip(names, self._rates, strict=True) if rate]
        here = (visitor, thread)
        left = [pace.left(now, post.cost) for pace in paces]
        if slow and (last := self._last.get(here)) is not None:
            left.append(last + slow - now)
        if (wait := max(left, default=0)) > 0:
            return wait * 1000
        for pace in paces:
            pace.count(now, post.cost)
        if slow:
            self._last.keep(here, now)
        self._acts.keep(post.op, (visitor, now))
        self._same.keep(post.likeness.same, post.op)
        for texts in said:
            texts.append((post.op, post.likeness.sketch))
        return 0

    def forget(self, op: UUID) -> None:
        """As above."""
        self._acts.forget(op)

    def _pace(self, name: str, rate: int) -> Pace:
        return self._paces.recall(name, lambda: Pace(60 / rate, rate))

    def _scope(self, name: str, most: int) -> deque[tuple[UUID, tuple[bytes, ...]]]:
        return self._said.recall(name, lambda: deque(maxlen=most))

    def _stands(self, op: UUID, now: float) -> bool:
        mark = self._acts.get(op)
        return mark is not None and now - mark[1] < LASTING_SECONDS

    def _alike(self, texts: deque[tuple[UUID, tuple[bytes, ...]]], given: Likeness, now: float) -> bool:
        runs = set(given.sketch)
        return bool(runs) and any(
            len(runs.intersection(sketch)) >= given.enough and self._stands(op, now) for op, sketch in texts
        )
