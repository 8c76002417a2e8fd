"""Without a script all of it works; with one, but without what carries it live, too."""

import re

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.pages import write
from tests.threads import Thread


async def test_without_a_script_one_reads_pages_both_ways_and_follows_permalinks(
    browser: Browser, thread: Thread
) -> None:
    numbers = await thread.fill(120)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(thread.url)
    shown = page.locator(".comments .comment")
    await expect(shown).to_have_count(50)
    await expect(shown.first).to_have_id(f"no-{numbers[70]}")
    await expect(page.locator(".later")).to_be_hidden()
    await page.click("text=Earlier comments (70)")
    await expect(shown.last).to_have_id(f"no-{numbers[69]}")
    await page.click(".earlier")
    await expect(shown.first).to_have_id(f"no-{numbers[0]}")
    await expect(page.locator(".earlier")).to_be_hidden()
    await page.click("text=Later comments")
    await expect(shown.first).to_have_id(f"no-{numbers[20]}")
    await page.locator(f"#no-{numbers[30]} .permalink").click()
    await expect(page).to_have_url(re.compile(f"/articles/{thread.slug}.*#no-{numbers[30]}$"))
    await expect(page.locator(f"#no-{numbers[30]}")).to_be_in_viewport()
    await page.click("text=Newest comments")
    await expect(shown.last).to_have_id(f"no-{numbers[-1]}")
    await context.close()


async def test_without_a_script_one_quotes_posts_and_is_refused(browser: Browser, thread: Thread) -> None:
    [first] = await thread.fill(1)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(thread.url)
    for tool in (".hide", ".tools", ".pulse", ".pill", ".own-acts"):
        assert await page.locator(f"{tool}:visible").count() == 0, "what needs a script is not offered"
    await page.locator(f"#no-{first} .quote").click()
    await expect(page.locator("#text")).to_have_value(f">>{first}\n")
    await expect(page.locator("#text")).to_be_in_viewport()
    await write(page, f">>{first}\nSo it is, without a script.")
    answer = page.locator(".comments .comment").last
    await expect(answer.locator(".text")).to_contain_text("So it is, without a script.")
    await expect(answer).to_be_in_viewport()
    no = await answer.get_attribute("data-no")
    await expect(page.locator(f"#no-{first} .answers a")).to_have_attribute("href", f"/comments/{no}")
    await write(page, "x" * 5001)
    await expect(page.locator("#form-error")).to_contain_text("5,000")
    assert await page.input_value("#text") == "x" * 5001
    await thread.declare("closed")
    await write(page, "Too late, too")
    await expect(page.locator("#form-error")).to_contain_text("closed")
    await expect(page.locator("#text")).to_have_value("Too late, too")
    await context.close()


async def test_without_a_script_a_held_comment_says_so(browser: Browser, thread: Thread) -> None:
    await thread.declare("held")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(thread.url)
    await write(page, "May I?")
    await expect(page.locator(".composer .status")).to_contain_text("when a moderator has read it")
    await expect(page.locator(".composer .status")).to_be_in_viewport()
    await context.close()


@pytest.mark.parametrize(
    ("lacks", "state"),
    [
        ("delete window.WebSocket", "stream"),
        ("delete window.WebSocket; delete window.EventSource", "polling"),
    ],
)
async def test_a_browser_without_sockets_reads_along_and_posts(
    context: BrowserContext, thread: Thread, lacks: str, state: str
) -> None:
    await context.add_init_script(lacks)
    page = await context.new_page()
    await page.goto(thread.url)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", state, timeout=15_000)
    await write(page, "By other means")
    await expect(page.locator(".comments .comment.mine .text")).to_have_text("By other means", timeout=15_000)
    await expect(page.locator(".outgoing .comment")).to_have_count(0)
    await thread.post("Heard of it")
    await expect(page.locator("live-thread")).to_have_attribute("data-count", "2", timeout=15_000)
    assert [state for state, _ in await thread.stored()] == ["published", "published"]


async def test_whose_sockets_are_eaten_on_the_way_reads_and_posts_without(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context()  # its console tells of what is eaten
    page = await context.new_page()
    await page.route_web_socket(lambda url: "/live?" in url, lambda socket: socket.close())
    await page.goto(thread.url)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "stream", timeout=15_000)
    await write(page, "By other means")
    await expect(page.locator(".comments .comment.mine .text")).to_have_text("By other means")
    await expect(page.locator(".outgoing .comment")).to_have_count(0)
    await context.close()


async def test_without_a_script_one_reports_a_comment_and_is_thanked(browser: Browser, thread: Thread) -> None:
    [no] = await thread.fill(1)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(thread.url)
    await page.locator(f"#no-{no} .report").click()
    await page.get_by_label("Illegal content").check()
    await page.get_by_label("What a moderator should know").fill("See the second line")
    await page.get_by_role("button", name="Send the report").click()
    await expect(page.get_by_role("status")).to_have_text("Thank you. A moderator will look at it.")
    await page.get_by_role("link", name=f"No. {no}").click()
    await expect(page.locator(f"#no-{no}")).to_be_in_viewport()
    await context.close()
