"""Axe finds nothing wrong with any kind of page, at any width, in either scheme."""

from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.kinds import Kind
from tests.browser.pages import axe, live
from tests.site import Site


async def visit(page: Page, site: Site, kind: Kind) -> None:
    """Go to a page and wait until it has come to rest. A form is sent past the script, as where there is none."""
    await page.goto(site.url + kind.path)
    if kind.form is not None:
        await page.evaluate("(text) => { document.getElementById('text').value = text }", kind.form)
        async with page.expect_navigation():
            await page.evaluate("document.querySelector('#form form').submit()")
    if await page.locator("live-thread").count():
        await live(page)
    await expect(page.get_by_text(kind.says).locator("visible=true").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
async def test_axe_finds_nothing(
    browser: Browser, shared: Site, every_kind: list[Kind], width: int, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = await context.new_page()
    found = []
    for kind in every_kind:
        await visit(page, shared, kind)
        found += [f"{kind.name}: {complaint}" for complaint in await axe(page)]
    await context.close()
    assert not found, "\n".join(found)
