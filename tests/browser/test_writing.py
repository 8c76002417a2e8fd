"""Writing: what was written is shown at once, sent once, and never lost on the way."""

import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Playwright, async_playwright, expect

from tests.browser.pages import live, read, write
from tests.browser.valve import Valve
from tests.site import Site, command, eventually, op, telling
from tests.threads import Thread
from tools import browser as installed

# How often a text can be seen, from now on: the least and the most at any moment at which the page might be painted.
TALLY = """(text) => {
  const seen = (element) => element.textContent.trim() === text && element.getClientRects().length > 0;
  const count = () => [...document.querySelectorAll(".comment .text")].filter(seen).length;
  window.tally = { least: Infinity, most: 0 };
  new MutationObserver(() => {
    if (!window.tally.most && !count()) return;
    window.tally.least = Math.min(window.tally.least, count());
    window.tally.most = Math.max(window.tally.most, count());
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def outgoing(page: Page) -> Locator:
    """One's own comments on their way."""
    return page.locator(".outgoing .comment")


def state(page: Page) -> Locator:
    """How it stands with the one that is on its way."""
    return page.locator(".outgoing .state")


async def stands_once(page: Page, thread: Thread, text: str) -> None:
    """Wait until a comment is real, and only that."""
    await expect(page.locator(".comments .comment.mine .text")).to_have_text(text)
    await expect(outgoing(page)).to_have_count(0)
    assert await thread.stored() == [("published", text)]


async def read_by(page: Page, thread: Thread) -> Page:
    """A page of whatever kind on a thread, live."""
    await page.goto(thread.url)
    await live(page)
    return page


async def test_the_field_grows_with_its_text_and_shrinks_when_it_is_sent(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    height = "document.getElementById('text').offsetHeight"
    before = await page.evaluate(height)
    await page.fill("#text", "line\n" * 15)
    assert await page.evaluate(height) > before + 100
    assert await page.evaluate("(f => f.scrollHeight <= f.offsetHeight)(document.getElementById('text'))")
    await page.click("#form button[type=submit]")
    await expect(page.locator("#text")).to_have_value("")
    assert await page.evaluate(height) == before


async def test_characters_are_counted_near_the_limit_as_the_server_counts_them(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    await page.fill("#text", "🦉" * 4500)
    await expect(page.locator(".length")).to_have_text("")
    await page.fill("#text", "🦉" * 4501)
    await expect(page.locator(".length")).to_have_text("4,501 of 5,000 characters.")
    await page.fill("#text", "🦉" * 5000)
    await page.click("#form button[type=submit]")
    await stands_once(page, thread, "🦉" * 5000)


async def test_ctrl_and_enter_publish(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await page.locator("#text").press_sequentially("By hand")
    await page.keyboard.press("Control+Enter")
    await stands_once(page, thread, "By hand")
    assert await page.evaluate("document.activeElement.id") == "text"


@pytest.mark.parametrize(
    ("first", "sign"), [("accepted", ".outgoing .permalink:not(:empty)"), ("changes", ".comments .comment")]
)
async def test_a_comment_is_pending_at_once_then_real_and_never_twice_nor_gone(
    context: BrowserContext, thread: Thread, first: str, sign: str
) -> None:
    page, valve = await context.new_page(), Valve("accepted", "changes")
    await valve.fit(page)
    await read_by(page, thread)
    await page.evaluate(TALLY, "Here I am")
    await write(page, "Here I am")
    assert await state(page).text_content() == "Sending…", "in the same moment"
    await expect(page.locator("#text")).to_have_value("")
    await eventually(lambda: sorted(valve.waiting) == ["accepted", "changes"])
    valve.open(first)
    await expect(page.locator(sign)).to_be_visible()
    valve.open("accepted", "changes")
    await stands_once(page, thread, "Here I am")
    no = await page.locator(".comments .comment .no").text_content()
    assert await page.locator(".comments .comment").get_attribute("id") == f"no-{no}"
    assert await page.evaluate("window.tally") == {"least": 1, "most": 1}
    await expect(page.locator(".pill")).to_be_hidden()
    await expect(page.locator(".announcer")).to_have_text("")


async def test_one_that_stands_elsewhere_is_gone_to_and_not_quoted_by_no_number(
    context: BrowserContext, thread: Thread
) -> None:
    page, valve = await context.new_page(), Valve("changes")
    await valve.fit(page)
    await page.goto(thread.url)
    await live(page)
    await write(page, "Somewhere else")
    link = page.locator(".outgoing .permalink")
    await expect(link).not_to_be_empty()
    await expect(link).to_have_text(f"No. {await thread.last()}")
    await link.focus()
    await page.keyboard.press("r")
    await expect(page.locator("#text")).to_have_value("")
    await link.click()
    await expect(page).to_have_url(f"{thread.url}#no-{await thread.last()}")
    await expect(page.locator("#text")).to_have_value("")


async def test_one_who_hears_by_events_and_posts_by_http_does_not_see_a_comment_twice(
    context: BrowserContext, thread: Thread
) -> None:
    page = await context.new_page()
    await page.add_init_script("delete window.WebSocket")
    await page.goto(thread.url)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "stream")
    await page.evaluate(TALLY, "By another way")
    await write(page, "By another way")
    await stands_once(page, thread, "By another way")
    assert await page.evaluate("window.tally") == {"least": 1, "most": 1}


async def test_one_that_is_too_long_stays_with_its_reason_and_is_edited_or_discarded(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    await write(page, "x" * 5001)
    await expect(state(page)).to_contain_text("5,000")
    await page.reload()
    await expect(state(page)).to_contain_text("5,000")
    await page.locator(".outgoing .edit").click()
    assert await page.input_value("#text") == "x" * 5001
    await expect(outgoing(page)).to_have_count(0)
    await page.click("#form button[type=submit]")
    await page.locator(".outgoing .discard").click()
    await page.reload()
    await live(page)
    await expect(outgoing(page)).to_have_count(0)
    await expect(page.locator("#text")).to_have_value("")
    assert await thread.stored() == []


async def test_one_that_is_too_fast_counts_down_and_is_tried_again(
    context: BrowserContext, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url, POSTS_PER_MINUTE="6") as site:
        page = await context.new_page()
        await page.goto(f"{site.url}/articles/story")
        await live(page)

        async def too_fast() -> bool:
            fields = {"op": op(), "text": op()}
            async with site.http.post("/articles/story/comments", json=fields) as response:
                return response.status == 429

        await eventually(too_fast)
        await page.evaluate(
            """() => {
              window.said = [];
              new MutationObserver(() => {
                const text = document.querySelector(".outgoing .again:disabled")?.textContent;
                if (text && text !== window.said.at(-1)) window.said.push(text);
              }).observe(document.querySelector(".outgoing"), { subtree: true, childList: true, characterData: true });
            }"""
        )
        await write(page, "In good time")
        await expect(page.locator(".outgoing .again:visible")).to_have_text("Try again", timeout=30_000)
        said = await page.evaluate("window.said")
        assert said == [f"Try again in {n} second{'s' * (n > 1)}" for n in range(len(said), 0, -1)]
        assert 2 <= len(said) <= 10
        await page.locator(".outgoing .again").click()
        await expect(page.locator(".comments .comment.mine .text")).to_have_text("In good time")
        await expect(outgoing(page)).to_have_count(0)
        await page.close()


async def test_a_slow_thread_says_so_live_and_counts_down(
    context: BrowserContext, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url) as site:
        page = await context.new_page()
        await page.goto(f"{site.url}/articles/story")
        await live(page)
        await expect(page.locator(".composer .slow")).to_be_hidden()
        status, _, errors = await command(site.environ, "threads", "slow", "story", "30")
        assert status == 0, errors
        await expect(page.locator(".composer .slow")).to_have_text(
            "One comment every 30 seconds from each of us, please."
        )

        async def too_fast() -> bool:
            fields = {"op": op(), "text": op()}
            async with site.http.post("/articles/story/comments", json=fields) as response:
                return response.status == 429

        await eventually(too_fast)
        await write(page, "Patience")
        again = page.locator(".outgoing .again")
        await expect(again).to_have_text(re.compile(r"Try again in (2\d|30) seconds"))
        first = await again.text_content()
        await expect(again).not_to_have_text(first or "")
        await expect(again).to_have_text(re.compile(r"Try again in \d+ seconds"))
        await expect(again).to_be_disabled()
        await page.close()


async def test_one_that_says_it_again_is_told_which_and_stays(
    context: BrowserContext, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    long = " ".join(f"word{number}" for number in range(20))
    async with telling(tmp_path, database_url, redis_url) as site:
        page = await context.new_page()
        await page.goto(f"{site.url}/articles/story")
        await live(page)
        await write(page, long)
        await expect(page.locator(".comments .comment.mine .text")).to_have_text(long)
        await write(page, long)
        await expect(state(page)).to_contain_text("You have written the same here")
        await page.locator(".outgoing .discard").click()
        await write(page, f"{long} indeed")
        await expect(state(page)).to_contain_text("Nearly the same has been written here")
        await page.locator(".outgoing .discard").click()
        await page.locator(".comments .comment.mine .edit").click()
        await expect(page.locator("#text")).to_have_value(long)
        await page.fill("#text", f"{long} indeed")
        await page.click("#form button[type=submit]")
        await expect(page.locator(".comments .comment.mine .text").last).to_have_text(f"{long} indeed")
        await page.close()


async def test_one_that_met_a_closed_thread_stays_and_is_sent_when_it_opens(
    context: BrowserContext, thread: Thread
) -> None:
    page, valve = await context.new_page(), Valve("changes")
    await valve.fit(page)
    await read_by(page, thread)
    await thread.declare("closed")
    await write(page, "Too late")
    await expect(state(page)).to_have_text("This conversation is closed; new comments are not accepted.")
    valve.open("changes")
    await expect(page.locator(".composer .closed")).to_be_visible()
    await page.reload()
    await expect(state(page)).to_have_text("This conversation is closed; new comments are not accepted.")
    await thread.declare("open")
    await expect(page.locator(".composer .closed")).to_be_hidden()
    await page.locator(".outgoing .again").click()
    await stands_once(page, thread, "Too late")


async def test_a_draft_survives_a_reload_and_a_closed_tab(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await page.fill("#text", "Half a thought,\n\n  with a gap")
    await page.reload()
    await live(page)
    await expect(page.locator("#text")).to_have_value("Half a thought,\n\n  with a gap")
    await page.close()
    page = await read(context, thread)
    await expect(page.locator("#text")).to_have_value("Half a thought,\n\n  with a gap")
    await page.click("#form button[type=submit]")
    await stands_once(page, thread, "Half a thought,\n\n  with a gap")
    await page.close()
    page = await read(context, thread)
    await expect(page.locator("#text")).to_have_value("")


REFUSING = """for (const name of ["localStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("refused", "SecurityError"); } });
}"""
FULL = """for (let size = 1 << 20; size > 0; size >>= 1) {
  try {
    for (;;) localStorage.setItem(`filled.${localStorage.length}`, "x".repeat(size));
  } catch {}
}"""


@pytest.mark.parametrize("junk", ["{", "5", '"five"', "[]", "{}", "true"])
async def test_whatever_lies_where_a_page_keeps_things_one_reads_and_writes(
    browser: Browser, thread: Thread, junk: str
) -> None:
    below = [f"{name}.{thread.slug}" for name in ("draft", "mark", "unsent")]
    names = ["at", "keys", "hidden", "shortcuts", "theme", *below]
    page = await browser.new_page()
    await page.add_init_script(
        f"const [names, junk] = {json.dumps([names, junk])};"
        "if (origin !== 'null') for (const name of names) localStorage[`afterword.${name}`] = junk;"
    )
    await page.goto(thread.url)
    await live(page)
    await page.fill("#text", "")
    await write(page, "All the same")
    await stands_once(page, thread, "All the same")
    await expect(page.locator("theme-switch button")).to_have_text("Colours: as the system")
    await page.close()


@pytest.mark.parametrize("storage", [REFUSING, FULL], ids=["refused", "full"])
async def test_without_a_place_to_keep_anything_one_writes_all_the_same(
    context: BrowserContext, thread: Thread, storage: str
) -> None:
    await context.add_init_script(storage)
    page = await read(context, thread)
    await write(page, "x" * 5001)
    await expect(state(page)).to_contain_text("5,000")
    await page.locator(".outgoing .edit").click()
    assert await page.input_value("#text") == "x" * 5001
    await write(page, "Shorter")
    await stands_once(page, thread, "Shorter")
    await page.locator(".comment.mine .retract").click()
    await page.locator(".comment.mine .retract").click()
    await expect(page.locator(".comments .gone")).to_have_count(1)


async def test_what_was_not_sent_is_sent_by_the_next_page(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await context.set_offline(offline=True)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "offline")
    await page.fill("#text", "From a tunnel")
    await page.click("#form button[type=submit]")
    await expect(state(page)).to_have_text("No answer yet. Your text is kept, and sent again by itself.")
    await page.close()
    await context.set_offline(offline=False)
    page = await read(context, thread)
    await stands_once(page, thread, "From a tunnel")


async def test_one_whose_answer_was_lost_is_not_posted_again(context: BrowserContext, thread: Thread) -> None:
    page, valve = await context.new_page(), Valve("accepted", "changes")
    await valve.fit(page)
    await read_by(page, thread)
    await write(page, "Did you hear me?")
    await eventually(lambda: "accepted" in valve.waiting)
    await page.close()
    page = await context.new_page()
    await page.add_init_script(f"addEventListener('DOMContentLoaded', () => ({TALLY})('Did you hear me?'))")
    await read_by(page, thread)
    await stands_once(page, thread, "Did you hear me?")
    assert (await page.evaluate("window.tally"))["most"] <= 1


async def test_frozen_workers_delay_a_comment_and_say_so(context: BrowserContext, shared: Site, thread: Thread) -> None:
    page = await read(context, thread)
    workers = await shared.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        await write(page, "Patience")
        await expect(state(page)).to_have_text("Sending…")
        await expect(state(page)).to_have_text("No answer yet. Your text is kept, and sent again by itself.")
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    await stands_once(page, thread, "Patience")


async def test_a_comment_sent_as_every_worker_is_killed_stands_once(
    browser: Browser, shared: Site, thread: Thread
) -> None:
    context = await browser.new_context()  # its console tells of lost connections
    page = await read(context, thread)
    await page.evaluate(TALLY, "Kill me if you can")
    await page.fill("#text", "Kill me if you can")
    workers = await shared.workers()
    await page.keyboard.press("Control+Enter")
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    await live(page)
    await stands_once(page, thread, "Kill me if you can")
    assert await page.evaluate("window.tally") == {"least": 1, "most": 1}
    await context.close()


@pytest_asyncio.fixture
async def playwright() -> AsyncIterator[Playwright]:
    """What starts browsers of a test's own."""
    async with async_playwright() as running:
        yield running


@contextlib.asynccontextmanager
async def own_browser(playwright: Playwright, folder: Path) -> AsyncIterator[BrowserContext]:
    """A browser with a profile, which is killed at the end: all of its processes at once, with SIGKILL."""
    context = await playwright.chromium.launch_persistent_context(
        folder, executable_path=installed.find(), args=installed.ARGUMENTS
    )
    try:
        yield context
    finally:
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and os.fsencode(folder) in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
        with contextlib.suppress(Exception):
            await context.close()


async def written_down(page: Page, *names: str) -> None:
    """Wait until the journal holds what is kept under these names: milliseconds."""
    read_all = """(names) => new Promise((found) => {
      indexedDB.open("afterword").onsuccess = ({ target: { result: database } }) => {
        const request = database.transaction("kept").objectStore("kept").getAllKeys();
        request.onsuccess = () => { database.close(); found(names.every((name) => request.result.includes(name))); };
      };
    })"""

    async def there() -> bool:
        return bool(await page.evaluate(read_all, list(names)))

    await eventually(there)


async def test_a_draft_and_an_unsent_comment_survive_a_killed_browser(
    playwright: Playwright, thread: Thread, tmp_path: Path
) -> None:
    async with own_browser(playwright, tmp_path / "profile") as context:
        page = await read(context, thread)
        await context.set_offline(offline=True)
        await page.fill("#text", "Sent as the power went")
        await page.click("#form button[type=submit]")
        await page.fill("#text", "And half of the next")
        await written_down(page, f"unsent.{thread.slug}", f"draft.{thread.slug}")
    async with own_browser(playwright, tmp_path / "profile") as context:
        page = await read(context, thread)
        await stands_once(page, thread, "Sent as the power went")
        await expect(page.locator("#text")).to_have_value("And half of the next")
        await page.fill("#text", "")
        await written_down(page, "keys")
    async with own_browser(playwright, tmp_path / "profile") as context:
        page = await read(context, thread)
        await stands_once(page, thread, "Sent as the power went")
        await expect(page.locator("#text")).to_have_value("")
