"""What a machine can run out of, and a clock that is set back."""

import asyncio
import resource
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
    """A worker can open nothing any more: idle connections took its last descriptor, and its hints are cut, too."""
    site = trial.setting.site
    victim = trial.random.choice(await site.workers())
    usual = resource.prlimit(victim, resource.RLIMIT_NOFILE)
    used = {int(entry.name) for entry in Path(f"/proc/{victim}/fd").iterdir()}
    free = next(number for number in range(len(used) + 1) if number not in used)
    resource.prlimit(victim, resource.RLIMIT_NOFILE, (free, usual[1]))
    host, port = site.url.removeprefix("http://").split(":")
    idle = await asyncio.gather(*(asyncio.open_connection(host, port) for _ in range(IDLE)))
    try:
        async with trial.setting.stores.redis as client:
            await client.client_kill_filter(_type="pubsub")
        await trial.crowd.flow(trial.crowd.batch)
        await trial.crowd.last(trial.spell(8, 1))
    finally:
        resource.prlimit(victim, resource.RLIMIT_NOFILE, usual)
        for _, writer in idle:
            writer.transport.abort()


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
