"""Long threads: what is not on the page is one step away, and what is on it is read as smoothly as a short one."""

import asyncio
import statistics
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from service.store.database import Connection
from tests.browser.pages import go_to, in_view, read
from tests.browser.watch import unmoved
from tests.site import Site
from tests.threads import Thread

MANY = 100_000
LOADED = 10_000
ARRIVALS = 60
DEARER = 2.5  # times: it is 1.3, and 3.8 where the style sheet does not let comments rest (`content-visibility`)

NUMBERS = "[...document.querySelectorAll('.comments .comment')].map((comment) => +comment.dataset.no)"

# Until a change is on the page, and drawn.
SEEN = """(version) => new Promise((seen) => {
  const thread = document.querySelector("live-thread");
  const look = () => {
    if (Number(thread.dataset.version) < version) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(seen)));
  };
  const watch = new MutationObserver(look);
  watch.observe(thread, { attributeFilter: ["data-version"] });
  look();
})"""


class Long:
    """A thread of very many comments, and their numbers."""

    def __init__(self, thread: Thread, numbers: list[int]) -> None:
        self.thread = thread
        self.numbers = numbers


@pytest_asyncio.fixture(scope="module")
async def long(shared: Site, database: tuple[str, Connection]) -> Long:
    thread = await Thread.begin(shared, database[1])
    return Long(thread, await thread.fill(MANY))


@pytest_asyncio.fixture
async def plain(browser: Browser) -> AsyncIterator[Page]:
    """A page without scripts."""
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def test_earlier_comments_are_loaded_above_what_is_read_and_nothing_moves(
    context: BrowserContext, long: Long
) -> None:
    page = await read(context, long.thread)
    link = page.locator(".earlier")
    await expect(link).to_have_text(f"Earlier comments ({len(long.numbers) - 50:,})")
    await go_to(page, f"#no-{long.numbers[-49]}", "start")
    async with unmoved(page):
        await page.evaluate("document.querySelector('.earlier').click()")  # it stands just above the view
        await expect(page.locator(".comment")).to_have_count(250)
    await expect(link).to_have_text(f"Earlier comments ({len(long.numbers) - 250:,})")
    assert await page.evaluate(NUMBERS) == long.numbers[-250:]
    await page.click(".earlier")
    await expect(link).to_have_text(f"Earlier comments ({len(long.numbers) - 450:,})")
    assert await page.evaluate(NUMBERS) == long.numbers[-450:]


async def test_without_a_script_one_pages_back_and_forth(plain: Page, long: Long) -> None:
    await plain.goto(long.thread.url)
    first, last = plain.locator(".comment").first, plain.locator(".comment").last
    await expect(first).to_have_attribute("data-no", str(long.numbers[-50]))
    await plain.click(".earlier")
    await expect(first).to_have_attribute("data-no", str(long.numbers[-100]))
    await expect(last).to_have_attribute("data-no", str(long.numbers[-51]))
    await plain.click(".earlier")
    await expect(first).to_have_attribute("data-no", str(long.numbers[-150]))
    await plain.click(".later")
    await expect(first).to_have_attribute("data-no", str(long.numbers[-100]))
    await expect(last).to_have_attribute("data-no", str(long.numbers[-51]))
    await plain.click(".newest")
    await expect(last).to_have_attribute("data-no", str(long.numbers[-1]))
    await expect(plain.locator(".later")).to_be_hidden()


async def test_a_permalink_lands_on_its_comment_and_one_reads_on_from_there(
    context: BrowserContext, long: Long
) -> None:
    no = long.numbers[MANY // 2]
    page = await context.new_page()
    await page.goto(f"{long.thread.site.url}/comments/{no}")
    comment = page.locator(f"#no-{no}")
    await expect(comment).to_be_in_viewport(ratio=1)
    assert 0 <= await comment.evaluate("(item) => item.getBoundingClientRect().top") < 100
    color = "(item) => getComputedStyle(item).backgroundColor"
    assert await comment.evaluate(color) != await page.locator(".comment").first.evaluate(color)
    await page.mouse.move(640, 450)
    for beyond, by in ((MANY // 2 + 120, 4000), (MANY // 2 - 120, -4000)):
        await _scroll_until(page, long.numbers[beyond], by)
    shown = await page.evaluate(NUMBERS)
    start = long.numbers.index(shown[0])
    assert shown == long.numbers[start : start + len(shown)], "a run without holes"


async def test_a_permalink_lands_on_its_comment_without_a_script(plain: Page, long: Long) -> None:
    no = long.numbers[MANY // 3]
    await plain.goto(f"{long.thread.site.url}/comments/{no}")
    await expect(plain.locator(f"#no-{no}")).to_be_in_viewport(ratio=1)


async def test_the_browsers_find_finds_what_is_loaded_wherever_it_is(context: BrowserContext, long: Long) -> None:
    page = await read(context, long.thread)
    await _load(page, 1050)
    for place in (-1040, -500, -3):
        words = f"{long.numbers.index(long.numbers[place]) + 1}. "
        assert await page.evaluate("(words) => { getSelection().empty(); return find(words) }", words)
        await in_view(page, long.numbers[place])


async def test_among_ten_thousand_comments_what_comes_costs_about_what_it_costs_among_fifty(
    context: BrowserContext, long: Long
) -> None:
    """A machine of any speed, on which other programs run: so it is a ratio, of processor time."""
    page = await read(context, long.thread)
    few = await _costs(page, long)
    await _load(page, LOADED)
    many = await _costs(page, long)
    for where, among_few in few.items():
        assert many[where] < DEARER * among_few, f"{where}: {among_few} ms among few, {many[where]} ms among many"


async def _costs(page: Page, long: Long) -> dict[str, float]:
    """What an arrival takes of the page's main thread, all its frames, in ms: at the end, and amid the list."""
    metrics = await page.context.new_cdp_session(page)
    await metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

    async def spent() -> float:
        told = (await metrics.send("Performance.getMetrics"))["metrics"]
        return next(1000 * float(metric["value"]) for metric in told if metric["name"] == "TaskDuration")

    shown = await page.evaluate(NUMBERS)
    costs: dict[str, float] = {}
    for where, selector in (("at the end", ".composer"), ("amid the list", f"#no-{shown[len(shown) // 2]}")):
        await go_to(page, selector)
        found = []
        for _ in range(ARRIVALS):
            before = await spent()
            accepted = await long.thread.post()
            long.numbers.append(accepted["no"])
            await page.evaluate(SEEN, accepted["version"])
            found.append(await spent() - before)
        costs[where] = statistics.median(found)
    await metrics.detach()
    return costs


async def _load(page: Page, count: int) -> None:
    """Load earlier comments until so many are on the page."""
    load = """(count) => new Promise((loaded) => {
      const list = document.querySelector(".comments");
      const more = () => {
        if (list.querySelectorAll(".comment").length >= count) { watch.disconnect(); loaded(); }
        else setTimeout(() => document.querySelector(".earlier").click());
      };
      const watch = new MutationObserver(more);
      watch.observe(list, { childList: true });
      more();
    })"""
    await page.evaluate(load, count)


async def _scroll_until(page: Page, no: int, by: int) -> None:
    """Turn the wheel until a comment is in view or has passed it."""
    passed = "([no, by]) => { const item = document.getElementById(`no-${no}`);"
    passed += " return item && (by > 0 ? item.getBoundingClientRect().top < innerHeight"
    passed += " : item.getBoundingClientRect().bottom > 0) }"
    async with asyncio.timeout(30):
        while not await page.evaluate(passed, [no, by]):
            await page.mouse.wheel(0, by)
            await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
