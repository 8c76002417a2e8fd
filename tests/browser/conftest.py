"""One Chromium for all tests of the page, and what they look at."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from service import resources
from tests.browser.pages import STORY
from tests.site import Site, command
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
    status, _, errors = await command(site.environ, "articles", "load", str(resources.DEMONSTRATION))
    assert status == 0, errors
    return f"{site.url}/articles/{STORY}"
