"""The page's policy in a real Chromium: markup has one door, and frames have none but who is named."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Error, FrameLocator, async_playwright, expect

from tests.site import Site, telling
from tools import browser as installed


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=installed.find(), args=installed.ARGUMENTS)
        yield running
        await running.close()


async def test_a_string_is_no_markup_and_an_inline_script_does_not_run(chromium: Browser, site: Site) -> None:
    page = await chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{site.url}/articles/story")
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "live")
    assert said == [], "not even a warning"
    with pytest.raises(Error, match="TrustedHTML"):
        await page.evaluate("document.body.innerHTML = '<b>x</b>'")
    await page.evaluate(
        "() => { const script = document.createElement('script'); script.append('window.owned = 1');"
        " try { document.body.append(script) } catch {} }"
    )
    assert await page.evaluate("window.owned") is None


@pytest_asyncio.fixture
async def framer() -> AsyncIterator[str]:
    """Another site, which shows in a frame what its query names: its origin."""

    async def show(request: web.Request) -> web.Response:
        return web.Response(
            text=f'<!doctype html><iframe src="{request.query_string}"></iframe>', content_type="text/html"
        )

    app = web.Application()
    app.add_routes([web.get("/", show)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def framed(chromium: Browser, framer: str, site: Site) -> FrameLocator:
    """A page of the site, where the other site wants to show it."""
    page = await chromium.new_page()
    await page.goto(f"{framer}/?{site.url}/articles/story")
    return page.frame_locator("iframe")


async def test_no_other_site_shows_a_page_in_a_frame(chromium: Browser, framer: str, site: Site) -> None:
    frame = await framed(chromium, framer, site)
    await expect(frame.locator("body")).to_contain_text("refused")
    await expect(frame.locator("live-thread")).to_have_count(0)


async def test_a_site_that_is_named_shows_a_page_in_a_frame(
    chromium: Browser, framer: str, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url, FRAME_ANCESTORS=framer) as allowing:
        frame = await framed(chromium, framer, allowing)
        await expect(frame.locator("live-thread")).to_be_visible()
