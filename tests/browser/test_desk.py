"""The desk in a real Chromium: two moderators and readers see each other's acts at once, by mouse and by keys alone."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.pages import axe, live, validate
from tests.desk import PASSWORD, moderators
from tests.site import Site, command, op

SOON = 1_000  # milliseconds, within which an act is everywhere


class Room:
    """A newsroom: who sits in it, each with a browser of their own; in none of their pages anything was wrong."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.site = site
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def somebody(self, *, width: int = 1280) -> Page:
        """Somebody's browser."""
        context = await self._browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._contexts.append(context)
        return await context.new_page()

    async def moderator(self, name: str, role: str = "moderator", *, width: int = 1280) -> Page:
        """A new moderator, signed in by the form; the desk is live."""
        status, _, errors = await moderators(self.site, "add", name, "--role", role)
        assert status == 0, errors
        page = await self.somebody(width=width)
        await page.goto(f"{self.site.url}/desk")
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await at_work(page)
        return page

    async def readers(self, count: int) -> list[Page]:
        """Readers of the story, on whichever worker they come to."""
        pages = [await self.somebody() for _ in range(count)]
        for page in pages:
            await page.goto(f"{self.site.url}/articles/story")
            await live(page)
        return pages

    async def write(self, text: str, *, held: bool = False) -> int:
        """A comment by somebody; its number."""
        body = {"op": op(), "text": text}
        async with self.site.http.post("/articles/story/comments", json=body) as response:
            accepted = await response.json()
        assert accepted["state"] == ("held" if held else "published")
        return int(accepted["no"])

    async def close(self) -> None:
        """Everybody goes home."""
        for context in self._contexts:
            await context.close()


async def at_work(page: Page) -> None:
    """Wait until a desk is live."""
    await expect(page.locator("moderators-desk")).to_have_attribute("data-connection", "live")


@pytest_asyncio.fixture
async def room(browser: Browser, site: Site) -> AsyncIterator[Room]:
    """A newsroom."""
    room = Room(browser, site)
    yield room
    await room.close()
    assert room.complaints == []


async def test_two_moderators_and_readers_see_every_act_at_once(room: Room) -> None:
    ida, ole = await room.moderator("ida"), await room.moderator("ole")
    await ida.get_by_role("link", name="Threads").click()
    await at_work(ida)
    await ida.get_by_role("button", name="Hold it").click()
    await expect(ida.locator(".state")).to_have_text("Held")
    await ida.get_by_role("link", name="Waiting").click()
    await at_work(ida)
    readers = await room.readers(4)

    no = await room.write("Let me in", held=True)
    for desk in (ida, ole):
        await expect(desk.locator(f"#card-{no}")).to_contain_text("Let me in", timeout=SOON)
        await expect(desk.locator("#waiting")).to_have_text("1")

    await ida.locator(f"#card-{no}").get_by_role("button", name="Publish").click()
    begun = time.monotonic()
    for reader in readers:
        await expect(reader.locator(f"#no-{no}")).to_contain_text("Let me in", timeout=SOON)
    await expect(ole.locator(f"#card-{no}")).to_have_count(0, timeout=SOON)
    assert time.monotonic() - begun < 2 * SOON / 1000
    await expect(ole.locator("#empty")).to_have_text("Nothing is waiting.")

    await ole.goto(f"{room.site.url}/desk/recent")
    await at_work(ole)
    await ole.get_by_label("Reason to remove").select_option("Spam")
    await ole.locator(f"#card-{no}").get_by_role("button", name="Remove").click()
    for reader in readers:
        await expect(reader.locator(f"#no-{no}")).to_contain_text("removed by a moderator", timeout=SOON)
    await expect(ole.locator(f"#card-{no} .state")).to_have_text("Removed: Spam")

    await ida.goto(f"{room.site.url}/desk/record")
    await at_work(ida)
    await expect(ida.locator("#lines li").first).to_contain_text(f"ole Removed: No. {no} (Spam)")
    await ida.locator("#lines li").first.get_by_role("button", name="Undo").click()
    for reader in readers:
        await expect(reader.locator(f"#no-{no}")).to_contain_text("Let me in", timeout=SOON)
    await expect(ole.locator(f"#card-{no} .state")).to_have_text("Published", timeout=SOON)


async def test_the_desk_is_worked_by_keys_alone(room: Room) -> None:
    ida = await room.moderator("ida")
    first, second, third = [await room.write(text) for text in ("One", "Two", "Three")]
    await ida.goto(f"{room.site.url}/desk/recent")
    await at_work(ida)
    keys = ida.keyboard
    await keys.press("j")
    await expect(ida.locator(f"#card-{third}")).to_be_focused()
    await keys.press("j")
    await keys.press("j")
    await keys.press("k")
    await expect(ida.locator(f"#card-{second}")).to_be_focused()
    await keys.press("r")
    await expect(ida.locator(f"#card-{second} .state")).to_have_text("Removed: Breaks the rules")
    await expect(ida.locator(f"#card-{second}")).to_be_focused()
    await keys.press("a")
    await expect(ida.locator(f"#card-{second} .state")).to_have_text("Published")
    await keys.press("h")
    await expect(ida.locator(f"#card-{second} .state")).to_have_text("Held")
    await keys.press("u")
    await expect(ida.locator(f"#card-{second} .state")).to_have_text("Published")
    await expect(ida.locator("#last")).to_have_text(re.compile(f"^\\s*Restored: No. {second}|^\\s*$"))
    for no in (first, third):
        await ida.locator(f"#card-{no}").focus()
        await keys.press("x")
    await ida.get_by_role("group").get_by_role("button", name="Remove").focus()
    await keys.press("Enter")
    for no in (first, third):
        await expect(ida.locator(f"#card-{no} .state")).to_have_text("Removed: Breaks the rules")
    await keys.press("?")
    await expect(ida.locator(".help")).to_be_visible()
    await keys.press("Escape")
    await expect(ida.locator(".help")).to_be_hidden()


async def test_what_is_undone_is_the_act_that_is_still_under_way(room: Room) -> None:
    ida = await room.moderator("ida")
    first, second = [await room.write(text) for text in ("One", "Two")]
    await ida.goto(f"{room.site.url}/desk/recent")
    await at_work(ida)
    await ida.locator(f"#card-{first}").focus()
    await ida.keyboard.press("r")
    await expect(ida.locator(f"#card-{first} .state")).to_have_text("Removed: Breaks the rules")
    await ida.locator(f"#card-{second}").focus()
    async with ida.expect_response("**/desk/undo"):
        await ida.keyboard.press("h")
        await ida.keyboard.press("u")
    await expect(ida.locator("#last")).to_contain_text(f"No. {first}")
    await expect(ida.locator(f"#card-{second} .state")).to_have_text("Published")
    await expect(ida.locator(f"#card-{first} .state")).to_have_text("Removed: Breaks the rules")


async def test_in_the_queue_the_focus_goes_on_after_an_own_act_and_stays_at_anothers(room: Room) -> None:
    ida, ole = await room.moderator("ida"), await room.moderator("ole")
    numbers = [await room.write(text) for text in ("One", "Two", "Three")]
    await ole.goto(f"{room.site.url}/desk/recent")
    await at_work(ole)
    for no in numbers:
        await ole.locator(f"#card-{no}").get_by_role("button", name="Hold").click()
    for no in numbers:
        await expect(ida.locator(f"#card-{no}")).to_be_visible()
    await ida.keyboard.press("j")
    await ida.keyboard.press("a")
    await expect(ida.locator(f"#card-{numbers[0]}")).to_have_count(0)
    await expect(ida.locator(f"#card-{numbers[1]}")).to_be_focused()

    await ole.locator(f"#card-{numbers[1]}").get_by_role("button", name="Publish").click()
    settled = ida.locator(f"#card-{numbers[1]}")
    await expect(settled).to_have_attribute("data-settled", "Somebody else has seen to this one.")
    await expect(settled).to_be_focused()
    await ida.keyboard.press("r")
    await ida.keyboard.press("j")
    await expect(settled).to_have_count(0)
    await expect(ida.locator(f"#card-{numbers[2]}")).to_be_focused()
    await expect(ole.locator(f"#card-{numbers[1]} .state")).to_have_text("Published")


async def test_who_is_let_in_no_more_is_at_the_door_at_once(room: Room) -> None:
    chief, ida = await room.moderator("chief", "admin"), await room.moderator("ida", width=390)
    await chief.get_by_role("link", name="People").click()
    await chief.get_by_role("listitem").filter(has_text="ida").get_by_role("button", name="Let in no more").click()
    await ida.wait_for_url("**/desk/login", timeout=10_000)


async def test_a_phone_shows_the_whole_desk_and_nothing_beside_it(room: Room) -> None:
    ida = await room.moderator("ida", "editor", width=390)
    no = await room.write("W" * 300)
    places = (
        "",
        "/recent",
        "/record",
        "/threads",
        "/filters",
        f"/comments/{no}",
        "/threads/story",
        "/bans",
        "/articles",
    )
    for path in places:
        await ida.goto(f"{room.site.url}/desk{path}")
        await at_work(ida)
        assert await ida.evaluate("document.documentElement.scrollWidth") <= 390
    await ida.goto(f"{room.site.url}/desk/recent")
    button = await ida.locator(f"#card-{no}").get_by_role("button", name="Remove").bounding_box()
    assert button is not None
    assert button["height"] >= 44


PAGES = (
    *("login", "", "recent", "recent?q=nowhere", "record", "threads", "filters", "people"),
    *("comments/1", "comments/1/others", "threads/story", "bans", "articles"),
)


async def busy(room: Room, chief: Page) -> None:
    """A desk with something on each of its pages."""
    numbers = [await room.write(text) for text in ("One", "W" * 200, "שלום, האם זה נקרא מימין לשמאל?", "Four")]
    await chief.goto(f"{room.site.url}/desk/recent")
    for no, act in zip(numbers, ("Hold", "Hold", "Remove"), strict=False):
        await chief.locator(f"#card-{no}").get_by_role("button", name=act).click()
        await expect(chief.locator(f"#card-{no} .state")).not_to_have_text("Published")
    last = chief.locator(f"#card-{numbers[-1]}")
    await last.get_by_role("button", name="Ban").click()
    await last.get_by_role("button", name="Pin", exact=True).click()
    await expect(last.get_by_role("button", name="Unpin")).to_be_visible()
    await last.get_by_role("link", name="Answer").click()
    await chief.locator("#answer textarea").fill("We asked.")
    await chief.locator("#answer").get_by_role("button", name="Publish").click()
    await expect(chief.locator("#cards")).to_contain_text("Afterword newsroom")
    for value in ("a" * 200, "b"):
        arguments = ("filters", "add", "word", value, "--action", "hold", "--reason", "because")
        status, _, errors = await command(room.site.environ, *arguments)
        assert status == 0, errors
    status, _, errors = await command(room.site.environ, "filters", "end", "2")
    assert status == 0, errors


async def test_axe_finds_nothing_on_the_desk(room: Room) -> None:
    chief = await room.moderator("chief", "admin")
    await busy(room, chief)
    stranger, found = await room.somebody(), []
    for width in (390, 1440):
        for path in PAGES:
            page = stranger if path == "login" else chief
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(f"{room.site.url}/desk/{path}".rstrip("/"))
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                found += [f"{path} at {width}, {scheme}: {complaint}" for complaint in await axe(page)]
    await chief.goto(f"{room.site.url}/desk")
    await chief.keyboard.press("?")
    found += [f"help: {complaint}" for complaint in await axe(chief)]
    assert not found, "\n".join(found)


async def test_axe_finds_nothing_on_what_a_trial_says(room: Room) -> None:
    ida = await room.moderator("ida", "editor", width=390)
    await room.write("Buy pills " + "W" * 200)
    found = []
    for kind, value, says in (("Word or phrase", "pills", "held 1 of"), ("Pattern", "(", "opens a bracket")):
        room.complaints.clear()  # of the status 422
        await try_filter(ida, f"{room.site.url}/desk/filters", kind, value)
        await expect(ida.get_by_text(says)).to_be_visible()
        assert await ida.evaluate("document.documentElement.scrollWidth") <= 390
        found += [f"{kind}: {complaint}" for complaint in await axe(ida)]
    assert not found, "\n".join(found)
    room.complaints.clear()


async def try_filter(page: Page, address: str, kind: str, value: str) -> None:
    """Fill in the form, and try."""
    await page.goto(address)
    await page.get_by_label("What it looks for").select_option(kind)
    await page.get_by_label("The word, pattern, host or number").fill(value)
    await page.get_by_role("button", name="Try", exact=True).click()


async def test_a_filter_is_tried_and_saved_and_other_desks_see_it(room: Room) -> None:
    ida, ole = await room.moderator("ida", "editor"), await room.moderator("ole")
    await room.write("Buy pills")
    await ole.goto(f"{room.site.url}/desk/filters")
    await at_work(ole)
    await try_filter(ida, f"{room.site.url}/desk/filters", "Word or phrase", "PILLS")
    await expect(ida.get_by_role("heading", name="held 1 of the last 1 comments")).to_be_visible()
    await expect(ida.locator(".trial .card")).to_contain_text("Buy pills")
    await ida.get_by_role("button", name="Save").click()
    for desk in (ida, ole):
        await expect(desk.locator("#filter-1")).to_contain_text("pills")
    await expect(ole.locator("#filter-1").get_by_role("button")).to_have_count(0)
    await at_work(ida)
    await ida.get_by_role("button", name="End it").click()
    for desk in (ida, ole):
        await expect(desk.locator("#ended #filter-1")).to_be_visible()
        await expect(desk.locator("#no-filters")).to_have_text("There is no filter.")
    await ida.get_by_role("button", name="Use it again").click()
    for desk in (ida, ole):
        await expect(desk.locator("#filters #filter-2")).to_be_visible()


async def test_a_filter_is_made_without_a_script(browser: Browser, room: Room) -> None:
    context = await browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = await context.new_page()
    await moderators(room.site, "add", "ida", "--role", "admin")
    await page.goto(f"{room.site.url}/desk")
    await page.get_by_label("Name").fill("ida")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await try_filter(page, f"{room.site.url}/desk/filters", "Pattern", "[a")
    await expect(page.get_by_role("alert").filter(has_text="opens a set")).to_be_visible()
    await try_filter(page, f"{room.site.url}/desk/filters", "Pattern", "[ab]c+")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#filter-1")).to_contain_text("[ab]c+")
    await page.get_by_role("button", name="End it").click()
    await page.get_by_role("button", name="Use it again").click()
    await expect(page.locator("#filter-2")).to_contain_text("[ab]c+")
    await context.close()


async def test_the_markup_of_the_desk_is_valid(room: Room, tmp_path: Path) -> None:
    chief, stranger = await room.moderator("chief", "admin"), await room.somebody()
    await busy(room, chief)
    (folder := tmp_path / "pages").mkdir()
    for number, path in enumerate(PAGES):
        page = stranger if path == "login" else chief
        response = await page.context.request.get(f"{room.site.url}/desk/{path}".rstrip("/"))
        (folder / f"{number}.html").write_text(await response.text())
    await chief.goto(f"{room.site.url}/desk/filters")
    form = {"token": await chief.locator("[name=token]").first.input_value(), "one": "try", "kind": "word"}
    response = await chief.context.request.post(
        f"{room.site.url}/desk/filters", form={**form, "value": "four", "action": "hold"}
    )
    (folder / "trial.html").write_text(await response.text())
    assert await validate(folder) == ""


async def test_the_desk_is_whole_without_a_script(browser: Browser, room: Room) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await moderators(room.site, "add", "ida")
    await page.goto(f"{room.site.url}/desk")
    await page.get_by_label("Name").fill("ida")
    await page.get_by_label("Password").fill("a wrong password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("There is no moderator of that name with that password.")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    one, two = [await room.write(text) for text in ("One", "Two")]
    await page.get_by_role("link", name="Comments", exact=True).click()
    for no in (one, two):
        await page.get_by_label(f"No. {no}", exact=True).check()
    await page.get_by_label("Reason to remove").select_option("Off topic")
    await page.get_by_role("group").get_by_role("button", name="Remove").click()
    for no in (one, two):
        await expect(page.locator(f"#card-{no} .state")).to_have_text("Removed: Off topic")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(f"#card-{two} .state")).to_have_text("Published")
    await page.get_by_label("Search").fill("one")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".card")).to_have_count(1)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await context.close()


async def test_nothing_comes_under_the_pointer_that_was_not_there(room: Room) -> None:
    ida, ole = await room.moderator("ida"), await room.moderator("ole")
    *_, old, new = [await room.write(f"No. {number}") for number in range(12)]
    for desk in (ida, ole):
        await desk.goto(f"{room.site.url}/desk/recent")
        await at_work(desk)
    button = ida.locator(f"#card-{old}").get_by_role("button", name="Remove")
    await button.hover()
    before = await button.bounding_box()
    latest = await room.write("Latest")
    await expect(ida.locator(f"#card-{latest}")).to_be_visible()
    after = await button.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1

    for no in (old, new):
        await ole.locator(f"#card-{no}").get_by_role("button", name="Hold").click()
    await ida.goto(f"{room.site.url}/desk")
    await at_work(ida)
    await ida.locator(f"#card-{old}").get_by_role("button", name="Remove").hover()
    await ole.locator(f"#card-{old}").get_by_role("button", name="Publish").click()
    settled = ida.locator(f"#card-{old}")
    await expect(settled).to_have_attribute("data-settled", "Somebody else has seen to this one.")
    await expect(settled.get_by_role("button")).to_have_count(0)
    await ida.locator("h1").hover()
    await expect(settled).to_have_count(0)
    await expect(ida.locator(f"#card-{new}")).to_be_visible()


async def test_a_report_and_an_appeal_come_to_every_open_desk_and_are_settled_by_keys(room: Room) -> None:
    ida, ole = await room.moderator("ida"), await room.moderator("ole")
    no = await room.write("Buy my pills")

    async def send(kind: str, **fields: str) -> None:
        async with room.site.http.post(f"/comments/{no}/{kind}", json=fields) as response:
            assert response.status == 202

    await send("report", reason="illegal", note="See the second line")
    for desk in (ida, ole):
        card = desk.locator(f"#card-{no}")
        await expect(card).to_contain_text("Illegal content", timeout=SOON)
        await expect(card.locator("q")).to_have_text("See the second line")
        await expect(desk.locator("#waiting")).to_have_text("1")
    assert await axe(ida) == []
    await ida.keyboard.press("j")
    await expect(ida.locator(f"#card-{no}")).to_be_focused()
    await ida.keyboard.press("a")
    await expect(ida.locator(f"#card-{no}")).to_have_count(0)
    await expect(ole.locator(f"#card-{no}")).to_have_count(0, timeout=SOON)
    await expect(ida.locator("#last")).to_contain_text(f"Reports dismissed: No. {no}")
    await ida.keyboard.press("u")
    for desk in (ida, ole):
        await expect(desk.locator(f"#card-{no}")).to_contain_text("Illegal content", timeout=SOON)
    await ida.locator(f"#card-{no}").focus()
    await ida.keyboard.press("r")
    await expect(ida.locator(f"#card-{no}")).to_have_count(0)
    await send("appeal", text="They are vitamins")
    await expect(ole.locator(f"#card-{no} q")).to_have_text("They are vitamins", timeout=SOON)
    await ole.locator(f"#card-{no}").get_by_role("button", name="Keep it removed").click()
    await expect(ole.locator(f"#card-{no}")).to_have_count(0)
    await send("appeal", text="They are, really")
    await ole.locator(f"#card-{no}").focus()
    await ole.keyboard.press("a")
    await expect(ole.locator(f"#card-{no}")).to_have_count(0)
    await ole.goto(f"{room.site.url}/desk/recent")
    await expect(ole.locator(f"#card-{no} .state")).to_have_text("Published")
