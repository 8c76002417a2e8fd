"""Poster tags on a page: from the server and from the script alike, and to be read in every hue."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.browser.pages import axe, live
from tests.site import Site, eventually, op, telling

HUES = 12
PAINT = (
    "(hues) => document.querySelectorAll('.comments .tag').forEach((tag, n) => tag.className = `tag hue-${n % hues}`)"
)
SHOWN = """() => {
  const tag = document.querySelector(".comments .tag");
  tag.scrollIntoView({ block: "center" });
  const { top, height } = tag.getBoundingClientRect();
  return height > 0 && top > 0 && top < innerHeight;
}"""
NAMES = "[...document.querySelectorAll('.comments .by')].map((by) => by.outerHTML)"


async def post(site: Site, number: int) -> dict[str, object]:
    """A comment by somebody of that number."""
    headers = {"X-Forwarded-For": f"203.0.113.{number}"}
    async with site.http.post(
        "/articles/story/comments", json={"op": op(), "text": "Hello"}, headers=headers
    ) as response:
        accepted: dict[str, object] = await response.json()
        return accepted


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_tags_are_the_same_from_server_and_script_and_can_be_read_in_every_hue(
    browser: Browser, tmp_path: Path, database_url: str, redis_url: str, scheme: Literal["light", "dark"]
) -> None:
    settings = {"TRUSTED_PROXIES": "127.0.0.0/8", "POSTS_PER_MINUTE": "0", "POSTER_TAGS": "on"}
    async with telling(tmp_path, database_url, redis_url, **settings) as site:
        context = await browser.new_context(color_scheme=scheme)
        page = await context.new_page()
        await page.goto(f"{site.url}/articles/story")
        await live(page)
        await page.get_by_role("switch", name="Follow").click()
        accepted = [await post(site, number) for number in range(HUES)]
        tags = page.locator(".comments .tag")
        await expect(tags).to_have_count(HUES)
        by_script = await page.evaluate(NAMES)
        await page.goto(f"{site.url}/articles/story?seen={accepted[-1]['version']}")
        await live(page)
        assert await page.evaluate(NAMES) == by_script
        assert len(set(by_script)) > HUES / 2

        async with site.http.delete(
            f"/articles/story/comments/{accepted[0]['no']}", json={"key": accepted[0]["key"]}
        ) as response:
            assert response.status == 200
        await expect(tags).to_have_count(HUES - 1)
        await post(site, 99)
        await expect(page.locator(".comments .comment")).to_have_count(HUES + 1)
        await page.evaluate(PAINT, HUES)

        async def shown() -> bool:
            return bool(await page.evaluate(SHOWN))

        await eventually(shown)  # what is out of sight is not looked at
        assert await axe(page) == []
        await context.close()
