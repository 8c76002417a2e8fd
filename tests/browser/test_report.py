"""Reporting in its place: the link shows the reasons, one press on a reason sends it. Appealing: by the tombstone."""

from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.pages import live, read
from tests.threads import Thread

THANKS = "Thank you. A moderator will look at it."


async def test_one_press_on_a_reason_reports_and_the_page_stays(context: BrowserContext, thread: Thread) -> None:
    accepted = await thread.post("Buy my pills")
    no = accepted["no"]
    page = await read(context, thread)
    item = page.locator(f"#no-{no}")
    await item.hover()
    await item.locator(".report").click()
    await expect(item.get_by_role("group", name="Report").get_by_role("button")).to_have_count(6)
    await expect(item.get_by_role("button", name="Spam")).to_be_focused()
    await item.hover()
    await item.locator(".report").click()
    await expect(item.locator(".reasons")).to_have_count(0)
    await item.locator(".report").press("Enter")
    await page.keyboard.press("Tab")
    async with page.expect_response(f"**/comments/{no}/report") as answered:
        await page.keyboard.press("Enter")
    assert (await answered.value).status == 202
    await expect(item.locator(".reasons")).to_have_text(THANKS)
    await expect(item.locator(".reasons")).to_be_focused()
    assert await thread.reported(no) == ["abuse"]
    await expect(page).to_have_url(thread.url)


async def test_a_comment_that_came_later_is_reported_likewise_and_ones_own_is_not(
    context: BrowserContext, thread: Thread
) -> None:
    page = await read(context, thread)
    no = (await thread.post("Buy my pills"))["no"]
    item = page.locator(f"#no-{no}")
    await expect(item.locator(".report")).to_have_attribute("href", f"/comments/{no}/report")
    await page.fill("#text", "Mine")
    await page.click("#form button[type=submit]")
    await expect(page.locator(".comments .comment.mine")).to_have_count(1)
    await expect(page.locator(".comments .comment.mine .report")).to_be_hidden()
    await item.hover()
    await item.locator(".report").click()
    await item.get_by_role("button", name="Something else").click()
    await expect(item.locator(".reasons")).to_have_text(THANKS)
    assert await thread.reported(no) == ["other"]


async def test_a_report_that_is_refused_is_told_so(browser: Browser, thread: Thread) -> None:
    context = await browser.new_context()
    no = (await thread.post("Buy my pills"))["no"]
    page = await read(context, thread)
    item = page.locator(f"#no-{no}")
    await item.hover()
    await item.locator(".report").click()
    await page.route("**/report", lambda route: route.fulfill(status=429, json={"code": "too-fast"}))
    await item.get_by_role("button", name="Spam").click()
    await expect(item.locator(".reasons")).to_contain_text("faster than this site allows")
    assert await thread.reported(no) == []
    await context.close()


async def test_a_comment_that_is_removed_while_one_reads_leads_to_the_appeal_and_to_why(
    context: BrowserContext, thread: Thread
) -> None:
    no = (await thread.post("Buy my pills"))["no"]
    page = await read(context, thread)
    await thread.remove(no)
    gone = page.locator(f"#no-{no} .gone")
    await expect(gone).to_contain_text("removed by a moderator")
    live_markup = await gone.evaluate("(gone) => gone.outerHTML")
    await expect(page.locator(f"#no-{no} .report")).to_be_hidden()
    await page.reload()
    await live(page)
    assert await gone.evaluate("(gone) => gone.outerHTML") == live_markup, "the server and the script say the same"
    await gone.get_by_role("link", name="Why?").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What moderators did here")
    await page.go_back()
    await gone.get_by_role("link", name="Appeal").click()
    await page.get_by_label("Why should it come back?").fill("They are vitamins")
    await page.get_by_role("button", name="Send the appeal").click()
    await expect(page.get_by_role("status")).to_have_text("Thank you. A moderator will look at it again.")
