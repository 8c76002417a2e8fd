"""Real stores for every test: one Postgres and one Valkey a session, a database of its own for each who asks."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from service import embedded, supervisor
from service.embedded import Postgres, Valkey

SECRET = "a secret for tests only"


class Stores(NamedTuple):
    """Where the session's stores answer."""

    postgres: Postgres
    valkey: Valkey


@pytest_asyncio.fixture(scope="session")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Both stores, as `make run` starts them."""
    folder: Path = tmp_path_factory.mktemp("stores")
    async with embedded.hold(folder, lambda _line: None) as data:
        running = Stores(Postgres(data), Valkey(data))
        try:
            await asyncio.gather(running.postgres.start(), running.valkey.start())
            yield running
        finally:
            await asyncio.gather(running.postgres.stop(), running.valkey.stop())


@pytest_asyncio.fixture(scope="session")
async def template(stores: Stores) -> str:
    """The name of a migrated, empty database to copy from."""
    await _execute(stores.postgres.url, "CREATE DATABASE template_afterword")
    await supervisor.migrate(_named(stores.postgres.url, "template_afterword"), lambda _line: None)
    return "template_afterword"


@pytest_asyncio.fixture
async def database_url(stores: Stores, template: str) -> str:
    """A migrated, empty database for one test."""
    name = f"test_{secrets.token_hex(6)}"
    await _execute(stores.postgres.url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return _named(stores.postgres.url, name)


@pytest_asyncio.fixture
async def redis_url(stores: Stores) -> str:
    """The session's Valkey; keys and channels of two sites never meet, since they carry the site's name."""
    return stores.valkey.url


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _named(url: str, database: str) -> str:
    return url.replace("/afterword?", f"/{database}?")
