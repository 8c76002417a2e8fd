"""One's own: what a reader may take back, write anew or hide, and what becomes of what is held."""

from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.browser.pages import counted, live, read, write
from tests.threads import Thread

PLAIN = """>>{no}
> a quoted line & <b>no markup</b>
  indented, "quoted" and 'quoted'

A second paragraph: https://example.org/?a=1&b=2 and a >>{no} amid it.
>not quite a quote
שלום and 👩‍👩‍👧‍👦

The end."""


async def mine(page: Page, text: str) -> Locator:
    """A comment of one's own, once it stands."""
    await write(page, text)
    comment = page.locator(".comments .comment.mine").last
    await expect(comment.locator(".own-acts")).to_be_attached()
    await expect(page.locator(".outgoing .comment")).to_have_count(0)
    return comment


async def quiet(page: Page, text: str) -> None:
    """Wait until a page has nothing of a comment but a line that says that its author took it back."""
    await expect(page.locator(".comments .gone")).to_have_text("Comment retracted by its author.")
    assert text not in await page.locator(".comments").inner_text()


async def test_a_comment_is_retracted_by_two_presses_and_vanishes_everywhere(
    context: BrowserContext, thread: Thread
) -> None:
    author, reader = await read(context, thread), await read(context, thread)
    comment = await mine(author, "Better unsaid")
    await expect(reader.locator(".comments .comment")).to_have_count(1)
    button = comment.locator(".retract")
    await button.click()
    await expect(button).to_have_text("Erase it for good?")
    await author.focus("#text")
    await expect(button).to_have_text("Retract")
    assert await thread.stored() == [("published", "Better unsaid")]
    await button.click()
    await button.click()
    for page in (author, reader):
        await quiet(page, "Better unsaid")
        await expect(page.locator(".own-acts")).to_have_count(0)
        await expect(page.locator(".count")).to_have_text("No comments yet")
    assert await thread.stored() == [("retracted", None)]
    await reader.reload()
    await quiet(reader, "Better unsaid")


async def test_a_comment_is_retracted_by_keys_and_the_focus_stays_in_the_thread(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    comment = await mine(page, "Better unsaid")
    await comment.locator(".retract").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await quiet(page, "Better unsaid")
    assert await page.evaluate("document.activeElement.matches('.comments, .comments *')")


async def test_an_edit_gives_the_text_back_exactly_as_it_was_written(context: BrowserContext, thread: Thread) -> None:
    answered = await thread.post("The first")
    author, reader = await read(context, thread), await read(context, thread)
    text = PLAIN.format(no=answered["no"])
    comment = await mine(author, text)
    [_, (_, stored)] = await thread.stored()
    assert stored == text
    await comment.locator(".edit").click()
    await expect(author.locator("#text")).to_have_value(text)
    for page in (author, reader):
        await quiet(page, "second paragraph")
    assert (await thread.stored())[1:] == [("retracted", None)]
    await author.click("#form button[type=submit]")
    await expect(reader.locator(".comments .comment")).to_have_count(3)
    assert (await thread.stored())[1:] == [("retracted", None), ("published", text)]
    await author.reload()
    await author.locator(".comments .comment.mine .edit").click()
    await expect(author.locator("#text")).to_have_value(text)


async def test_an_edit_that_is_cut_off_keeps_the_text(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    comment = await mine(page, "Precious")
    await context.set_offline(offline=True)
    await comment.locator(".edit").evaluate("(button) => { button.click(); button.click(); }")
    await expect(page.locator("#text")).to_have_value("Precious")
    await page.close()
    await context.set_offline(offline=False)
    page = await read(context, thread)
    await expect(page.locator("#text")).to_have_value("Precious")


async def test_a_comment_is_hidden_and_shown_again_where_it_stands(context: BrowserContext, thread: Thread) -> None:
    first, second = await thread.fill(2)
    page = await read(context, thread)
    hidden = page.locator(f"#no-{first}")
    await hidden.locator(".hide").click()
    await expect(hidden.locator(".text")).to_be_hidden()
    await expect(hidden.locator(".veil")).to_contain_text("Hidden by you.")
    await expect(page.locator(f"#no-{second} .text")).to_be_visible()
    assert await page.evaluate("document.activeElement.matches('.show')")
    await page.reload()
    await expect(hidden.locator(".veil")).to_be_visible()
    await hidden.locator(".show").click()
    await expect(hidden.locator(".text")).to_be_visible()
    await page.reload()
    await live(page)
    await expect(hidden.locator(".text")).to_be_visible()


async def test_what_holds_a_word_is_hidden_live_kept_and_undone_in_one_place(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    numbers = [(await thread.post(text))["no"] for text in ("About LIGHTS", "About eels", "Hide me too")]
    await counted(page, 3)
    lights, eels, other = [page.locator(f"#no-{no}") for no in numbers]
    await other.locator(".hide").click()
    await page.click(".open-settings")
    await page.fill(".hidden-words", " lights , ferry")
    await page.click(".settings .close")
    await expect(lights.locator(".veil")).to_be_visible()
    await expect(eels.locator(".text")).to_be_visible()
    arriving = (await thread.post("The Ferry sings"))["no"]
    await page.click(".pill")
    await expect(page.locator(f"#no-{arriving} .veil")).to_be_visible()
    await expect(page.locator(f"#no-{arriving} .text")).to_be_hidden()
    await page.reload()
    await expect(page.locator(".comments .veil")).to_have_count(3)
    await page.click(".open-settings")
    await expect(page.locator(".hidden-words")).to_have_value("lights, ferry")
    await expect(page.locator(".hidden-comments")).to_have_text("1 comment is hidden.")
    await page.click(".show-all")
    await expect(page.locator(".hidden-comments")).to_have_text("0 comments are hidden.")
    await page.click(".settings .close")
    await expect(page.locator(".comments .veil")).to_have_count(0)
    await page.reload()
    await live(page)
    await expect(page.locator(".comments .veil")).to_have_count(0)


async def test_what_is_hidden_is_not_shown_where_it_is_quoted(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    first = (await thread.post("A spoiler"))["no"]
    second = (await thread.post(f">>{first}\nQuite so"))["no"]
    await counted(page, 2)
    await page.locator(f"#no-{first} .hide").click()
    await page.locator(f"#no-{second} .text a.ref").focus()
    await expect(page.locator(".preview")).to_contain_text("Hidden by you.")
    await expect(page.locator(".preview")).not_to_contain_text("A spoiler")


async def test_all_that_is_kept_is_forgotten_at_once(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    comment = await mine(page, "Whose was it?")
    await page.fill("#text", "A draft")
    await page.click(".open-settings")
    async with page.expect_navigation():
        await page.click(".forget")
        await page.click(".forget")  # the first press asks
    await live(page)
    await expect(comment).to_have_count(0)
    await expect(page.locator(".comments .comment")).to_have_count(1)
    await expect(page.locator("#text")).to_have_value("")
    assert await page.evaluate("Object.keys(localStorage)") == []
    count = """() => new Promise((found) => {
      indexedDB.open("afterword").onsuccess = ({ target: { result } }) => {
        result.transaction("kept").objectStore("kept").count().onsuccess = (event) => found(event.target.result);
      };
    })"""
    assert await page.evaluate(count) == 0


async def test_what_was_forgotten_does_not_come_back_from_another_page(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await mine(page, "Whose was it?")
    other = await read(context, thread)
    await page.click(".open-settings")
    async with page.expect_navigation():
        await page.click(".forget")
        await page.click(".forget")  # the first press asks
    await mine(other, "Mine, too")
    assert await other.evaluate("JSON.parse(localStorage['afterword.keys']).length") == 1


async def held(page: Page, text: str) -> Locator:
    """A comment of one's own that a moderator is to read first."""
    await write(page, text)
    comment = page.locator(".outgoing .comment")
    await expect(comment.locator(".state")).to_have_text(
        "Thank you. Your comment will appear when a moderator has read it."
    )
    return comment


async def test_a_held_comment_says_so_and_its_author_sees_it_appear(context: BrowserContext, thread: Thread) -> None:
    await thread.declare("held")
    author, reader = await read(context, thread), await read(context, thread)
    await expect(author.locator(".composer .held")).to_be_visible()
    await held(author, "May I?")
    await expect(author.locator("#text")).to_have_value("")
    assert await thread.stored() == [("held", "May I?")]
    await author.reload()
    await expect(author.locator(".outgoing .text")).to_have_text("May I?")
    await expect(reader.locator(".comments .comment")).to_have_count(0)
    await live(author)
    await thread.publish(await thread.last())
    await expect(reader.locator(".comments .text")).to_have_text("May I?")
    await expect(author.locator(".comments .comment.mine .text")).to_have_text("May I?")
    await expect(author.locator(".outgoing .comment")).to_have_count(0)
    await author.reload()
    await live(author)
    await expect(author.locator(".outgoing .comment")).to_have_count(0)


async def test_the_author_of_a_comment_that_was_not_published_learns_it_until_that_is_read(
    context: BrowserContext, thread: Thread
) -> None:
    await thread.declare("held")
    page = await read(context, thread)
    await held(page, "May I?")
    await thread.reject(await thread.last())
    for _ in range(2):
        await page.reload()
        await expect(page.locator(".outgoing .state")).to_have_text(
            "A moderator has read your comment and did not publish it."
        )
    await page.locator(".outgoing .edit").click()
    await expect(page.locator("#text")).to_have_value("May I?")
    await page.reload()
    await live(page)
    await expect(page.locator(".outgoing .comment")).to_have_count(0)


async def test_a_held_comment_is_withdrawn_by_its_author(context: BrowserContext, thread: Thread) -> None:
    await thread.declare("held")
    page = await read(context, thread)
    comment = await held(page, "On second thoughts")
    await comment.locator(".discard").click()
    await expect(comment).to_have_count(0)
    assert await thread.stored() == [("retracted", None)]


async def test_a_closed_thread_keeps_what_was_begun_and_begins_nothing(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    comment = await mine(page, "Mine")
    await page.fill("#text", "I was about to say")
    await thread.declare("closed")
    await expect(page.locator(".composer .closed")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("I was about to say")
    await expect(comment.locator(".retract")).to_be_visible()
    await expect(comment.locator(".edit")).to_be_hidden()
    await expect(comment.locator(".quote")).to_be_hidden()
    await comment.focus()
    await page.keyboard.press("r")
    await page.reload()
    await live(page)
    await expect(page.locator("#text")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("I was about to say")
    await page.fill("#text", "")
    await comment.locator(".retract").click()
    await comment.locator(".retract").click()
    await quiet(page, "Mine")
    await page.reload()
    await live(page)
    await expect(page.locator("#text")).to_be_hidden()
    assert await thread.stored() == [("retracted", None)]


async def test_another_page_of_the_same_reader_knows_what_is_hidden(context: BrowserContext, thread: Thread) -> None:
    one, other = await read(context, thread), await read(context, thread)
    first, second = await thread.posts(2)
    for page in (one, other):
        await counted(page, 2)
    await one.locator(f"#no-{first} .hide").click()
    await other.locator(f"#no-{second} .hide").click()
    await one.reload()
    await expect(one.locator(".comments .veil")).to_have_count(2)
