"""One Chromium for all tests of the page, and what they look at."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from service import resources
from service.store.database import Connection
from tests.browser.kinds import Kind, kinds
from tests.browser.pages import STORY
from tests.browser.threads import Thread
from tests.conftest import Stores, empty_database
from tests.site import Site, command, telling
from tools import browser as installed


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the session."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=installed.find(), args=installed.ARGUMENTS)
        yield running
        await running.close()


@pytest_asyncio.fixture
async def story(site: Site) -> str:
    """The address of a demonstration article of a running site, which has all of them."""
    return await demonstrate(site)


async def demonstrate(site: Site) -> str:
    """Publish the demonstration articles: the address of one of them."""
    status, _, errors = await command(site.environ, "articles", "load", str(resources.DEMONSTRATION))
    assert status == 0, errors
    return f"{site.url}/articles/{STORY}"


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
    settings = {"POSTS_PER_MINUTE": "0", "CONNECTIONS_PER_ADDRESS": "0", "TIMEZONE": "Europe/Berlin"}
    async with telling(folder, database[0], stores.valkey.url, **settings) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def every_kind(shared: Site, tmp_path_factory: pytest.TempPathFactory) -> list[Kind]:
    """Every kind of page, on the shared site."""
    await demonstrate(shared)
    return await kinds(shared, tmp_path_factory.mktemp("kinds") / "articles")


@pytest_asyncio.fixture
async def thread(shared: Site, database: tuple[str, Connection]) -> Thread:
    """An empty thread below a long article."""
    return await Thread.begin(shared, database[1])


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A reader's browser; in none of its pages anything was wrong."""
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    await context.close()
    assert complaints == []
