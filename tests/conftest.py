"""Real stores for every test: one Postgres and one Valkey a session, an empty database for each test.

A site takes seconds to start. So a test that leaves it alive, and as it is set, takes the `shared` one, and a `thread`
of its own there; what kills, freezes or configures a site takes `site`.
"""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from service import embedded, supervisor
from service.embedded import Postgres, Valkey
from service.store.database import Connection
from tests.ground import Ground
from tests.site import Site, telling
from tests.threads import Thread

SECRET = "a secret for tests only"
NO_LIMITS = {"POSTS_PER_MINUTE": "0", "CONNECTIONS_PER_ADDRESS": "0"}


class Stores(NamedTuple):
    """Where the session's stores answer."""

    postgres: Postgres
    valkey: Valkey


@pytest_asyncio.fixture(scope="session")
async def stores() -> AsyncIterator[Stores]:
    """Both stores, as `make run` starts them; where root runs the tests, their account must reach the folder."""
    folder = Path(tempfile.mkdtemp(prefix="afterword-"))
    folder.chmod(0o755)
    async with embedded.hold(folder, lambda _line: None) as data:
        running = Stores(Postgres(data), Valkey(data))
        try:
            await asyncio.gather(running.postgres.start(), running.valkey.start())
            yield running
        finally:
            await asyncio.gather(running.postgres.stop(), running.valkey.stop())
    shutil.rmtree(folder)


@pytest_asyncio.fixture
async def database_url(stores: Stores) -> str:
    """A migrated, empty database for one test."""
    return await empty_database(stores)


@pytest.fixture
def owner_url(stores: Stores, database_url: str) -> str:
    """The same database, for the role that owns its tables."""
    return stores.postgres.owner_url + database_url.removeprefix(stores.postgres.url)


async def empty_database(stores: Stores) -> str:
    """A migrated, empty database: a schema of its own, which asyncpg passes on to every session."""
    name = f"test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(stores.postgres.owner_url)
    try:
        await connection.execute(f"CREATE SCHEMA {name}")
    finally:
        await connection.close()
    url, owner = (f"{each}&search_path={name}" for each in (stores.postgres.url, stores.postgres.owner_url))
    await supervisor.migrate(url, lambda _line: None, owner)
    return url


@pytest_asyncio.fixture
async def redis_url(stores: Stores) -> str:
    """The session's Valkey; keys and channels of two sites never meet, since they carry the site's name."""
    return stores.valkey.url


@pytest_asyncio.fixture
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str
) -> AsyncIterator[Site]:
    """Two workers, no limits, one open thread `story`; on whatever ground a test is to stand."""
    ground = Ground.of(getattr(request, "param", "uvloop"), tmp_path)
    async with telling(tmp_path, database_url, redis_url, ground, POSTS_PER_MINUTE="0") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def database(stores: Stores) -> AsyncIterator[tuple[str, Connection]]:
    """The database of the site that many tests share: its address, and a connection to it."""
    url = await empty_database(stores)
    connection = await asyncpg.connect(url)
    yield url, connection
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def shared(
    stores: Stores, database: tuple[str, Connection], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A site for all tests that leave it alive: each has a thread of its own. It stands in Berlin."""
    folder = tmp_path_factory.mktemp("shared")
    async with telling(folder, database[0], stores.valkey.url, TIMEZONE="Europe/Berlin", **NO_LIMITS) as running:
        yield running


@pytest_asyncio.fixture
async def thread(shared: Site, database: tuple[str, Connection]) -> Thread:
    """An empty thread below a long article."""
    return await Thread.begin(shared, database[1])
