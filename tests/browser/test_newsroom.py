"""The newsroom in a real Chromium: it answers, pins, bans and looks around, and readers see of it what they are to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.pages import counted, live
from tests.browser.test_desk import SOON, Room, at_work
from tests.site import Site, eventually, op

NEWSROOM = "Afterword newsroom"


@pytest_asyncio.fixture
async def room(browser: Browser, site: Site) -> AsyncIterator[Room]:
    """A newsroom."""
    room = Room(browser, site)
    yield room
    await room.close()
    assert room.complaints == []


async def recent(room: Room, page: Page) -> None:
    """Go to the latest comments, live."""
    await page.goto(f"{room.site.url}/desk/recent")
    await at_work(page)


async def banned(room: Room) -> bool:
    """Whether every worker refuses who writes from here."""
    codes = set()
    for _ in range(8):
        body, headers = {"op": op(), "text": "Hello"}, {"Connection": "close"}
        async with room.site.http.post("/articles/story/comments", json=body, headers=headers) as response:
            codes.add((await response.json(content_type=None)).get("code"))
    return codes == {"banned"}


async def test_an_answer_of_the_newsroom_is_seen_live_with_its_badge(room: Room) -> None:
    ida = await room.moderator("ida")
    no = await room.write("Who pays for this?")
    readers = await room.readers(2)
    await recent(room, ida)
    await ida.keyboard.press("j")
    await ida.keyboard.press("w")
    text = ida.get_by_role("textbox", name=f"Write as {NEWSROOM}")
    await expect(text).to_have_value(f">>{no}\n")
    await text.fill(f">>{no}\nThe city does.")
    await ida.locator("#answer").get_by_role("button", name="Publish").click()
    await ida.wait_for_url("**/desk/threads/story")
    for reader in readers:
        await reader.locator(".pill").click()
        answer = reader.get_by_role("article").filter(has_text="The city does.")
        await expect(answer.locator(".by.staff")).to_have_text(NEWSROOM)
        await expect(reader.locator(f"#no-{no} .by")).to_have_text("Anonymous")
        await expect(reader.locator(f"#no-{no} .by.staff")).to_have_count(0)
    live_markup = await readers[0].locator(".comment .by.staff").evaluate("each => each.outerHTML")
    await readers[0].reload()
    await live(readers[0])
    assert await readers[0].locator(".comment .by.staff").evaluate("each => each.outerHTML") == live_markup


async def test_a_pinned_comment_stands_first_live_and_moves_nothing_that_is_read(room: Room) -> None:
    ida = await room.moderator("ida")
    numbers = [await room.write(f"No. {number}. " + "Words and words. " * 20) for number in range(12)]
    [reader] = await room.readers(1)
    await reader.locator(f"#no-{numbers[8]}").scroll_into_view_if_needed()
    place = "each => each.getBoundingClientRect().top"
    before = await reader.locator(f"#no-{numbers[8]}").evaluate(place)
    await recent(room, ida)
    await ida.locator(f"#card-{numbers[2]}").focus()
    await ida.keyboard.press("p")
    pinned = reader.locator(".pinned")
    await expect(pinned).to_contain_text("No. 2. Words", timeout=SOON)
    assert abs(await reader.locator(f"#no-{numbers[8]}").evaluate(place) - before) < 1
    await expect(reader.locator(f"#no-{numbers[2]}")).to_have_count(1)
    await expect(pinned.locator(".acts, [id^=no-], [data-no]")).to_have_count(0)
    live_markup = await pinned.locator(".comment").evaluate(
        "each => each.className + each.querySelector('.text').outerHTML"
    )
    await reader.reload()
    await live(reader)
    rendered = await pinned.locator(".comment").evaluate(
        "each => each.className + each.querySelector('.text').outerHTML"
    )
    assert live_markup == rendered

    await ida.locator(f"#card-{numbers[2]}").get_by_role("button", name="Remove").click()
    await expect(pinned).to_be_hidden(timeout=SOON)
    await ida.keyboard.press("u")
    await expect(pinned).to_contain_text("No. 2. Words", timeout=SOON)
    await ida.locator(f"#card-{numbers[3]}").get_by_role("button", name="Pin", exact=True).click()
    await expect(pinned).to_contain_text("No. 3. Words", timeout=SOON)
    await ida.locator(f"#card-{numbers[3]}").get_by_role("button", name="Unpin").click()
    await expect(pinned).to_be_hidden(timeout=SOON)


async def test_a_comment_that_is_not_on_the_page_is_fetched_when_it_is_pinned(room: Room) -> None:
    ida = await room.moderator("ida")
    first = await room.write("Long ago")
    for number in range(51):
        await room.write(f"No. {number}")
    [reader] = await room.readers(1)
    await counted(reader, 52)
    await expect(reader.locator(f"#no-{first}")).to_have_count(0)
    await ida.goto(f"{room.site.url}/desk/comments/{first}")
    await at_work(ida)
    card = ida.locator(f"#card-{first}")
    await card.get_by_role("button", name="Pin", exact=True).click()
    await expect(reader.locator(".pinned .text")).to_have_text("Long ago", timeout=SOON)
    await expect(reader.locator(".pinned .permalink")).to_have_attribute("href", f"/comments/{first}")
    await card.get_by_role("button", name="Hold").click()
    await expect(reader.locator(".pinned")).to_be_hidden(timeout=SOON)
    await card.get_by_role("button", name="Publish").click()
    await expect(reader.locator(".pinned .text")).to_have_text("Long ago", timeout=SOON)


async def test_a_pinned_comment_that_comes_late_shows_nothing_that_was_taken_away_meanwhile(room: Room) -> None:
    ida, late, asked = await room.moderator("ida"), asyncio.Event(), list[Route]()
    first = await room.write("Long ago")
    for number in range(51):
        await room.write(f"No. {number}")
    [reader] = await room.readers(1)
    await counted(reader, 52)

    async def answer(route: Route) -> None:
        asked.append(route)
        response = await route.fetch()
        if len(asked) == 1:
            await late.wait()
        await route.fulfill(response=response)

    await reader.route(f"**/comments/{first}", answer)
    await ida.goto(f"{room.site.url}/desk/comments/{first}")
    await at_work(ida)
    card = ida.locator(f"#card-{first}")
    async with reader.expect_request(f"**/comments/{first}"):
        await card.get_by_role("button", name="Pin", exact=True).click()
    async with reader.expect_response(f"**/comments/{first}"):
        await card.get_by_role("button", name="Hold").click()
    await expect(reader.locator(".pinned .gone")).to_have_count(1, timeout=SOON)
    async with reader.expect_response(f"**/comments/{first}") as response:
        late.set()
    assert "Long ago" in await (await response.value).text()
    await reader.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    await expect(reader.locator(".pinned")).to_be_hidden()
    await expect(reader.locator(".pinned .gone")).to_have_count(1)


async def test_a_ban_by_a_key_is_told_to_who_wrote_and_every_desk_sees_it(room: Room) -> None:
    ida, ole = await room.moderator("ida"), await room.moderator("ole")
    await ole.goto(f"{room.site.url}/desk/bans")
    await at_work(ole)
    no = await room.write("Buy my pills")
    [spammer] = await room.readers(1)
    await recent(room, ida)
    await ida.locator(".terms summary").click()
    await ida.get_by_label("Why, as the banned are told").select_option("Spam")
    await ida.locator(f"#card-{no}").focus()
    await ida.keyboard.press("b")
    await expect(ida.locator("#last")).to_contain_text("Banned: #1 (Spam)")
    await expect(ole.locator("#ban-1")).to_contain_text("Spam", timeout=SOON)

    async def everywhere() -> bool:
        return await banned(room)

    await eventually(everywhere)
    await spammer.fill("#text", "More pills")
    await spammer.click("#form button[type=submit]")
    await expect(spammer.locator(".outgoing")).to_contain_text("Spam")
    await ole.get_by_role("button", name="Lift it").click()
    await expect(ole.locator("#no-bans")).to_have_text("Nobody is banned.")
    await ole.keyboard.press("u")
    await expect(ole.locator("#ban-1")).to_be_visible()


async def test_a_flood_is_removed_at_once_and_comes_back_at_once(room: Room) -> None:
    ida = await room.moderator("ida", width=390)
    flood = [await room.write(f"Pills {number}") for number in range(5)]
    [reader] = await room.readers(1)
    await recent(room, ida)
    await ida.locator(f"#card-{flood[0]}").get_by_role("link", name="4 others by the same address").click()
    await at_work(ida)
    await ida.locator("#lately").get_by_role("combobox").select_option("Spam")
    await ida.get_by_role("button", name="Remove all 5 of the last hour").click()
    await expect(reader.locator(".comments .gone")).to_have_count(5, timeout=SOON)
    await ida.get_by_role("button", name="Undo all 5").click()
    await expect(reader.locator(".comments .gone")).to_have_count(0, timeout=SOON)


async def test_the_newsroom_works_without_a_script(browser: Browser, room: Room) -> None:
    ida = await room.moderator("ida", "editor")
    no = await room.write("Who pays for this?")
    context: BrowserContext = await browser.new_context(java_script_enabled=False)
    await context.add_cookies(cast("Any", await ida.context.cookies()))
    page = await context.new_page()
    await page.goto(f"{room.site.url}/desk/recent")
    card = page.locator(f"#card-{no}")
    await card.get_by_role("button", name="Pin", exact=True).click()
    await expect(card.get_by_role("button", name="Unpin")).to_be_visible()
    await card.get_by_role("button", name="Ban").click()
    await expect(page.locator("#last")).to_contain_text("Banned: #1")
    await page.get_by_role("button", name="Undo").click()
    await card.get_by_role("link", name="In the thread").click()
    await expect(card).to_have_attribute("aria-current", "true")
    await page.locator("#answer textarea").fill("The city does.")
    await page.locator("#answer").get_by_role("button", name="Publish").click()
    await expect(page.locator(".card")).to_have_count(2)
    await page.get_by_role("link", name="Articles").click()
    markdown = b"---\ntitle: From the desk\ndate: 2026-02-01\n---\nOne paragraph.\n"
    await page.get_by_label("Article (Markdown)").set_input_files(
        {"name": "from-the-desk.md", "mimeType": "text/markdown", "buffer": markdown}
    )
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("from-the-desk: added")).to_be_visible()
    await page.goto(f"{room.site.url}/articles/story")
    await expect(page.locator(".pinned .text")).to_have_text("Who pays for this?")
    await expect(page.locator(".by.staff")).to_have_text(NEWSROOM)
    await context.close()
