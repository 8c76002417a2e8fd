"""One fault on one thread: a crowd gathers, the fault strikes, everybody converges, and the verdict is found."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.crowd import Crowd, Size, crowd
from tests.faults.setting import EndedError, Setting, resident
from tests.faults.verdict import Row, judge

CONVERGE = 5.0  # seconds within which every reader has everything, once what was away can be reached again
LATEST = 40.0  # seconds for which it is watched whether they do so at all
GROWTH = 100  # MiB that all workers together may grow by
MEBI = 1024 * 1024


class NotHereError(Exception):
    """This fault can't be made on this machine; it says why."""


@dataclass(slots=True)
class Trial:
    """What a fault may lay hands on.

    `growth` is how many MiB all workers may grow by; what is entered on `stack` stays to the end.
    """

    setting: Setting
    crowd: Crowd
    random: Random
    short: bool
    stack: contextlib.AsyncExitStack
    growth: float = GROWTH
    seconds: float = 0.0
    complaints: list[str] = field(default_factory=list)

    def spell(self, full: float, short: float) -> float:
        """How long a fault lasts, in seconds."""
        return short if self.short else full

    def expect(self, holds: bool, sentence: str) -> None:
        """Complain unless something holds."""
        if not holds:
            self.complaints.append(sentence)

    async def converge(self) -> None:
        """Return when every reader has what stands now, which must be soon. `seconds` is the longest time it took."""
        clock = asyncio.get_running_loop().time
        begun, target = clock(), await self.version()
        there = await self.crowd.level(target, LATEST)
        took = clock() - begun
        self.seconds = max(self.seconds, took)
        self.expect(there, f"readers did not come to version {target}: {self.crowd.behind(target)}")
        self.expect(took < CONVERGE, f"it took {took:.1f} s to converge")

    async def version(self) -> int:
        """Where the thread stands in the database."""
        async with self.setting.stores.sql() as session:
            query = "SELECT version FROM threads JOIN articles USING (id) WHERE slug = $1"
            return int(await session.fetchval(query, self.crowd.slug))


Strike = Callable[[Trial], Awaitable[None]]


def slug(fault: str) -> str:
    """The thread on which a fault is tried."""
    return fault.replace(" ", "-")


async def attempt(name: str, strike: Strike, setting: Setting, size: Size, seed: str) -> Row:
    """Make the fault and judge what came of it. `strike` returns when everything can be reached again."""
    row = Row(name)
    random = Random(f"{seed} {name}")  # noqa: S311 - to be repeated
    async with (
        contextlib.AsyncExitStack() as stack,
        crowd(setting.site, slug(name), size, random) as here,
    ):
        trial = Trial(setting, here, random, size.short, stack)
        await _run(trial, strike, row)
        row.complaints += trial.complaints
    return row


async def _run(trial: Trial, strike: Strike, row: Row) -> None:
    here, workers = trial.crowd, trial.setting.site.workers
    before = resident(await workers())
    try:
        await strike(trial)
    except EndedError:
        trial.complaints.append("the supervisor ended, and the site with it")
        return
    except NotHereError as reason:
        row.skipped = str(reason)
        return
    except TimeoutError as error:
        trial.complaints.append(f"the fault could not run its course: {_place(error)}")
    await trial.converge()
    here.talking.set()
    with contextlib.suppress(TimeoutError):
        await here.flow(here.batch)
        await here.hush()
    trial.expect(not here.acts.pending, f"{len(here.acts.pending)} posts were never answered")
    await trial.converge()
    row.seconds = trial.seconds
    row.growth = (resident(await workers()) - before) / MEBI
    trial.expect(row.growth < trial.growth, f"the workers grew by {row.growth:.0f} MiB")
    await judge(trial.setting, here, row)


def _place(error: BaseException) -> str:
    """The line of a fault that waited in vain."""
    trace, places = error.__traceback__, []
    while trace:
        places.append(f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}")
        trace = trace.tb_next
    return next((place for place in reversed(places) if not place.startswith(("eventually", "__aexit__"))), "")
