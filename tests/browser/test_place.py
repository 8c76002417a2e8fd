"""The reader is never moved: whatever comes, what is being read or typed stays where it is, to the pixel."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.pages import counted, go_to, in_view, live, read
from tests.browser.watch import unmoved
from tests.threads import Thread

MANY = 26


async def caret(page: Page, text: str) -> None:
    """Write into the form without sending, and select two words in the middle of it."""
    await page.fill("#text", text)
    await page.focus("#text")
    await page.evaluate("document.getElementById('text').setSelectionRange(6, 12)")


async def test_comments_that_come_while_the_article_is_read_move_nothing(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    async with unmoved(page):
        await thread.posts(MANY)
        await counted(page, 30 + MANY)
    await expect(page.locator(".comments .comment:visible")).to_have_count(30 + MANY)
    await expect(page.locator(".pill")).to_be_hidden()


@pytest.mark.parametrize(("width", "anchoring"), [(390, "auto"), (1280, "auto"), (1280, "none")])
async def test_comments_that_come_above_below_and_amid_what_is_read_move_nothing(
    context: BrowserContext, thread: Thread, width: int, anchoring: str
) -> None:
    """Also where a browser keeps no place by itself (`overflow-anchor`)."""
    numbers = await thread.fill(100, hold=2)
    held = numbers[1::2]
    page = await read(context, thread)
    await page.set_viewport_size({"width": width, "height": 900})
    await go_to(page, f"#no-{numbers[50]}")
    await page.evaluate(
        "(no) => getSelection().selectAllChildren(document.querySelector(`#no-${no} .text`))", numbers[50]
    )
    await page.evaluate("(anchoring) => { document.documentElement.style.overflowAnchor = anchoring }", anchoring)
    seen = await page.evaluate(
        "[...document.querySelectorAll('.comment')].filter(c => { const r = c.getBoundingClientRect();"
        " return r.bottom > 0 && r.top < innerHeight }).map(c => +c.dataset.no)"
    )
    above = [no for no in held if no < seen[0]][:MANY]
    amid = [no for no in held if seen[0] < no < seen[-1]]
    below = [no for no in held if no > seen[-1]]
    assert min(len(above), len(amid), len(below)) > 1
    async with unmoved(page):
        await thread.publish(*above)
        await counted(page, 50 + len(above))
    async with unmoved(page):
        await thread.publish(*below)
        await thread.posts(MANY)
        await counted(page, 50 + len(above) + len(below) + MANY)
    await expect(page.locator(".pill")).to_have_text(f"{len(above) + len(below) + MANY} new comments")
    async with unmoved(page):
        await thread.publish(*amid)
        await counted(page, 50 + len(above) + len(below) + MANY + len(amid))
    for no in above + below:
        await expect(page.locator(f"#no-{no}")).to_be_visible()
    for no in amid:
        await expect(page.locator(f"#no-{no}")).to_be_hidden()
    await go_to(page, ".composer")  # their place is out of view now
    for no in amid:
        await expect(page.locator(f"#no-{no}")).to_be_visible()


async def test_comments_that_come_while_one_types_move_nothing_and_keep_focus_text_and_selection(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    await caret(page, "Hello there, all of you")
    for count, block in ((30, "end"), (30 + MANY, "start")):  # the thread's end in view, and above the view
        await go_to(page, ".composer", block)
        async with unmoved(page):
            await thread.posts(MANY)
            await counted(page, count + MANY)
    await page.keyboard.type("everybody")
    await expect(page.locator("#text")).to_have_value("Hello everybody all of you")


async def test_typing_goes_on_while_comments_come(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    await page.focus("#text")
    top = await page.evaluate("document.getElementById('text').getBoundingClientRect().top")
    for number in range(MANY):
        await page.keyboard.type("ab ")
        await thread.post(f"number {number}")
    await counted(page, 30 + MANY)
    await expect(page.locator("#text")).to_have_value("ab " * MANY)
    assert await page.evaluate("document.getElementById('text').getBoundingClientRect().top") == top


async def test_comments_that_come_at_the_end_wait_behind_a_pill_that_goes_to_them(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    await go_to(page, ".composer", "end")
    async with unmoved(page):
        first, *_ = await thread.posts(3)
        await counted(page, 33)
    await expect(page.locator(".pill")).to_have_text("3 new comments")
    await page.click(".pill")
    await in_view(page, first)
    await expect(page.locator(f"#no-{first}")).to_be_focused()
    await expect(page.locator(".pill")).to_be_hidden()
    async with unmoved(page):
        await thread.posts(MANY)
        await counted(page, 33 + MANY)


async def test_the_end_key_goes_to_what_is_new(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    await go_to(page, ".composer", "end")
    first, *_ = await thread.posts(3)
    await expect(page.locator(".pill")).to_have_text("3 new comments")
    await page.keyboard.press("End")
    await in_view(page, first)
    await expect(page.locator(".pill")).to_be_hidden()


async def test_the_first_comments_of_a_thread_move_nothing(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await go_to(page, "live-thread", "center")
    async with unmoved(page):
        first, *_ = await thread.posts(MANY)
        await counted(page, MANY)
    await expect(page.locator(".pill")).to_have_text("26 new comments")
    await page.click(".pill")
    await in_view(page, first)


async def test_what_is_taken_away_in_view_moves_nothing(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(20)
    accepted = await thread.post("Three paragraphs.\n\nOf which\n\nnothing stays.")
    numbers = await thread.fill(20)
    page = await read(context, thread)
    await go_to(page, f"#no-{accepted['no']}")
    async with unmoved(page):
        await thread.retract(accepted)
        await expect(page.locator(f"#no-{accepted['no']} .gone")).to_be_visible()
    async with unmoved(page):
        await thread.remove(*numbers[:2])
        await expect(page.locator(f"#no-{numbers[1]} .gone")).to_be_visible()


async def test_following_keeps_to_the_end_until_one_scrolls_away(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(30)
    page = await read(context, thread)
    follow = page.get_by_role("switch", name="Follow")
    await expect(follow).to_have_attribute("aria-checked", "false")
    await follow.click()
    await expect(follow).to_have_attribute("aria-checked", "true")
    for _ in range(8):
        await in_view(page, (await thread.post())["no"])
    await expect(follow).to_have_attribute("aria-checked", "true")
    await expect(page.locator(".pill")).to_be_hidden()
    await page.mouse.move(640, 450)
    await page.mouse.wheel(0, -2000)
    await expect(follow).to_have_attribute("aria-checked", "false")
    async with unmoved(page):
        await thread.posts(3)
        await counted(page, 41)


async def test_who_comes_back_sees_where_one_had_got_to_and_what_changed(
    context: BrowserContext, thread: Thread
) -> None:
    numbers = await thread.fill(30)
    page = await read(context, thread)
    await go_to(page, ".composer", "end")
    await page.goto("about:blank")
    await thread.remove(numbers[3])
    first, *_ = await thread.posts(3)
    await page.goto(thread.url)
    await live(page)
    since = page.locator(".since")
    await expect(since).to_have_text(
        f"Since you were here: 3 new comments. 1 comment that you had seen was taken away: >>{numbers[3]}"
    )
    await expect(page.locator(f"#no-{first} .line")).to_have_text("New since you were here")
    await expect(page.locator(".line")).to_have_count(1)
    await since.locator("a").click()
    await in_view(page, numbers[3])


async def test_who_goes_to_the_form_from_amid_a_long_thread_does_not_load_all_of_it(
    context: BrowserContext, thread: Thread
) -> None:
    numbers = await thread.fill(600)
    page = await read(context, thread, f"?around={numbers[100]}#no-{numbers[100]}")
    await page.set_viewport_size({"width": 390, "height": 600})  # the form fills it
    await go_to(page, ".composer", "start")
    await thread.post()
    await counted(page, 601)
    await go_to(page, ".composer", "start")
    await expect(page.locator(".comments .comment")).to_have_count(50)
    await go_to(page, ".later")
    await expect(page.locator(".comments .comment")).to_have_count(250)


async def test_a_restored_thread_is_merged_in_place(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(300)
    page = await read(context, thread)
    await page.fill("#text", "A draft")
    await go_to(page, f"#no-{numbers[275]}")
    epoch = await page.locator("live-thread").get_attribute("data-epoch")
    async with unmoved(page):
        await thread.restore()
        await expect(page.locator("live-thread")).not_to_have_attribute("data-epoch", str(epoch))
        await live(page)
        await counted(page, 300)
    await expect(page.locator("#text")).to_have_value("A draft")


async def test_who_missed_too_much_gets_it_around_what_is_read(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(300)
    page = await read(context, thread)
    await page.fill("#text", "A draft")
    await go_to(page, f"#no-{numbers[275]}")
    async with unmoved(page):
        await _miss(context, page, thread, 400)
        await counted(page, 700)
    await expect(page.locator("#text")).to_have_value("A draft")
    await expect(page.locator("live-thread")).to_have_attribute("data-later", "true")


async def test_who_missed_too_much_while_writing_goes_on_writing(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(60)
    page = await read(context, thread)
    await page.set_viewport_size({"width": 1280, "height": 380})
    await caret(page, "Hello there, all of you")
    await go_to(page, ".composer", "start")
    async with unmoved(page):
        newest = await _miss(context, page, thread, 400)
        await counted(page, 460)
    await expect(page.locator(f"#no-{newest}")).to_be_visible()
    await expect(page.locator(".earlier")).to_have_text("Earlier comments (260)")


async def _miss(context: BrowserContext, page: Page, thread: Thread, count: int) -> int:
    """Be away while so many comments come: the number of the last."""
    await context.set_offline(True)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "offline")
    numbers = await thread.fill(count)
    await context.set_offline(False)
    await live(page)
    return numbers[-1]
