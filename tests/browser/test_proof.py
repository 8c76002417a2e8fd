"""Work in the browser: where it is asked, a comment is published after it; where it can't be done, it is held."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.pages import live, write
from tests.site import Site, telling


@pytest_asyncio.fixture
async def asking(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers that always ask for work."""
    async with telling(tmp_path, database_url, redis_url, CHALLENGE="always") as running:
        yield running


async def test_a_comment_is_published_after_its_work_whose_progress_is_told(
    asking: Site, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(f"{asking.url}/articles/story")
    await live(page)
    await page.evaluate(
        """() => {
            window.told = [];
            new MutationObserver(() => window.told.push(document.querySelector(".outgoing .state")?.textContent))
                .observe(document.querySelector(".outgoing"), { childList: true, subtree: true, characterData: true });
        }"""
    )
    await write(page, "Written by hand")
    await expect(page.locator(".comments .comment .text")).to_have_text("Written by hand")
    told = [str(words) for words in await page.evaluate("window.told")]
    proving = [words for words in told if re.fullmatch(r"Proving that you are no machine… \d+%", words)]
    assert len(set(proving)) > 3, told
    await expect(page.locator(".outgoing .comment")).to_have_count(0)


async def test_work_begun_is_begun_again_after_a_reload_and_ends_with_what_is_discarded(
    asking: Site, browser: Browser
) -> None:
    page = await browser.new_page()
    await page.goto(f"{asking.url}/articles/story")
    await live(page)
    async with page.expect_event("worker") as begun:
        await write(page, "To be discarded")
    worker = await begun.value
    async with worker.expect_event("close"):
        await page.locator(".outgoing .discard").click()
    await expect(page.locator(".outgoing .comment")).to_have_count(0)
    async with page.expect_event("worker"):
        await write(page, "To be sent again")
    await page.reload()
    await expect(page.locator(".comments .comment .text")).to_have_text("To be sent again")
    await page.close()


async def test_a_browser_that_cannot_work_and_one_without_a_script_have_their_comments_held(
    asking: Site, browser: Browser, context: BrowserContext, database_url: str
) -> None:
    page = await context.new_page()
    await page.add_init_script("delete window.Worker")
    await page.goto(f"{asking.url}/articles/story")
    await live(page)
    await write(page, "Without a worker")
    await expect(page.locator(".outgoing .state")).to_contain_text("when a moderator has read it")
    plain = await browser.new_context(java_script_enabled=False)
    form = await plain.new_page()
    await form.goto(f"{asking.url}/articles/story")
    await write(form, "Without a script")
    await expect(form.locator(".status")).to_contain_text("when a moderator has read it")
    await plain.close()
    connection = await asyncpg.connect(database_url)
    held = await connection.fetch("SELECT text, reason FROM comments WHERE state = 'held' ORDER BY no")
    assert [tuple(row) for row in held] == [
        ("Without a worker", "no proof of work"),
        ("Without a script", "no proof of work"),
    ]
    await connection.close()


async def test_only_the_script_that_proves_becomes_a_worker(asking: Site, browser: Browser) -> None:
    page = await browser.new_page()  # whose console says what was blocked
    await page.goto(f"{asking.url}/articles/story")
    await live(page)
    refused = await page.evaluate(
        "() => { try { new Worker('/static/000000000000/theme.js'); return '' } catch (error) { return error.name } }"
    )
    assert refused == "TypeError"
    await page.close()


async def test_a_surge_is_told_to_who_reads(site: Site, context: BrowserContext, database_url: str) -> None:
    page = await context.new_page()
    await page.goto(f"{site.url}/articles/story")
    await live(page)
    note = page.locator(".surge.note")
    await expect(note).to_be_hidden()
    connection = await asyncpg.connect(database_url)
    for surge in ("true", "false"):
        await connection.execute(
            "SELECT judge_thread(id, jsonb_build_object('surge', $1::boolean), '', NULL) FROM threads", surge == "true"
        )
        if surge == "true":
            await expect(note).to_have_text(re.compile("Many comments are coming in just now"))
            await page.reload()
            await expect(note).to_be_visible()
            await live(page)
        else:
            await expect(note).to_be_hidden()
    await connection.close()
