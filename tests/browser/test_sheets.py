"""The style sheets in a real Chromium: minified, they hold the same rules."""

from playwright.async_api import Browser

from service import resources
from service.assets import Assets

# Where spaces stand in a value does not matter beside these; a custom property is kept as it was written.
RULES = """text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return [...sheet.cssRules].map((rule) => rule.cssText.replace(/\\s*([(),:])\\s*/g, "$1"));
}"""


async def test_every_style_sheet_means_the_same_when_it_is_minified(browser: Browser) -> None:
    assets = Assets(resources.STATIC)
    page = await browser.new_page()
    for path in sorted(resources.STATIC.rglob("*.css")):
        source, (asset, _) = path.read_text(), assets.find("", path.relative_to(resources.STATIC).as_posix())
        rules = await page.evaluate(RULES, source)
        assert len(rules) > 5
        assert await page.evaluate(RULES, asset.encodings["identity"].decode()) == rules
    await page.close()
