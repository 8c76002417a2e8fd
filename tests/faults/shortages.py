"""What a machine can run out of, and a clock that is set back."""

import contextlib
import itertools
import resource
from collections.abc import Iterator
from pathlib import Path

from tests.faults.trial import NotHereError, Trial
from tests.site import eventually

BACK = 40 * 60  # seconds: over the hour by which a form is known again, as often as not
IDLE = 40  # connections that do nothing


async def disk_full(trial: Trial) -> None:
    """Postgres can't write any more; posts are refused as unavailable, until there is room again."""
    here = trial.crowd
    refused = here.acts.unavailable
    with here.long():
        async with trial.setting.stores.full_disk():
            await eventually(lambda: here.acts.unavailable > refused, 30)
            await here.last(trial.spell(5, 0.5))


async def descriptors_used_up(trial: Trial) -> None:
    """A worker can open nothing any more, whoever connects to it, and its hints are cut, too: it goes on."""
    site = trial.setting.site
    victim = trial.random.choice(await site.workers())
    async with contextlib.AsyncExitStack() as held:
        held.enter_context(no_descriptors(victim))
        async with trial.setting.stores.redis as client:
            await client.client_kill_filter(_type="pubsub")
        for _ in range(IDLE):  # before it listens again: one of them takes the descriptor that it would do that with
            _, writer = await site.dial()
            held.callback(writer.close)
        await trial.crowd.flow(trial.crowd.batch)
        await trial.crowd.last(trial.spell(8, 1))
    trial.expect(victim in await site.workers(), "the worker died of it")


@contextlib.contextmanager
def no_descriptors(pid: int) -> Iterator[None]:
    """Leave a process the file descriptors that it has, and no other, while inside."""
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    free = next(number for number in itertools.count() if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, usual[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # whether it lives is for others to say
            resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


async def clock_set_back(trial: Trial) -> None:
    """The wall clock of Postgres, Valkey and the workers is set back by forty minutes under load."""
    clock, here = trial.setting.clock, trial.crowd
    if clock is None:
        raise NotHereError("without a C compiler no clock can be made that is not the machine's")
    async with trial.setting.stores.sql() as session:
        now = await session.fetchval("SELECT clock_timestamp()")
        clock.set(-BACK)
        try:
            await here.flow(here.batch)
            again = await session.fetchval("SELECT clock_timestamp()")
        finally:
            clock.set(0)
    trial.expect(again < now, "the clock was not set back")
    await here.flow(here.batch)
