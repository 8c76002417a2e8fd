"""Processes that die, freeze, or are replaced."""

import os
import signal

from tests.faults.author import SocketAuthor
from tests.faults.setting import replaced, serves
from tests.faults.trial import Trial
from tests.site import eventually

HOLD = "SELECT FROM threads JOIN articles USING (id) WHERE slug = $1 FOR UPDATE OF threads"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%post_comments%'"
LOCK = 2.5  # seconds, below those for which the service waits for a lock


async def worker_killed(trial: Trial) -> None:
    """A worker is killed, its readers come back to the others, and the supervisor starts another; three times."""
    site = trial.setting.site
    for _ in range(3):
        victim = trial.random.choice(await site.workers())
        os.kill(victim, signal.SIGKILL)
        await trial.converge()
        await replaced(site, {victim})


async def valkey_killed(trial: Trial) -> None:
    """Valkey is killed, and stays away while comments come and go on; then it is started again, empty."""
    valkey = trial.setting.stores.valkey
    os.kill(await trial.setting.stores.valkey_pid(), signal.SIGKILL)
    await valkey.wait()
    await trial.crowd.flow(trial.crowd.batch)
    await trial.converge()
    await valkey.start()


async def valkey_frozen(trial: Trial) -> None:
    """Valkey takes everything and answers nothing; comments go on."""
    victim = await trial.setting.stores.valkey_pid()
    os.kill(victim, signal.SIGSTOP)
    try:
        await trial.crowd.last(trial.spell(10, 3))
        await trial.crowd.flow(len(trial.crowd.authors))
        await trial.converge()
    finally:
        os.kill(victim, signal.SIGCONT)


async def postgres_restarted(trial: Trial) -> None:
    """Postgres is stopped in order, which ends every session, and is started again."""
    await trial.setting.stores.postgres.stop()
    await trial.crowd.last(trial.spell(5, 0.5))
    await trial.setting.stores.start_postgres()


async def postgres_killed(trial: Trial) -> None:
    """Postgres is killed in the middle of commits, and recovers when it is started again."""
    os.kill(trial.setting.stores.postmaster(), signal.SIGKILL)
    await trial.setting.stores.postgres.wait()
    await trial.crowd.last(trial.spell(5, 0.5))
    await trial.setting.stores.start_postgres()


async def worker_frozen(trial: Trial) -> None:
    """A worker freezes in mid batch, its commit unheard, while others post to the thread; then it goes on."""
    victim = await _freeze_in_mid_batch(trial)
    try:
        await trial.crowd.flow(trial.crowd.batch)
        await trial.crowd.last(trial.spell(25, 1))  # in full, its readers have noticed the silence
    finally:
        os.kill(victim, signal.SIGCONT)


async def frozen_worker_killed(trial: Trial) -> None:
    """The same, but it is killed while it is frozen: nobody was told of what it committed."""
    victim = await _freeze_in_mid_batch(trial)
    try:
        await trial.crowd.flow(trial.crowd.batch)
    finally:
        os.kill(victim, signal.SIGKILL)
    await trial.converge()
    await replaced(trial.setting.site, {victim})


async def workers_drained(trial: Trial) -> None:
    """Workers are told to leave, one after another: they say `bye`, finish what they have, and are started again."""
    site = trial.setting.site
    for victim in await site.workers():
        os.kill(victim, signal.SIGTERM)
        await replaced(site, {victim})
        await trial.converge()


async def workers_replaced(trial: Trial) -> None:
    """SIGHUP: the supervisor replaces all workers, one after another, without a lost or doubled post."""
    site = trial.setting.site
    old = set(await site.workers())
    site.process.send_signal(signal.SIGHUP)
    await replaced(site, old)


async def _freeze_in_mid_batch(trial: Trial) -> int:
    """Let one batch alone wait for the thread's lock, and freeze its worker before the lock is given up."""
    here = trial.crowd
    author = next(author for author in here.authors if isinstance(author, SocketAuthor))
    await here.hush()
    await eventually(lambda: author.port)
    async with trial.setting.stores.sql() as session, session.transaction():
        await session.execute(HOLD, here.slug)
        await author.say()

        async def waits() -> bool:
            return int(await session.fetchval(WAITING)) > 0

        await eventually(waits, LOCK)
        victim = serves(await trial.setting.site.workers(), author.port)
        os.kill(victim, signal.SIGSTOP)
        here.talking.set()
    return victim
