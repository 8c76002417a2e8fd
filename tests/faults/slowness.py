"""Readers who take in nothing, or less than the thread says."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from tests.faults.crowd import PATIENCE, Crowd
from tests.faults.line import NARROW, Line
from tests.faults.setting import resident
from tests.faults.trial import MEBI, Trial
from tests.site import eventually

MUTE = 20  # readers who never read
FLOOD = 60  # MiB that the workers may grow by under a flood that these don't read
UNHARMED, AT_ONCE = 1.5, 0.1  # of the p99 before, or seconds
NARROW_BYTES, NARROW_PAUSE = 1024, 0.1  # 10 KB/s
ENOUGH = 15  # batches: what that many leave unread is more than the workers may grow by
BEHIND = 4  # readers behind that line
TRIES = 2  # further looks at a latency that seems harmed


async def readers_who_never_read(trial: Trial) -> None:
    """Twenty readers leave everything unread under a flood of 3 KB comments: they cost little, and others nothing."""
    here, site = trial.crowd, trial.setting.site
    trial.growth = FLOOD
    for reader in here.readers[::8]:
        reader.samples = True
    with here.long():
        await here.flow(here.batch)  # the first ones fill every cache
        before = await _latency(trial, 4 * here.batch)
        memory = resident(await site.workers())
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(MUTE):
                await stack.enter_async_context(_mute(here))
            allowed = max(before * UNHARMED, AT_ONCE)
            during = await _latency(trial, (4 if trial.short else ENOUGH) * here.batch)
            for _ in range(TRIES):  # another's load on this machine passes; harm would stay
                during = during if during < allowed else await _latency(trial, 4 * here.batch)
            growth = (resident(await site.workers()) - memory) / MEBI
    trial.expect(growth < FLOOD, f"the workers grew by {growth:.0f} MiB")
    trial.expect(during < allowed, f"the others' p99 was {during * 1000:.0f} ms, before it {before * 1000:.0f} ms")


async def readers_on_a_narrow_line(trial: Trial) -> None:
    """Readers on a line of 10 KB a second, under a flood beyond that, are caught up or reset, without a hole."""
    here = trial.crowd
    port = urlsplit(trial.setting.site.url).port
    assert port
    line = await trial.stack.enter_async_context(Line(port, narrow=True).laid())
    line.slow(NARROW_PAUSE, NARROW_BYTES)
    behind = [here.reader(f"http://127.0.0.1:{line.port}") for _ in range(BEHIND)]
    for reader in behind:
        here.come(reader)
    await eventually(lambda: all(reader.live for reader in behind), PATIENCE)
    here.readers += behind
    with here.long():
        await here.flow(here.batch)
        await here.last(trial.spell(20, 2))
    slow, quick = max(reader.level for reader in behind), max(reader.level for reader in here.readers)
    trial.expect(slow < quick, "the line was not narrow")
    line.mend()


@contextlib.asynccontextmanager
async def _mute(here: Crowd) -> AsyncIterator[None]:
    """A reader whose socket nobody reads, with a small buffer in its kernel."""
    parts = urlsplit(here.site.url)
    near = socket.socket()
    near.setblocking(False)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    await asyncio.get_running_loop().sock_connect(near, (parts.hostname, parts.port))
    async with connect(
        f"ws://{parts.netloc}/articles/{here.slug}/live", sock=near, max_queue=1, ping_interval=None
    ) as c:
        try:
            yield
        finally:
            c.transport.abort()


async def _latency(trial: Trial, comments: int) -> float:
    """The p99, in seconds, of how long the next comments take to the readers who are looked at."""
    here = trial.crowd
    since = asyncio.get_running_loop().time()
    await here.flow(comments)
    taken = sorted(took for reader in here.readers for came, took in reader.latencies if came > since)
    return taken[len(taken) * 99 // 100]
