"""Times: to the minute in the site's zone, and how long ago in the reader's language, kept fresh."""

import datetime
import re
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from service.store.database import Connection
from tests.browser.pages import live, read
from tests.site import Site
from tests.threads import Thread

BERLIN = ZoneInfo("Europe/Berlin")  # the shared site's
TWO_MINUTES = datetime.timedelta(minutes=2)


async def dated(thread: Thread, database: Connection, at: datetime.datetime) -> int:
    """A comment of that time."""
    (no,) = await thread.fill(1)
    await database.execute("UPDATE comments SET at = $2 WHERE no = $1", no, at)
    return no


@pytest.mark.parametrize("script", [True, False])
async def test_a_comments_time_is_that_of_the_site(
    browser: Browser, thread: Thread, database: tuple[str, Connection], script: bool
) -> None:
    no = await dated(thread, database[1], datetime.datetime(2017, 11, 9, 22, 7, 40, tzinfo=datetime.UTC))
    context = await browser.new_context(timezone_id="America/New_York", java_script_enabled=script)
    page = await context.new_page()
    await page.goto(thread.url)
    time = page.locator(f"#no-{no} time")
    await expect(time).to_have_text("2017-11-09 : 23:07")
    await expect(time).to_have_attribute("datetime", "2017-11-09T22:07:40Z")
    await context.close()


async def test_a_comment_that_comes_live_has_the_same_time_as_on_a_page_loaded_later(
    browser: Browser, thread: Thread
) -> None:
    context = await browser.new_context(timezone_id="America/New_York", locale="ar-EG")
    page = await read(context, thread)
    no = (await thread.post())["no"]
    time = page.locator(f"#no-{no} time")
    await expect(time).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d : \d\d:\d\d$"))
    shown = await time.inner_text()
    assert abs(datetime.datetime.strptime(shown, "%Y-%m-%d : %H:%M").replace(tzinfo=BERLIN) - _now()) < TWO_MINUTES
    await page.reload()
    await expect(time).to_have_text(shown)
    await context.close()


def _now() -> datetime.datetime:
    return datetime.datetime.now(BERLIN)


@pytest.mark.parametrize(
    ("locale", "minutes", "hours", "days"),
    [
        ("en-GB", "2 min ago", "3 hr ago", "5 days ago"),
        ("de-DE", "vor 2 Min.", "vor 3 Std.", "vor 5 Tagen"),
        ("ja-JP", "2 分前", "3 時間前", "5 日前"),
    ],
)
async def test_how_long_ago_is_told_in_the_readers_language(
    browser: Browser, shared: Site, database: tuple[str, Connection], locale: str, minutes: str, hours: str, days: str
) -> None:
    thread = await Thread.begin(shared, database[1])
    age = [datetime.timedelta(days=5, minutes=5), datetime.timedelta(hours=3, minutes=5), TWO_MINUTES * 1.2]
    numbers = [await dated(thread, database[1], _now() - each) for each in age]
    context = await browser.new_context(locale=locale)
    page = await read(context, thread)
    await page.locator(f"#no-{numbers[-1]}").scroll_into_view_if_needed()
    for no, words in zip(numbers, (days, hours, minutes), strict=True):
        hint = page.locator(f"#no-{no} .ago")
        await expect(hint).to_have_text(re.compile(re.sub(r"\s", r"\\s?", words)))
        await expect(hint).to_have_attribute("lang", locale)
    await context.close()


async def test_a_browser_that_names_its_language_by_no_tag_reads_all_the_same(
    context: BrowserContext, thread: Thread
) -> None:
    no = (await thread.post())["no"]
    await context.add_init_script("Object.defineProperty(navigator, 'language', { get: () => 'en-US@posix' })")
    page = await read(context, thread, f"#no-{no}")
    await expect(page.locator(f"#no-{no} .ago")).not_to_be_empty()


async def read_by_a_clock(context: BrowserContext, thread: Thread) -> tuple[Page, int]:
    """A page whose time a test sets, with a new comment in view; its number."""
    no = int((await thread.post())["no"])
    page = await context.new_page()
    await page.clock.install()
    await page.goto(thread.url)
    await live(page)
    await page.locator(f"#no-{no}").scroll_into_view_if_needed()
    return page, no


async def test_how_long_ago_is_kept_fresh(context: BrowserContext, thread: Thread) -> None:
    page, no = await read_by_a_clock(context, thread)
    hint = page.locator(f"#no-{no} .ago")
    await expect(hint).to_have_text(re.compile(r"^(\d+ sec ago|now)$"))
    await page.clock.fast_forward("02:10")
    await expect(hint).to_have_text("2 min ago")
    await page.clock.fast_forward("01:00:00")
    await expect(hint).to_have_text("1 hr ago")


async def test_a_hint_that_grows_moves_nothing_beside_it(context: BrowserContext, thread: Thread) -> None:
    page, no = await read_by_a_clock(context, thread)
    places = f"() => [...document.querySelectorAll('#no-{no} *')].map((e) => [e.className, e.offsetLeft, e.offsetTop])"
    await expect(page.locator(f"#no-{no} .ago")).not_to_be_empty()
    before = await page.evaluate(places)
    await page.clock.fast_forward("11:00:00")
    await expect(page.locator(f"#no-{no} .ago")).to_have_text("11 hr ago")
    assert await page.evaluate(places) == before
