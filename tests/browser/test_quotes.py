"""Quotes: what a number stands for is one gesture away, and whoever is answered sees it."""

from playwright.async_api import BrowserContext, Page, expect

from service.store.database import Connection
from tests.browser.pages import go_to, in_view, live, read, write
from tests.browser.test_state import HIDE
from tests.site import Site
from tests.threads import Thread


async def answered(thread: Thread) -> tuple[int, int]:
    """A comment, forty others, and an answer to it: the numbers of both."""
    first = (await thread.post("The ferry sings two verses."))["no"]
    await thread.fill(40)
    return first, (await thread.post(f">>{first}\nThree, in winter."))["no"]


async def selected(page: Page, no: int, words: str) -> None:
    """Select words of a comment, as by a double click and a drag."""
    select = """([no, words]) => {
      const walker = document.createTreeWalker(document.querySelector(`#no-${no} .text`), NodeFilter.SHOW_TEXT);
      while (!walker.nextNode().data.includes(words));
      const at = walker.currentNode.data.indexOf(words);
      getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + words.length);
    }"""
    await page.evaluate(select, [no, words])


async def test_a_number_shows_its_comment_to_a_pointer_which_may_go_into_it(
    context: BrowserContext, thread: Thread
) -> None:
    first, last = await answered(thread)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(thread.url)
    await live(page)
    await go_to(page, f"#no-{last}")
    preview = page.locator(".preview")
    await page.hover(f"#no-{last} .text a.ref")
    await expect(preview).to_be_visible()
    await expect(preview).to_contain_text("The ferry sings two verses.")
    await expect(preview).to_contain_text(str(first))
    await preview.hover()
    await page.clock.run_for(5000)
    await expect(preview).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(preview).to_be_hidden()
    await page.mouse.move(5, 5)
    await page.hover(f"#no-{last} .text a.ref")
    await expect(preview).to_be_visible()
    await page.mouse.move(5, 5)
    await expect(preview).to_be_hidden()


async def test_a_number_shows_its_comment_to_the_focus(context: BrowserContext, thread: Thread) -> None:
    _, last = await answered(thread)
    page = await read(context, thread)
    await go_to(page, f"#no-{last}")
    link, preview = page.locator(f"#no-{last} .text a.ref"), page.locator(".preview")
    await page.locator(f"#no-{last} .permalink").focus()
    await page.keyboard.press("Tab")
    await expect(link).to_be_focused()
    await expect(preview).to_contain_text("The ferry sings two verses.")
    await expect(link).to_have_attribute("aria-describedby", "preview")
    await page.keyboard.press("Escape")
    await expect(preview).to_be_hidden()
    await expect(link).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(preview).to_be_hidden()


async def test_a_number_of_another_thread_shows_its_comment_and_leads_to_it(
    context: BrowserContext, thread: Thread, shared: Site, database: tuple[str, Connection]
) -> None:
    other = await Thread.begin(shared, database[1])
    away = (await other.post("Elsewhere <b>they</b> whistle."))["no"]
    no = (await thread.post(f">>{away}\nSo I heard."))["no"]
    page = await read(context, thread)
    await go_to(page, f"#no-{no}")
    await page.hover(f"#no-{no} .text a.ref")
    preview = page.locator(".preview")
    await expect(preview).to_contain_text("Elsewhere <b>they</b> whistle.")
    await expect(preview).to_contain_text(f">>{away} · A {other.slug}")
    await page.click(f"#no-{no} .text a.ref")
    await page.wait_for_url(f"**/{other.slug}*#no-{away}")
    await in_view(page, away)


async def test_a_number_that_is_earlier_in_the_thread_shows_its_comment(
    context: BrowserContext, thread: Thread
) -> None:
    first = (await thread.post("Long ago."))["no"]
    await thread.fill(60)
    last = (await thread.post(f">>{first}\nStill so."))["no"]
    page = await read(context, thread)
    await go_to(page, f"#no-{last}")
    assert await page.locator(f"#no-{first}").count() == 0
    await page.hover(f"#no-{last} .text a.ref")
    await expect(page.locator(".preview")).to_contain_text("Long ago.")
    await page.click(f"#no-{last} .text a.ref")
    await page.wait_for_url(f"**#no-{first}")
    await in_view(page, first)


async def test_a_click_on_a_number_goes_to_its_comment_on_the_page(context: BrowserContext, thread: Thread) -> None:
    first, last = await answered(thread)
    page = await read(context, thread)
    await page.evaluate("window.same = true")
    await go_to(page, f"#no-{last}")
    await page.click(f"#no-{last} .text a.ref")
    await in_view(page, first)
    await page.wait_for_url(f"**#no-{first}")
    assert await page.evaluate("window.same"), "the page was not loaded again"
    await page.go_back()
    await in_view(page, last)


async def test_who_answered_stands_below_each_comment_live_and_without_a_script(
    context: BrowserContext, thread: Thread
) -> None:
    first = (await thread.post("The ferry sings two verses."))["no"]
    page = await read(context, thread)
    answers = page.locator(f"#no-{first} .answers a")
    await expect(answers).to_have_count(0)
    one = await thread.post(f">>{first}\nThree, in winter.")
    await expect(answers).to_have_text([f">>{one['no']}"])
    two = await thread.post(f">>{first} >>{one['no']}\nFour.")
    await expect(answers).to_have_text([f">>{one['no']}", f">>{two['no']}"])
    await thread.retract(one)
    await expect(answers).to_have_text([f">>{two['no']}"])
    assert context.browser is not None
    plain = await context.browser.new_context(java_script_enabled=False)
    other = await plain.new_page()
    await other.goto(f"{thread.url}?seen=4")
    await expect(other.locator(f"#no-{first} .answers a")).to_have_text([f">>{two['no']}"])
    await other.click(f"#no-{first} .answers a")
    await other.wait_for_url(f"**#no-{two['no']}")
    await plain.close()


async def test_selected_words_are_quoted_with_their_number(context: BrowserContext, thread: Thread) -> None:
    no = (await thread.post("One verse of the horn.\n\nTwo verses."))["no"]
    page = await read(context, thread)
    await page.fill("#text", "I begin.")
    await go_to(page, f"#no-{no}")
    await selected(page, no, "verse of the horn")
    await page.click(f"#no-{no} .quote")
    await expect(page.locator("#text")).to_have_value(f"I begin.\n>>{no}\n> verse of the horn\n")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("Quite.")
    await expect(page.locator("#text")).to_have_value(f"I begin.\n>>{no}\n> verse of the horn\nQuite.")


async def test_several_selected_paragraphs_are_quoted_line_by_line(context: BrowserContext, thread: Thread) -> None:
    no = (await thread.post("One verse.\nTwo verses.\n\nThree verses."))["no"]
    page = await read(context, thread)
    await page.evaluate("(no) => getSelection().selectAllChildren(document.querySelector(`#no-${no} .text`))", no)
    await page.click(f"#no-{no} .quote")
    await expect(page.locator("#text")).to_have_value(f">>{no}\n> One verse.\n> Two verses.\n> Three verses.\n")


async def test_what_is_selected_elsewhere_is_not_quoted(context: BrowserContext, thread: Thread) -> None:
    one, two = [(await thread.post(f"Comment number {number}."))["no"] for number in (1, 2)]
    page = await read(context, thread)
    await selected(page, one, "number 1")
    await page.click(f"#no-{two} .quote")
    await expect(page.locator("#text")).to_have_value(f">>{two}\n")


async def test_ones_own_comments_and_answers_to_them_stand_out_and_count(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    await write(page, "The ferry sings two verses.")
    mine = page.locator(".comments .comment")
    await expect(mine.locator(".you")).to_have_text("You")
    no = await mine.get_attribute("data-no")
    title = await page.title()
    await page.evaluate(HIDE, True)
    await thread.post("Nothing to do with it.")
    answer = (await thread.post(f">>{no}\nThree, in winter."))["no"]
    await expect(page).to_have_title(f"(2 · ↩ 1) {title}")
    await expect(page.locator(f"#no-{answer} .to-you")).to_have_text("Answers you")
    await expect(page.locator(".to-you")).to_have_count(1)
    await page.evaluate(HIDE, False)
    await expect(page).to_have_title(title)
    await page.reload()
    await expect(page.locator(f"#no-{no} .you")).to_have_text("You")
    await expect(page.locator(f"#no-{answer} .to-you")).to_have_text("Answers you")
