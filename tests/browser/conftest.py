"""One Chromium for all tests of the page, and what they look at."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from service import resources
from tests.browser.kinds import Kind, kinds
from tests.browser.pages import STORY
from tests.site import Site, command
from tools import browser as installed

CLOSING_SECONDS = 10.0


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the session."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=installed.find(), args=installed.ARGUMENTS)
        yield running
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
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
async def every_kind(shared: Site, tmp_path_factory: pytest.TempPathFactory) -> list[Kind]:
    """Every kind of page, on the shared site."""
    await demonstrate(shared)
    return await kinds(shared, tmp_path_factory.mktemp("kinds") / "articles")


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A reader's browser; in none of its pages anything was wrong."""
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    with contextlib.suppress(
        TimeoutError
    ):  # once in some hundred times one with routed sockets never says that it closed
        async with asyncio.timeout(CLOSING_SECONDS):
            await context.close()
    assert complaints == []
