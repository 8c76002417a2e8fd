"""How the pages look in a real Chromium: at any width, in either scheme, on paper, in any direction, and at rest."""

from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from service import resources
from service.assets import Assets
from service.store.database import Connection
from tests.browser.kinds import Kind
from tests.browser.pages import live, open_page, write
from tests.site import Site
from tests.threads import Thread

WIDTHS = (320, 390, 820, 1440)
LIGHT, DARK = "rgb(252, 251, 247)", "rgb(22, 23, 24)"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WORDS = "Twenty-four seconds is one verse of the horn, and the ferry sings two of them before the light changes. "

ARABIC = """---
title: المدينة التي صوّتت لتبقى في الظل
date: 2026-01-01T12:00:00Z
author: ليلى المنصوري
summary: لم يسأل أحدٌ التجّار.
---
في الصباح يفتح التجّار أبوابهم.

The English name is Shade Street; see [the map](https://example.org/map).

- المظلّات الخضراء
"""

# Where the first line of a text begins: how far its ink lies from either edge of its element.
EDGES = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const line = range.getClientRects()[0], box = element.getBoundingClientRect();
    return [line.left - box.left, box.right - line.right];
}"""


async def converse(thread: Thread, *texts: str) -> list[int]:
    """Comments by somebody else: their numbers."""
    return [(await thread.post(text))["no"] for text in texts]


async def top(page: Page, no: int) -> float:
    """How far below the window's upper edge a comment begins."""
    found: float = await page.locator(f"#no-{no}").evaluate("item => item.getBoundingClientRect().top")
    return found


async def heights(page: Page) -> dict[str, float]:
    """How high each comment is, by its number."""
    found: dict[str, float] = await page.locator(".comments .comment").evaluate_all(
        "items => Object.fromEntries(items.map(item => [item.dataset.no, item.getBoundingClientRect().height]))"
    )
    return found


def test_all_style_is_small() -> None:
    assets = Assets(resources.STATIC)
    sheets = [path.relative_to(resources.STATIC).as_posix() for path in resources.STATIC.rglob("*.css")]
    assert sum(len(assets.find("", sheet)[0].encodings["gzip"]) for sheet in sheets) <= 12 * 1024


async def test_no_page_is_wider_than_its_window_at_any_width_or_zoom(
    browser: Browser, shared: Site, every_kind: list[Kind]
) -> None:
    complaints: list[str] = []
    wide = []
    for width, zoom in [*((width, 1) for width in WIDTHS), (640, 2)]:
        context = await browser.new_context(viewport={"width": width, "height": 800}, device_scale_factor=zoom)
        for kind in every_kind:
            page = await open_page(context, shared.url + kind.path, complaints)
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(f"{kind.name} at {width}")
            await page.close()
        await context.close()
    assert wide == []
    assert [line for line in complaints if "404" not in line] == []


async def test_the_scheme_is_the_systems_or_the_chosen_one_from_the_first_frame_on(
    browser: Browser, thread: Thread
) -> None:
    context = await browser.new_context(color_scheme="light")
    page = await context.new_page()
    await page.goto(thread.url)
    assert await page.evaluate(BACKGROUND) == LIGHT
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(BACKGROUND) == DARK
    await page.click("theme-switch button")
    assert await page.evaluate(BACKGROUND) == LIGHT, "light, whatever the system"
    await page.emulate_media(color_scheme="light")
    await page.click("theme-switch button")
    assert await page.evaluate(BACKGROUND) == DARK, "dark, whatever the system"
    await page.add_init_script(f"""
        window.seen = [];
        (function look() {{
            if (document.body) seen.push({BACKGROUND});
            requestAnimationFrame(look);
        }})();
    """)
    await page.reload()
    await live(page)
    assert set(await page.evaluate("seen")) == {DARK}
    await context.close()


async def test_on_paper_there_are_the_article_and_its_thread_and_nothing_to_press(
    browser: Browser, shared: Site, database: tuple[str, Connection], tmp_path: Path
) -> None:
    thread = await load(shared, database[1], tmp_path)
    (no,) = await converse(thread, "The roundabout has my vote.")
    context = await browser.new_context(color_scheme="dark")
    page = await context.new_page()
    await page.goto(thread.url)
    await live(page)
    await page.emulate_media(media="print")
    for shown in ("h1", ".prose", ".count", f"#no-{no} .permalink", f"#no-{no} time", f"#no-{no} .text"):
        await expect(page.locator(shown)).to_be_visible()
    assert (
        await page.locator("button:visible, textarea:visible, nav:visible, .lists:visible, .ago:visible").count() == 0
    )
    assert await page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert await page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    address = await page.locator(".prose a").evaluate("link => getComputedStyle(link, '::after').content")
    assert "https://example.org/map" in address
    await context.close()


async def load(site: Site, database: Connection, folder: Path) -> Thread:
    """Publish an article that is written from right to left."""
    (folder / "written").mkdir()
    (folder / "written/arabic.md").write_text(ARABIC)
    await site.load(folder / "written")
    return Thread(site, database, "arabic", await database.fetchval("SELECT id FROM articles WHERE slug = 'arabic'"))


async def test_each_text_begins_where_its_script_does(
    browser: Browser, shared: Site, database: tuple[str, Connection], tmp_path: Path
) -> None:
    thread = await load(shared, database[1], tmp_path)
    (no,) = await converse(thread, "أخيراً مقالة عن الظل.\n\nThe street is the wrong one.")
    page = await browser.new_page()
    await page.goto(thread.url)
    arabic = ("h1", ".standfirst", ".prose p:first-child", f"#no-{no} p:first-child")
    english = (".prose p:nth-child(2)", f"#no-{no} p:nth-child(2)", "#no-1 .by, .by")
    for selector in arabic:
        left, right = await page.locator(selector).evaluate(EDGES)
        assert right < 1 < left, selector
    for selector in english:
        left, _ = await page.locator(selector).first.evaluate(EDGES)
        assert left < 1, selector
    item, marker = page.locator(".prose li"), "item => getComputedStyle(item).direction"
    assert await item.evaluate(marker) == "rtl"
    header = await page.locator(f"#no-{no} header").inner_text()
    assert header.index("Anonymous") < header.index(f"No. {no}")
    await page.close()


async def test_nothing_is_animated_for_who_wants_less_motion(browser: Browser, thread: Thread) -> None:
    wanted: tuple[tuple[BrowserContext, bool], ...] = (
        (await browser.new_context(reduced_motion="reduce"), False),
        (await browser.new_context(reduced_motion="no-preference"), True),
    )
    for context, moves in wanted:
        page = await context.new_page()
        await page.goto(thread.url)
        await live(page)
        await converse(thread, "Just come.")
        await expect(page.locator(".fresh").last).to_be_attached()
        style = await page.locator(".fresh").last.evaluate("item => getComputedStyle(item).animationName")
        assert (style != "none") is moves
        await context.close()


async def test_what_the_script_fills_in_changes_no_comments_height(browser: Browser, thread: Thread) -> None:
    first, *_ = await converse(thread, WORDS * 3, "First.", "שלום 👋 नमस्ते\n\n" + WORDS)
    for width in (320, 1440):
        viewport = ViewportSize(width=width, height=800)
        context = await browser.new_context(viewport=viewport, java_script_enabled=True)
        page = await context.new_page()
        await page.goto(thread.url)
        await live(page)
        await write(page, f">>{first}\nMine.")
        own = page.locator(".comments .mine")
        await expect(own).to_have_count(1)
        no = await own.get_attribute("data-no")
        await page.goto(f"{thread.site.url}/")
        await converse(thread, *(f">>{no}\n>>{first}\nAn answer." for _ in range(15)))
        await page.goto(f"{thread.url}?around={first}#no-{first}")
        await live(page)
        for part in (".own-acts", ".you.badge", ".line"):
            await expect(page.locator(f".comments {part}").first).to_be_visible()
        assert await page.locator(".comments .to-you.badge").count() >= 15
        assert await page.locator(f"#no-{first} .answers a").count() >= 16
        await expect(page.locator(f"#no-{first} .ago")).not_to_be_empty()
        bare = await browser.new_context(viewport=viewport, java_script_enabled=False)
        without = await bare.new_page()
        await without.goto(thread.url)
        expected = await heights(without)
        assert await heights(page) == expected
        assert all(height == round(height) for height in expected.values()), "scrolling can make up for whole pixels"
        await context.close()
        await bare.close()


async def test_a_permalink_lands_exactly_and_its_comment_stands_out(browser: Browser, thread: Thread) -> None:
    numbers = await converse(thread, *(f"{number}. {WORDS * (number % 5)}" for number in range(130)))
    context = await browser.new_context(viewport={"width": 820, "height": 700})
    page = await context.new_page()
    for no in (numbers[3], numbers[70], numbers[120]):
        await page.goto("about:blank")
        await page.goto(f"{thread.site.url}/comments/{no}")
        await live(page)
        margin = await page.locator(f"#no-{no}").evaluate("item => parseFloat(getComputedStyle(item).scrollMarginTop)")
        assert abs(await top(page, no) - margin) < 1
        colours = await page.locator(".comments .comment").evaluate_all(
            "items => items.map(item => getComputedStyle(item).backgroundColor)"
        )
        assert len(set(colours)) == 2
    await context.close()
