"""What a reader would notice: whatever moves, comes or goes in the window while others write."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Page

# Everything that can be seen, and where it begins. What floats above the page (the pill) or is for ears only is not of
# it, nor is what holds the comments: it begins where it may, if what is in it stays.
LOOK = """() => {
  const floating = ".pill, .preview, .unseen";
  const grows = "live-thread, .comments, .comment";
  const seen = new Map();
  for (const element of document.querySelectorAll("main *, h1")) {
    if (element.closest(floating) || element.querySelector(grows)) continue;
    const { x, y, width, height, bottom } = element.getBoundingClientRect();
    if (width && height && bottom > 0 && y < innerHeight) seen.set(element, { x, y });
  }
  return seen;
}"""
BEGIN = f"""() => {{
  const look = {LOOK};
  const shifts = [];
  const observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
  observer.observe({{ type: "layout-shift" }});
  const field = document.activeElement;
  const state = () => [field.value, field.selectionStart, field.selectionEnd, String(getSelection())];
  window.watch = {{ look, shifts, observer, before: look(), field, state, was: JSON.stringify(state()) }};
}}"""
END = """async () => {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  const { look, shifts, observer, before, field, state, was } = window.watch;
  shifts.push(...observer.takeRecords());
  observer.disconnect();
  const name = (element) => `${element?.outerHTML?.slice(0, 60)} in ${element?.closest?.("[id]")?.id}`;
  const noticed = [];
  const after = look();
  for (const [element, { x, y }] of before) {
    const now = element.getBoundingClientRect();
    const moved = element.isConnected && now.height && (now.x !== x || now.y !== y);
    if (moved) noticed.push(`moved by ${now.x - x}, ${now.y - y}: ${name(element)}`);
    if (element.matches(".comment") && !after.has(element)) noticed.push(`went: ${name(element)}`);
  }
  for (const element of after.keys()) {
    if (element.matches(".comment") && !before.has(element)) noticed.push(`came: ${name(element)}`);
  }
  for (const shift of shifts) {
    const at = ({ x, y }) => `${x}, ${y}`;
    const sources = shift.sources.map((s) => `${name(s.node)} from ${at(s.previousRect)} to ${at(s.currentRect)}`);
    noticed.push(`shifted by ${shift.value}: ${sources.join("; ")}`);
  }
  if (document.activeElement !== field) noticed.push(`focus went to ${name(document.activeElement)}`);
  if (JSON.stringify(state()) !== was) noticed.push(`${was} became ${JSON.stringify(state())}`);
  return noticed;
}"""


@contextlib.asynccontextmanager
async def unmoved(page: Page) -> AsyncIterator[None]:
    """Whatever happens meanwhile (wait for its end inside): 0 px, no layout shift, focus, text and selection kept."""
    await page.evaluate(BEGIN)
    yield
    noticed: list[Any] = await page.evaluate(END)
    assert noticed == [], "\n".join(noticed)
