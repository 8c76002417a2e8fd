"""Lines between the workers and their stores that freeze, slow down, break, or lose one word."""

import re

from tests.faults.line import Line
from tests.faults.trial import Trial
from tests.site import eventually

HINT = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$\d+\r\n[^\r]*:thread:\d+\r\n\$(\d+)\r\n")


class HintSieve:
    """Takes every hint about a thread out of what Valkey says to its subscribers, and counts them."""

    def __init__(self) -> None:
        self.dropped = 0

    def __call__(self, data: bytes) -> bytes:
        """What passes. A hint that is alone on the line comes in one piece."""
        while hint := HINT.search(data):
            end = hint.end() + int(hint[1]) + 2
            data = data[: hint.start()] + data[end:]
            self.dropped += 1
        return data


async def last_hint_lost(trial: Trial) -> None:
    """The hint of the very last comment reaches nobody, and nothing follows that could show the gap."""
    here, line = trial.crowd, trial.setting.to_redis
    await here.hush()
    async with trial.setting.stores.sql() as session:
        thread = await session.fetchval("SELECT id FROM articles WHERE slug = $1", here.slug)
    async with trial.setting.stores.redis as client:
        channels = await client.pubsub_channels(f"afterword:*:thread:{thread}")
        ((_, listening),) = await client.pubsub_numsub(*channels)
    sieve = line.sieve = HintSieve()
    try:
        await here.say_once()
        await eventually(lambda: sieve.dropped == listening)
    finally:
        line.mend()


async def subscribers_cut(trial: Trial) -> None:
    """Valkey ends every subscriber's connection, three times."""
    async with trial.setting.stores.redis as client:
        for _ in range(3):

            async def cut() -> bool:
                return int(await client.client_kill_filter(_type="pubsub")) > 0

            await eventually(cut)
            await trial.crowd.flow(len(trial.crowd.authors))
            await trial.converge()


async def redis_line_frozen(trial: Trial) -> None:
    """Nothing passes between the workers and Valkey any more, and no connection ends; comments go on."""
    await _frozen(trial, trial.setting.to_redis)


async def redis_line_delayed(trial: Trial) -> None:
    """Everything between the workers and Valkey takes 200 ms longer, each way."""
    await _slow(trial, trial.setting.to_redis, 0.2)


async def redis_line_trickling(trial: Trial) -> None:
    """One byte a second passes between the workers and Valkey, each way; comments go on."""
    await _slow(trial, trial.setting.to_redis, 1.0, 1)


async def postgres_line_frozen(trial: Trial) -> None:
    """Nothing passes between the workers and Postgres any more, and no connection ends."""
    await _frozen(trial, trial.setting.to_postgres, flows=False)


async def postgres_answers_lost(trial: Trial) -> None:
    """Postgres commits, and what it answers is lost with every connection; so nobody knows what stands."""
    line, told = trial.setting.to_postgres, trial.crowd.acts.accepted
    line.sieve = _nothing
    try:

        async def unheard() -> bool:
            return await trial.version() > len(told)

        await eventually(unheard)
        await trial.crowd.last(trial.spell(2, 0.2))
    finally:
        line.cut()
        line.mend()


async def postgres_line_delayed(trial: Trial) -> None:
    """Everything between the workers and Postgres takes 200 ms longer, each way; comments go on, slowly."""
    await _slow(trial, trial.setting.to_postgres, 0.2)


async def postgres_line_trickling(trial: Trial) -> None:
    """One byte a second passes between the workers and Postgres, each way."""
    await _slow(trial, trial.setting.to_postgres, 1.0, 1, flows=False)


def _nothing(_data: bytes) -> bytes:
    """A sieve through which nothing passes."""
    return b""


async def _frozen(trial: Trial, line: Line, *, flows: bool = True) -> None:
    """Freeze a line; `flows`: comments are accepted, and come to everyone, all the same."""
    line.freeze()
    await _bad(trial, line, flows=flows)


async def _slow(trial: Trial, line: Line, pause: float, portion: int = 0, *, flows: bool = True) -> None:
    """Slow a line down; `flows`: as above."""
    line.slow(pause, portion)
    await _bad(trial, line, flows=flows)


async def _bad(trial: Trial, line: Line, *, flows: bool) -> None:
    try:
        await trial.crowd.last(trial.spell(12, 2))
        if flows:
            await trial.crowd.flow(len(trial.crowd.authors))
            await trial.converge()
    finally:
        line.mend()
