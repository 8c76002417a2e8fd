"""The style sheets in a real Chromium: minified, they hold the same rules."""

from playwright.async_api import async_playwright

from service import resources
from service.assets import Assets
from tests.browser.test_page import ARGUMENTS
from tools import browser as installed

# Where spaces stand in a value does not matter beside these; a custom property is kept as it was written.
RULES = """text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return [...sheet.cssRules].map((rule) => rule.cssText.replace(/\\s*([(),])\\s*/g, "$1"));
}"""


async def test_every_style_sheet_means_the_same_when_it_is_minified() -> None:
    assets = Assets(resources.STATIC)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed.find(), args=ARGUMENTS)
        page = await browser.new_page()
        for path in sorted(resources.STATIC.rglob("*.css")):
            source, (asset, _) = path.read_text(), assets.find("", path.relative_to(resources.STATIC).as_posix())
            rules = await page.evaluate(RULES, source)
            assert len(rules) > 5
            assert await page.evaluate(RULES, asset.encodings["identity"].decode()) == rules
        await browser.close()
