"""Alive, or honestly not: what the page says of its connection is so, and it comes back by itself."""

import os
import signal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.pages import counted, live, read
from tests.site import Site, eventually, op
from tests.threads import WORDS, Thread

# Chromium without a window hides no tab: a page is told that it is hidden, as the browser would tell it.
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# What a proxy or a policy that knows no sockets (no streams) looks like to a page; `blocked` can be changed.
NO_SOCKETS = """
window.blocked = true;
window.tries = 0;
window.WebSocket = class extends WebSocket {
  constructor(...address) {
    tries += 1;
    if (blocked) throw new Error("there are none");
    super(...address);
  }
};
"""
NO_STREAMS = "delete window.EventSource;"
SOON = "Math.random = () => 0.01;"  # the shortest waits
UNTIL_A_STREAM = """
window.EventSource = class extends EventSource {
  constructor(...address) {
    super(...address);
    this.addEventListener("open", () => { blocked = false; });
  }
};
"""
LISTEN = """() => {
  const pulse = document.querySelector(".pulse");
  window.said = [];
  new MutationObserver(() => said.push(pulse.innerText)).observe(pulse, { childList: true, subtree: true });
}"""


async def says(page: Page, words: str) -> None:
    """Wait until the page says so of its connection."""
    await expect(page.locator(".connection")).to_have_text(words)


async def arrives(page: Page, thread: Thread) -> None:
    """A comment by somebody else comes, with nothing done about it."""
    no = (await thread.post())["no"]
    await expect(page.locator(f"#no-{no}")).to_be_attached()


async def test_a_page_says_that_it_is_live_and_how_many_read(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await says(page, "Live")
    await expect(page.locator(".readers")).to_have_text("1 reading")
    other = await read(context, thread)
    for each in (page, other):
        await expect(each.locator(".readers")).to_have_text("2 reading")
    await other.close()
    await expect(page.locator(".readers")).to_have_text("1 reading", timeout=15_000)


async def test_after_the_death_of_every_worker_a_page_says_so_comes_back_and_catches_up(
    browser: Browser, site: Site
) -> None:
    page = await browser.new_page()
    await page.goto(f"{site.url}/articles/story")
    await live(page)
    await page.evaluate(LISTEN)
    for pid in await site.workers():
        os.kill(pid, signal.SIGKILL)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "reconnecting")
    await expect(page.locator(".readers")).to_be_hidden()

    async def posted() -> bool:
        try:
            body = {"op": op(), "text": "After the storm."}
            async with site.http.post("/articles/story/comments", json=body) as response:
                return response.status == 201
        except OSError:
            return False

    await eventually(posted)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "live", timeout=15_000)
    await expect(page.locator(".comment .text")).to_have_text("After the storm.")
    said = await page.evaluate("said")
    assert any("Reconnecting… in 1 second" in " ".join(words.split()) for words in said), said
    await page.close()


async def test_a_page_without_a_network_says_so_and_comes_back_with_it(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await context.set_offline(True)
    await says(page, "Offline")
    await thread.posts(3)
    await context.set_offline(False)
    await live(page)
    await counted(page, 3)


async def test_a_page_does_not_say_that_it_is_offline_when_it_no_longer_is(
    context: BrowserContext, thread: Thread
) -> None:
    page = await context.new_page()
    mute = False
    await page.route_web_socket("**/live?*", lambda line: None if mute else line.connect_to_server())
    await page.goto(thread.url)
    await live(page)
    mute = True  # the next line is open, and brings nothing
    await context.set_offline(True)
    await says(page, "Offline")
    await context.set_offline(False)
    await expect(page.locator(".connection")).not_to_have_text("Offline")


async def test_without_sockets_a_page_reads_by_a_stream_and_says_so(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    await page.add_init_script(SOON + NO_SOCKETS)
    await page.goto(thread.url)
    await says(page, "Live, without WebSockets")
    await arrives(page, thread)
    await expect(page.locator(".readers")).to_have_text("1 reading")
    await page.close()


async def test_with_neither_sockets_nor_streams_a_page_asks_and_says_so(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    await page.add_init_script(SOON + NO_SOCKETS + NO_STREAMS)
    await page.goto(thread.url)
    await expect(page.locator(".connection")).to_have_text("Updated every few seconds", timeout=10_000)
    no = (await thread.post())["no"]
    await expect(page.locator(f"#no-{no}")).to_be_attached(timeout=10_000)
    await expect(page.locator(".readers")).to_be_hidden()
    await page.close()


async def test_who_is_on_sockets_again_asks_no_more_even_with_a_question_open(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    await page.clock.install()
    await page.add_init_script(SOON + NO_SOCKETS + NO_STREAMS)
    await page.goto(thread.url)
    await expect(page.locator(".connection")).to_have_text("Updated every few seconds", timeout=10_000)
    asked: list[Route] = []

    def hold(question: Route) -> None:
        asked.append(question)

    await page.route("**/comments?*", hold)
    await page.clock.fast_forward(6_000)
    await eventually(lambda: len(asked) == 1)
    await page.evaluate("blocked = false; dispatchEvent(new Event('online'))")
    await live(page)
    async with page.expect_event("requestfinished"):
        await asked[0].continue_()
    for _ in range(2):
        await arrives(page, thread)
        await page.clock.fast_forward(6_000)
    assert len(asked) == 1
    await page.close()


async def test_who_fell_back_to_a_stream_while_the_server_was_away_is_on_sockets_again_at_once(
    browser: Browser, thread: Thread
) -> None:
    page = await browser.new_page()
    await page.add_init_script(SOON + NO_SOCKETS + UNTIL_A_STREAM)
    await page.goto(thread.url)
    await live(page)
    await arrives(page, thread)
    await page.close()


async def test_who_reads_without_sockets_tries_them_every_minute(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    await page.clock.install()
    await page.add_init_script(NO_SOCKETS)
    await page.goto(thread.url)
    await says(page, "Live, without WebSockets")
    await page.wait_for_function("tries === 3")  # the try at once, which fails too
    await page.evaluate("blocked = false")
    await page.evaluate(LISTEN)
    for _ in range(4):
        await arrives(page, thread)  # by the stream, which is not silent, then
        await page.clock.fast_forward(16_000)
    await live(page)
    assert await page.evaluate("said.every((words) => words.startsWith('Live'))")
    await arrives(page, thread)
    await page.close()


async def test_a_silent_line_is_noticed_within_twenty_seconds(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    lines: list[WebSocketRoute] = []

    def carry(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        lines.append(server)
        server.on_message(
            lambda message: None if len(lines) == 1 and '"joined"' not in str(message) else line.send(message)
        )

    await page.route_web_socket("**/live*", carry)
    await page.clock.install()
    await page.goto(thread.url)
    await live(page)
    no = (await thread.post())["no"]
    await page.clock.fast_forward(20_500)
    await expect(page.locator(f"#no-{no}")).to_be_attached()
    await live(page)
    assert len(lines) == 2
    await page.close()


@pytest.mark.parametrize("code", [4501, 4504, 4507])
async def test_who_is_told_not_to_come_back_says_that_it_is_not_live(
    browser: Browser, thread: Thread, code: int
) -> None:
    page = await browser.new_page()

    async def refuse(line: WebSocketRoute) -> None:
        await line.close(code=code)

    await page.route_web_socket("**/live*", refuse)
    await page.goto(thread.url)
    await says(page, "Not live; load the page again")
    await page.close()


async def test_a_hidden_tab_counts_in_its_title(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    title = await page.title()
    await page.evaluate(HIDE, True)
    await thread.posts(3)
    await expect(page).to_have_title(f"(3) {title}")
    await page.evaluate(HIDE, False)
    await expect(page).to_have_title(title)
    await expect(page.locator(".line")).to_have_text("New since you were here")


async def test_what_is_on_the_page_no_more_is_not_counted_as_new(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(300)
    page = await read(context, thread, f"#no-{numbers[275]}")
    await thread.fill(120)
    await expect(page.locator(".pill")).to_have_text("120 new comments")
    await context.set_offline(True)
    await says(page, "Offline")
    await thread.fill(400)
    await context.set_offline(False)
    await counted(page, 820)
    await expect(page.locator("live-thread")).to_have_attribute("data-later", "true")
    left = await page.locator(".comments .fresh").count()
    assert 0 < left < 120
    await expect(page.locator(".pill")).to_have_text(f"{left} new comments")


async def test_a_tab_that_is_shown_again_does_not_wait(browser: Browser, thread: Thread) -> None:
    page = await browser.new_page()
    await page.clock.install()
    await page.add_init_script("Math.random = () => 0.99")  # the longest waits
    await page.route("**/{events,comments}?*", lambda route: route.abort())
    await page.add_init_script(NO_SOCKETS)
    await page.goto(thread.url)
    await expect(page.locator(".wait")).to_have_text("in 3 seconds", timeout=15_000)
    soon = await page.evaluate("Date.now() / 1000 + 0.5")  # a clock cannot be set back
    await page.clock.pause_at(soon)  # this wait does not end by itself any more
    await page.unroute_all()
    await page.evaluate("blocked = false")
    await page.evaluate(HIDE, False)
    await expect(page.locator("live-thread")).not_to_have_attribute("data-connection", "reconnecting")
    await page.close()


async def test_what_was_read_before_a_hidden_tab_was_left_is_told_apart(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.post(WORDS)
    page = await read(context, thread)
    await page.evaluate(HIDE, True)
    first, *_ = await thread.posts(2)
    await counted(page, 3)
    await page.evaluate(HIDE, False)
    await expect(page.locator(f"#no-{first} .line")).to_be_attached()
