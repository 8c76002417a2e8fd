"""Both stores at once, for a command: those of a running service, else its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from service.embedded.datadir import DataDir, InUseError, Say, hold, usable
from service.embedded.postgres import Postgres
from service.embedded.postgres import answers as postgres_answers
from service.embedded.record import Urls, recall
from service.embedded.valkey import Valkey
from service.embedded.valkey import answers as valkey_answers

PATIENCE = 60.0  # seconds: another Afterword may just be making its database
AGAIN = 0.1  # seconds between two tries


@asynccontextmanager
async def stores(path: Path, say: Say, *, postgres: bool = True, valkey: bool = True) -> AsyncIterator[Urls]:
    """Lend the stores of the data dir at `path` to a command.

    Where another Afterword uses the data dir they are its own, as soon as they answer; else they
    are started here, and stopped at the end. One that is not wanted, because it is elsewhere, is
    neither started nor waited for. Raises StartError.
    """
    async with AsyncExitStack() as stack:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        urls = None
        while urls is None:
            try:
                data = await stack.enter_async_context(hold(path, say))
            except InUseError:
                urls = await running(path, postgres=postgres, valkey=valkey)
                if urls is None and asyncio.get_running_loop().time() > deadline:
                    raise
                if urls is None:  # it is starting, or stopping, or gone when we look again
                    await asyncio.sleep(AGAIN)
            else:
                urls = await stack.enter_async_context(_started(data, postgres, valkey))
        yield urls


async def running(path: Path, *, postgres: bool = True, valkey: bool = True) -> Urls | None:
    """Return the URLs of the stores that run for the data dir at `path`.

    None where one that is wanted does not answer. Nothing is started or changed, and nothing but
    `stores.json` is read. Raises StartError where that can't be.
    """
    with usable(path):
        record = recall(path)
    if record is None or (postgres and record.postgres is None):
        return None
    urls = record.urls
    if postgres and not await postgres_answers(urls.postgres):
        return None
    if valkey and not await valkey_answers(urls.valkey):
        return None
    return urls


@asynccontextmanager
async def _started(data: DataDir, postgres: bool, valkey: bool) -> AsyncIterator[Urls]:
    """Start the wanted stores side by side, and stop them at the end."""
    wanted: list[Postgres | Valkey] = []
    if postgres:
        wanted.append(Postgres(data))
    if valkey:
        wanted.append(Valkey(data))
    try:
        for store in wanted:
            await store.start()
        yield data.record.urls
    finally:
        for store in reversed(wanted):
            await store.stop()
