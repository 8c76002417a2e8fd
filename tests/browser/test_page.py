"""The page in a real Chromium: live with a script, whole without one."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.pages import STORY, live, open_page, write
from tests.foreign import LIFE, SENT_AWAY
from tests.site import PATIENCE, ROOT, Site, command, eventually, op
from tests.threads import Thread

PICTURE = Path(__file__).parents[2] / "docs" / "page.png"


async def test_a_comment_written_in_one_page_appears_in_another(browser: Browser, thread: Thread) -> None:
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    writer, reader = [await open_page(context, thread.url, complaints) for _ in range(2)]
    for page in (writer, reader):
        await live(page)
    await write(writer, "The roundabout has my vote.\n\n> a quoted line")
    for page in (writer, reader):
        await expect(page.locator(".comments .comment")).to_have_count(1)
        await expect(page.locator(".comments .comment .text")).to_contain_text("The roundabout has my vote.")
        await expect(page.locator("live-thread .count")).to_have_text("1 Comment")
    header = await reader.locator(".comments .comment header").inner_text()
    assert re.fullmatch(
        r"Anonymous No\. \d+ \d{4}-\d\d-\d\d : \d\d:\d\d( now| \d+ sec\.? ago)?", " ".join(header.split())
    )
    await expect(writer.locator("#text")).to_have_value("")
    await write(reader, "I like the light.")
    await expect(writer.locator(".comments .comment")).to_have_count(2)
    assert complaints == []
    await context.close()


async def test_without_a_script_a_comment_is_there_after_a_reload(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context(java_script_enabled=False)
    writer, reader = await context.new_page(), await context.new_page()
    await writer.goto(thread.url)
    await reader.goto(thread.url)
    await write(writer, "Written by hand.")
    await expect(writer).to_have_url(re.compile(r"#no-\d+$"))
    await expect(writer.locator(".comments .comment .text")).to_have_text("Written by hand.")
    assert await reader.locator(".comments .comment").count() == 0
    await reader.reload()
    await expect(reader.locator(".comments .comment .text")).to_have_text("Written by hand.")
    await reader.click(".permalink")
    await expect(reader).to_have_url(re.compile(r"/articles/.*#no-\d+$"))
    await context.close()


async def test_a_refused_form_keeps_its_text_and_says_why(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(thread.url)
    await write(page, "x" * 5001)
    await expect(page.locator("#form-error")).to_contain_text("5,000")
    await expect(page.locator("#text")).to_have_value("x" * 5001)
    await context.close()


async def test_a_retracted_comment_vanishes_from_open_pages(browser: Browser, thread: Thread) -> None:
    complaints: list[str] = []
    context = await browser.new_context()
    page = await open_page(context, thread.url, complaints)
    accepted = await thread.post("Soon gone")
    await expect(page.locator(".comments .comment .text")).to_have_text("Soon gone")
    await thread.retract(accepted)
    await expect(page.locator(".comments .comment .gone")).to_be_visible()
    await expect(page.locator(".comments .comment .text")).not_to_contain_text("Soon gone")
    await expect(page.locator("live-thread .count")).to_have_text("No comments yet")
    assert complaints == []
    await context.close()


async def test_hostile_text_does_nothing(browser: Browser, thread: Thread) -> None:
    complaints: list[str] = []
    context = await browser.new_context()
    page = await open_page(context, thread.url, complaints)
    text = (
        "<script>document.title='owned'</script> <img src=x onerror=\"document.title='owned'\"> {{7*7}} ${7*7} "
        'javascript:alert(1) http://example.org/"onmouseover="alert(1)'
    )
    await write(page, text)
    await expect(page.locator(".comments .comment .text")).to_contain_text("<script>document.title='owned'</script>")
    await page.reload()
    await expect(page.locator(".comments .comment .text")).to_contain_text("{{7*7}}")
    assert await page.locator(".comments .comment .text script, .comments .comment .text img").count() == 0
    assert "owned" not in await page.title()
    assert complaints == []
    await context.close()


async def test_the_readme_shows_this_very_page(browser: Browser, site: Site, story: str) -> None:
    """The picture in the README is taken here, from the running service."""

    async def post(text: str) -> None:
        async with site.http.post(f"/articles/{STORY}/comments", json={"op": op(), "text": text}) as response:
            assert response.status == 201

    await post("Twenty-four seconds is one verse of the horn.")
    await post(">>1\n> one verse\nTwo, if the ferry sings it.")
    await post("The ticking box on the pole should stay, with or without the pole. My mother crosses by it.")
    context = await browser.new_context(viewport={"width": 1280, "height": 1400}, reduced_motion="reduce")
    page = await open_page(context, story, [])
    await live(page)
    await write(page, ">>3\nMine, too. I have written to the council about page 61.")
    await expect(page.locator(".comments .mine")).to_be_visible()
    await post(">>4\n> page 61\nSo have I. They sent me the same page back.")
    await expect(page.locator("live-thread")).to_have_attribute("data-count", "5")
    if await page.locator(".pill").is_visible():
        await page.click(".pill")
    await expect(page.locator(".comments .answers-you")).to_be_visible()
    await page.locator("#form").evaluate("form => form.scrollIntoView({block: 'end'})")
    picture = await page.screenshot()
    if not PICTURE.exists():
        PICTURE.write_bytes(picture)
    assert picture.startswith(b"\x89PNG")
    await context.close()


async def test_chromiums_own_websocket_reads_writes_and_is_told_why_it_is_closed(
    browser: Browser, site: Site, story: str
) -> None:
    page = await browser.new_page()
    await page.goto(story)
    life = (ROOT / "tests/foreign/life.js").read_text().replace("export ", "")
    url = f"{story.replace('http', 'ws', 1)}/live"
    assert await page.evaluate(f"(url) => {{ {life}; return live(WebSocket, url) }}", url) == LIFE
    watch = f"(url) => {{ {life}; return stay(WebSocket, url, () => {{ window.there = true }}) }}"
    leaving = asyncio.create_task(page.evaluate(watch, url))

    async def there() -> bool:
        return bool(await page.evaluate("window.there === true"))

    await eventually(there)
    await site.stop()
    assert await asyncio.wait_for(leaving, PATIENCE) == SENT_AWAY
    await page.close()


async def test_a_banned_author_is_told_why_and_until_when_and_may_retract(
    browser: Browser, site: Site, story: str
) -> None:
    context = await browser.new_context()
    page = await open_page(context, story, [])
    await write(page, "Buy my pills")
    mine = page.locator(".comments .comment.mine")
    no = str(await mine.get_attribute("data-no"))
    status, _, errors = await command(site.environ, "bans", "add", no, "--days", "1", "--reason", "pills & more")
    assert status == 0, errors

    async def post() -> int:
        body, headers = {"op": op(), "text": "Still?"}, {"Connection": "close"}
        async with site.http.post(f"/articles/{STORY}/comments", json=body, headers=headers) as response:
            return response.status

    async def banned() -> bool:
        return {await post() for _ in range(8)} == {403}

    await eventually(banned)  # on both workers
    await write(page, "More pills")
    refused = page.locator(".outgoing .comment.refused")
    until = r"until 20\d\d-\d\d-\d\d : \d\d:\d\d\."
    await expect(refused).to_contain_text(re.compile(f"{until} The reason: pills & more"))
    await expect(refused).to_contain_text("More pills")
    await expect(refused.locator(".again")).to_have_text("Try again")
    first = page.locator(f"#no-{no}")
    await first.locator(".retract").click()
    await first.locator(".retract").click()
    await expect(first.locator(".gone")).to_be_visible()
    await context.close()
