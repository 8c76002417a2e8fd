"""The filters in force, as this worker knows them: what is posted goes through them."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from service.errors import Filtered, NotFound
from service.filters.matcher import Matcher, met, verdict
from service.level import Level
from service.protocol import ThreadId
from service.store.filters import Filter, Filters, Rule, Written

TRIED = 1_000  # comments on which a rule is tried out
TRIAL_SECONDS = 5.0  # after which a trial ends with what it has looked at
SHOWN = 10  # of the comments that a rule would have met


class Trial(NamedTuple):
    """What a rule would have done: of how many comments, to how many, and the latest of those."""

    rule: Rule
    looked: int
    met: int
    shown: Sequence[Written]


class Sieve(Level[Matcher]):
    """What the filters say of comments."""

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        self._filters = filters

    async def empty(self) -> bool:
        """Whether there is no filter. Raises `Unavailable` where nothing was ever read."""
        return not (await self.known()).filters

    async def judge(self, thread: ThreadId, texts: Sequence[str], address: bytes | None) -> list[Filtered | str | None]:
        """For each text of one visitor in one thread: refused, held (by which filter), or let through.

        The store is asked only where that depends on the place or on the author. Raises `Unavailable`.
        """
        matcher, fitting = await self.known(), []
        for text in texts:
            fitting.append(matcher.fitting(text))
            await asyncio.sleep(0)  # one long text at a time holds up the others on this worker
        if not any(each.filters for each in fitting):
            return [None] * len(texts)
        place = await self._filters.place(thread, address)
        if place is None:
            raise NotFound
        return [verdict(each, place) for each in fitting]

    async def tried(self, rule: Rule) -> Trial:
        """What a rule alone would have done to the last comments where it holds. Raises `Unavailable`."""
        matcher, looked, found = Matcher([Filter(0, rule)]), 0, list[Written]()
        latest, clock = await self._filters.latest(rule, TRIED), asyncio.get_running_loop().time
        end = clock() + TRIAL_SECONDS
        for looked, written in enumerate(latest, 1):  # noqa: B007
            if met(matcher.fitting(written.text), written.place):
                found.append(written)
            if clock() > end:
                break
            await asyncio.sleep(0)  # others on this worker have their turn after each
        return Trial(rule, looked, len(found), found[:SHOWN])

    async def _look(self) -> Matcher:
        filters = await self._filters.in_force()
        return self._value if self._value and self._value.filters == filters else Matcher(filters)
