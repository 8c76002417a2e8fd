"""Everything can be done by keys, and nobody is surprised by one, nor by what comes meanwhile."""

import re

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.pages import axe, counted, read, write
from tests.site import eventually
from tests.threads import Thread

OUTLINE = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}"""


async def at(page: Page, no: int) -> None:
    """Wait until a comment has the focus, and can be seen to have it."""
    await expect(page.locator(f"#no-{no}")).to_be_focused()
    await expect(page.locator(f"#no-{no}")).to_be_in_viewport()
    assert await page.evaluate(OUTLINE)


async def test_j_and_k_go_from_comment_to_comment(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(30)
    page = await read(context, thread, "#thread")
    await page.keyboard.press("j")
    await at(page, numbers[0])
    for no in numbers[1:]:
        await page.keyboard.press("j")
        await at(page, no)
    await page.keyboard.press("j")
    await at(page, numbers[-1])
    await page.keyboard.press("k")
    await at(page, numbers[-2])
    await expect(page.locator(":focus")).to_have_accessible_name(re.compile(rf"^Anonymous No\. {numbers[-2]} "))


async def test_r_quotes_the_comment_at_hand_or_what_is_selected_of_it(context: BrowserContext, thread: Thread) -> None:
    first = (await thread.post("One line\nand another"))["no"]
    second = (await thread.post("Something else"))["no"]
    page = await read(context, thread, "#thread")
    await page.locator(f"#no-{second}").focus()
    await page.keyboard.press("r")
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#text")).to_have_value(f">>{second}\n")
    await page.locator(f"#no-{first}").focus()
    await page.evaluate("(no) => getSelection().selectAllChildren(document.querySelector(`#no-${no} .text`))", first)
    await page.keyboard.press("r")
    await expect(page.locator("#text")).to_have_value(f">>{second}\n>>{first}\n> One line\n> and another\n")


async def test_single_keys_do_nothing_while_one_is_writing_or_with_another_key(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.fill(3)
    page = await read(context, thread, "#thread")
    await page.focus("#text")
    await page.keyboard.type("jkr?")
    await expect(page.locator("#text")).to_have_value("jkr?")
    await expect(page.locator(".settings")).to_be_hidden()
    await page.locator(".comment").first.focus()
    await page.keyboard.press("Alt+r")
    await expect(page.locator(".comment").first).to_be_focused()
    await page.click(".open-settings")
    await page.locator(".shortcuts").focus()
    await page.keyboard.press("j")
    await expect(page.locator(".shortcuts")).to_be_focused()


async def test_single_keys_can_be_switched_off_for_good(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(3)
    page = await read(context, thread, "#thread")
    await page.keyboard.press("?")
    await expect(page.locator(".settings")).to_be_visible()
    await expect(page.locator(".shortcuts")).to_be_checked()
    await page.locator(".shortcuts").uncheck()
    await page.keyboard.press("Escape")
    await expect(page.locator(".settings")).to_be_hidden()
    for _ in range(2):
        await page.locator(f"#no-{numbers[0]}").focus()
        for key in "jkr?":
            await page.keyboard.press(key)
        await expect(page.locator(f"#no-{numbers[0]}")).to_be_focused()
        await expect(page.locator(".settings")).to_be_hidden()
        await expect(page.locator("#text")).to_have_value("")
        await page.reload()
    await page.click(".open-settings")
    await page.locator(".shortcuts").check()
    await page.keyboard.press("Escape")
    await expect(page.locator(".open-settings")).to_be_focused()
    await page.locator(f"#no-{numbers[0]}").focus()
    await page.keyboard.press("j")
    await at(page, numbers[1])


async def test_end_goes_to_what_is_new_and_otherwise_to_the_end(context: BrowserContext, thread: Thread) -> None:
    await thread.fill(30)
    page = await read(context, thread, "#thread")
    no = (await thread.post("News"))["no"]
    await expect(page.locator(".pill")).to_be_visible()
    await page.keyboard.press("End")
    await at(page, no)
    await expect(page.locator(".pill")).to_be_hidden()
    await page.keyboard.press("End")

    async def at_end() -> bool:
        return bool(await page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2"))

    await eventually(at_end)


async def test_escape_closes_what_a_number_shows(context: BrowserContext, thread: Thread) -> None:
    first = (await thread.post("The first"))["no"]
    second = (await thread.post(f">>{first}\nThe second"))["no"]
    page = await read(context, thread, "#thread")
    await page.locator(f"#no-{second} .text a.ref").focus()
    await expect(page.locator(".preview")).to_contain_text("The first")
    await page.keyboard.press("Escape")
    await expect(page.locator(".preview")).to_be_hidden()
    await expect(page.locator(f"#no-{second} .text a.ref")).to_be_focused()


async def test_every_act_is_reached_by_tab_and_can_be_seen_to_be(context: BrowserContext, thread: Thread) -> None:
    first = (await thread.post("The first"))["no"]
    await thread.post(f">>{first}\nThe second")
    page = await read(context, thread, "#thread")
    await write(page, "Mine")
    await expect(page.locator(".comment.mine .retract")).to_be_visible()
    wanted = set(
        await page.evaluate(
            """[...document.querySelectorAll("live-thread :is(a[href], button, input, textarea)")]
            .filter((element) => element.checkVisibility()).map((element, at) => element.dataset.at = at)"""
        )
    )
    await page.evaluate("document.activeElement.blur(); document.querySelector('.open-settings').scrollIntoView()")
    await page.locator(".follow").focus()
    await page.keyboard.press("Shift+Tab")
    reached = set()
    for _ in range(len(wanted) + 5):
        await page.keyboard.press("Tab")
        found = await page.evaluate("document.activeElement.dataset.at")
        if found is not None:
            assert await page.evaluate(OUTLINE), await page.evaluate("document.activeElement.outerHTML")
            await expect(page.locator(":focus")).to_be_in_viewport()
            reached.add(int(found))
    assert reached == wanted


async def test_what_comes_takes_no_focus_and_is_told_politely_and_not_too_often(
    context: BrowserContext, thread: Thread
) -> None:
    numbers = await thread.fill(3)
    page = await read(context, thread, "#thread")
    for selector in (f"#no-{numbers[1]}", f"#no-{numbers[1]} .quote", "#text"):
        await page.locator(selector).focus()
        count = int(await page.locator("live-thread").get_attribute("data-count") or 0)
        await thread.posts(3)
        await counted(page, count + 3)
        await expect(page.locator(selector)).to_be_focused()
    roles = (
        "[...document.querySelectorAll('live-thread [aria-live], live-thread [role=status], live-thread [role=alert]')]"
    )
    assert await page.evaluate(f"{roles}.every((e) => e.ariaLive !== 'assertive')")
    assert await page.evaluate("document.querySelector('.comments').role") == "feed"


async def test_announcements_are_few_however_much_comes(context: BrowserContext, thread: Thread) -> None:
    page = await context.new_page()
    await page.clock.install()
    await page.goto(thread.url)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "live")
    await page.evaluate(
        """() => {
          const announcer = document.querySelector(".announcer");
          window.said = [];
          new MutationObserver(() => announcer.textContent && window.said.push(announcer.textContent))
            .observe(announcer, { childList: true, characterData: true, subtree: true });
        }"""
    )
    await thread.posts(1)
    await counted(page, 1)
    await thread.posts(8)
    await counted(page, 9)
    assert await page.evaluate("window.said") == ["1 new comment"]
    await page.clock.fast_forward(10_000)

    async def said_twice() -> bool:
        return bool(await page.evaluate("window.said.length") == 2)

    await eventually(said_twice)
    assert await page.evaluate("window.said") == ["1 new comment", "8 new comments"]


async def test_axe_finds_nothing_in_what_the_script_adds(context: BrowserContext, thread: Thread) -> None:
    numbers = await thread.fill(60)
    page = await read(context, thread, "#thread")
    await write(page, f">>{numbers[-1]}\nMine")
    mine = page.locator(".comments .comment.mine")
    await expect(mine.locator(".own-acts")).to_be_visible()
    await mine.locator(".retract").click()
    no = await mine.get_attribute("data-no")
    await thread.post(f">>{no}\nAn answer")
    await page.locator(f"#no-{numbers[-2]} .hide").click()
    await write(page, "x" * 5001)
    await expect(page.locator(".outgoing .again")).to_be_visible()
    await page.fill("#text", "x" * 4600)
    await mine.locator(".text a.ref").focus()
    await expect(page.locator(".preview")).to_be_visible()
    assert await axe(page) == []
    await page.click(".open-settings")
    await expect(page.locator(".settings")).to_be_visible()
    assert await axe(page) == []
