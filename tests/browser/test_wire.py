"""What a page asks of whom, what it lets others do with it, and how many bytes it takes."""

import secrets
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Error, Page, expect

from service.store.database import Connection
from tests.browser.pages import counted, live, open_page, read, write
from tests.site import Site
from tests.threads import Thread

SCRIPTS, STYLES = 20 * 1024, 12 * 1024
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> <svg onload=alert(1)> "
    '{{7*7}} ${7*7} %(no)s javascript:alert(1) http://example.org/"onmouseover="alert(1) </p></template></textarea>'
)


@pytest.mark.parametrize("encoding", ["br", "gzip"])
async def test_scripts_and_styles_of_an_article_keep_their_budgets(
    browser: Browser, thread: Thread, encoding: str
) -> None:
    await thread.fill(50)
    context = await browser.new_context()
    page = await context.new_page()
    inspector = await context.new_cdp_session(page)
    answers: dict[str, dict[str, Any]] = {}
    taken = {"Script": 0, "Stylesheet": 0}
    encodings: set[str] = set()

    def loaded(event: dict[str, Any]) -> None:
        answer = answers[event["requestId"]]
        if answer["type"] in taken:
            taken[answer["type"]] += event["encodedDataLength"]  # with the headers
            encodings.add(answer["response"]["headers"].get("Content-Encoding", "none"))

    inspector.on("Network.responseReceived", lambda event: answers.update({event["requestId"]: event}))
    inspector.on("Network.loadingFinished", loaded)
    await inspector.send("Network.enable")
    await inspector.send("Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": encoding}})
    await page.goto(thread.url, wait_until="networkidle")
    await live(page)
    await expect(page.locator(".comments .comment")).to_have_count(50)
    assert encodings == {encoding}
    assert 1024 < taken["Script"] <= SCRIPTS, taken
    assert 1024 < taken["Stylesheet"] <= STYLES, taken
    await context.close()


async def test_a_whole_session_asks_nobody_else_sets_no_cookie_and_complains_of_nothing(
    browser: Browser, thread: Thread
) -> None:
    complaints: list[str] = []
    context = await browser.new_context()
    first = (await thread.post("The first https://example.org/outside"))["no"]
    page = await open_page(context, thread.url, complaints)
    await live(page)
    await page.locator(f"#no-{first} .quote").click()
    await page.keyboard.type("An answer")
    await page.keyboard.press("Control+Enter")
    mine = page.locator(".comments .comment.mine")
    await mine.locator(".text a.ref").hover()
    await expect(page.locator(".preview")).to_contain_text("The first")
    await page.locator(f"#no-{first} .hide").click()
    await context.set_offline(offline=True)
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "offline")
    await context.set_offline(offline=False)
    await live(page)
    await mine.locator(".retract").click()
    await mine.locator(".retract").click()
    await expect(page.locator(".comments .gone")).to_have_count(1)
    await page.click("theme-switch button")
    await page.click(".nameplate a")
    await expect(page).to_have_title("Afterword")
    assert complaints == []
    assert await context.cookies() == []
    await context.close()


async def test_the_policy_names_nothing_unsafe_and_nobody_else(shared: Site, thread: Thread) -> None:
    for address in ("/", thread.url, "/nowhere", f"{thread.url}/comments"):
        async with shared.http.get(address) as response:
            policy = response.headers["Content-Security-Policy"]
            assert not [word for word in ("unsafe", "http", "*") if word in policy]
            assert "require-trusted-types-for 'script'" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["X-Frame-Options"] == "DENY"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "same-origin"
            assert "Set-Cookie" not in response.headers


async def test_a_string_becomes_no_markup_by_any_door(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context()  # its console tells of each try
    page = await read(context, thread)
    for act in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.querySelector('.text, .prose').outerHTML = '<b>x</b>'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "document.createRange().createContextualFragment('<b>x</b>')",
        "new DOMParser().parseFromString('<b>x</b>', 'text/html')",
        "document.write('<b>x</b>')",
        "Object.assign(document.createElement('script'), { src: '/x.js' })",
        "Object.assign(document.createElement('iframe'), { srcdoc: 'x' })",
        "trustedTypes.createPolicy('other', { createHTML: (html) => html })",
        "trustedTypes.createPolicy('afterword', { createHTML: (html) => html })",
        "trustedTypes.createPolicy('default', { createHTML: (html) => html })",
    ):
        with pytest.raises(Error, match=r"Trusted|[Pp]olicy"):
            await page.evaluate(f"() => {{ {act} }}")
    await context.close()


async def test_who_follows_a_link_to_elsewhere_is_not_told_from_where(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context()
    await context.route(
        "http://elsewhere.example/**",
        lambda route: route.fulfill(body="<!doctype html><title>Elsewhere</title>", content_type="text/html"),
    )
    no = (await thread.post("Look: http://elsewhere.example/page"))["no"]
    page = await read(context, thread)
    async with page.expect_request("http://elsewhere.example/page") as asked:
        await page.locator(f"#no-{no} .text a").click()
    await expect(page).to_have_title("Elsewhere")
    assert "referer" not in await (await asked.value).all_headers()
    assert await page.evaluate("[document.referrer, window.opener]") == ["", None]
    page = await read(context, thread)
    async with page.expect_request(f"{thread.site.url}/") as asked:
        await page.click(".nameplate a")
    assert (await (await asked.value).all_headers())["referer"] == thread.url, "the site itself is told"
    await context.close()


async def test_a_drawing_that_is_opened_by_itself_runs_no_script(
    browser: Browser, shared: Site, database: tuple[str, Connection]
) -> None:
    name = secrets.token_hex(16)
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" onload="document.documentElement.id=\'owned\'">'
        "<script>document.documentElement.id='owned'</script>"
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" srcdoc="&lt;script&gt;top.name=1&lt;/script&gt;"/>'
        "</foreignObject></svg>"
    )
    await database[1].execute(
        "INSERT INTO pictures (name, media_type, data) VALUES ($1, 'image/svg+xml', $2)", name, drawing.encode()
    )
    context = await browser.new_context()
    page = await context.new_page()
    response = await page.goto(f"{shared.url}/pictures/{name}")
    assert response is not None
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert await page.evaluate("document.documentElement.id") == ""
    assert await page.evaluate("self.origin") == "null", "it stands in nobody's name"
    await context.close()


async def inert(page: Page, selector: str) -> None:
    """Wait until a hostile text can be read there, and see that it did nothing."""
    await expect(page.locator(selector)).to_contain_text("<script>document.title='owned'</script>")
    await expect(page.locator(selector)).to_contain_text("{{7*7}} ${7*7} %(no)s javascript:alert(1)")
    assert await page.locator(f"{selector} :is(script, img, svg, [onload], [onerror], [onmouseover])").count() == 0
    assert "owned" not in await page.title()


async def test_a_hostile_text_is_text_wherever_it_is_shown(context: BrowserContext, thread: Thread) -> None:
    page = await read(context, thread)
    await context.set_offline(offline=True)
    await write(page, HOSTILE)
    await inert(page, ".outgoing .text")
    await context.set_offline(offline=False)
    mine = page.locator(".comments .comment.mine")
    await expect(mine).to_have_count(1)
    await inert(page, ".comments .comment.mine .text")
    await page.reload()
    await live(page)
    await inert(page, ".comments .comment.mine .text")
    no = await mine.get_attribute("data-no")
    answer = (await thread.post(f">>{no}"))["no"]
    await counted(page, 2)
    await page.keyboard.press("End")
    await page.locator(f"#no-{answer} .text a.ref").hover()
    await inert(page, ".preview")
    await page.evaluate("(hostile) => getSelection().selectAllChildren(document.querySelector('.mine .text'))", HOSTILE)
    await mine.focus()
    await page.keyboard.press("r")
    assert "<script>" in await page.input_value("#text")
    await page.fill("#text", "")
    await mine.locator(".edit").click()
    await expect(page.locator("#text")).to_have_value(HOSTILE)
    await expect(page.locator(".comments .gone")).to_have_count(1)
    await page.fill("#text", HOSTILE * 40)
    await page.click("#form button[type=submit]")
    await expect(page.locator(".outgoing .state")).to_contain_text("5,000")
    await inert(page, ".outgoing .text")
    await page.click(".open-settings")
    await page.fill(".hidden-words", HOSTILE)
    await page.click(".settings .close")
    assert "owned" not in await page.title()
