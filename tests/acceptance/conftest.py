"""Sites on every ground, for the tests that leave them alive; and one behind a proxy, for each test that needs it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.store.database import Connection
from tests.conftest import NO_LIMITS, Stores
from tests.ground import GROUNDS, Ground
from tests.site import Site, telling
from tests.threads import Thread


@pytest_asyncio.fixture(scope="session")
async def grounds(
    shared: Site, database: tuple[str, Connection], stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Site]]:
    """The shared site, and its like on every other ground: all on one database."""
    usual, *others = GROUNDS
    async with contextlib.AsyncExitStack() as stack:
        sites = {usual: shared}
        for name in others:
            folder = tmp_path_factory.mktemp("ground")
            running = telling(folder, database[0], stores.valkey.url, Ground.of(name, folder), **NO_LIMITS)
            sites[name] = await stack.enter_async_context(running)
        yield sites


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> str:
    """Each ground by its name."""
    return str(request.param)


@pytest_asyncio.fixture
async def grounded(grounds: dict[str, Site], database: tuple[str, Connection], ground: str) -> Thread:
    """An empty thread on each ground."""
    return await Thread.begin(grounds[ground], database[1])


@pytest_asyncio.fixture
async def proxied(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers behind a proxy that is trusted, without limits."""
    settings = {"TRUSTED_PROXIES": "127.0.0.0/8", "POSTS_PER_MINUTE": "0"}
    async with telling(tmp_path, database_url, redis_url, **settings) as running:
        yield running
