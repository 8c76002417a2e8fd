"""Every kind of page that a site has."""

import functools
from pathlib import Path
from typing import NamedTuple

from tests.browser.pages import STORY
from tests.site import Site, command, eventually, op

GONE = "Taken back by its author"
COMMENTS = (
    "The roundabout has my vote.\n\n> a quoted line\nhttps://example.org/a/rather/long/address?that=goes&on=and-on",
    "W" * 200,
    "שלום, האם זה נקרא מימין לשמאל? And back.",
    "สวัสดี, नमस्ते, 你好, 👩‍👩‍👧‍👦",
    GONE,
)


class Kind(NamedTuple):
    """A page to look at: where it is, words by which it is known, and what is sent by its form to come to it."""

    name: str
    path: str
    says: str
    form: str | None = None


async def kinds(site: Site, folder: Path) -> list[Kind]:
    """All of them, on a site that has the demonstration articles; small ones are made in the folder."""
    folder.mkdir()
    for state in ("held", "closed"):
        await site.load(folder, state, comments=state)
    status, _, errors = await command(site.environ, "filters", "add", "word", "filtered word", "--action", "refuse")
    assert status == 0, errors
    await eventually(functools.partial(_filters, site, "/articles/closed/comments"))
    last = await _converse(site, f"/articles/{STORY}/comments")
    no = last - 1
    status, _, errors = await command(site.environ, "comments", "remove", str(no))
    assert status == 0, errors
    return [
        Kind("front page", "/", "Popular"),
        Kind("section", "/sections/News", "News"),
        Kind("privacy", "/privacy", "no account"),
        Kind("article with comments", f"/articles/{STORY}", "retracted by its author"),
        Kind("held thread", "/articles/held", "before it appears"),
        Kind("held comment", "/articles/held", "Thank you", "To be read by a moderator first"),
        Kind("closed thread", "/articles/closed", "no longer added to"),
        Kind("report form", f"/comments/{last - 2}/report", "What is wrong with it?"),
        Kind("report thanks", f"/comments/{last - 2}/report?thanks", "Thank you"),
        Kind("appeal form", f"/comments/{no}/appeal", "Why should it come back?"),
        Kind("public record", f"/articles/{STORY}/moderation", "Comments removed"),
        Kind("error page", "/nowhere", "404"),
        Kind("filtered form", f"/articles/{STORY}", "does not publish", "Say the filtered word"),
        Kind("refused form", f"/articles/{STORY}", "5,000", "x" * 5001),
    ]


async def _filters(site: Site, address: str) -> bool:
    """Whether the filter holds on both workers: some of so many new connections come to each."""
    for _ in range(8):
        body = {"op": op(), "text": "The filtered word"}
        async with site.http.post(address, json=body, headers={"Connection": "close"}) as response:
            if response.status != 422:
                return False
    return True


async def _converse(site: Site, address: str) -> int:
    """A thread with whatever comments may look like: quotes, links, one pinned, and the last one gone: its number."""
    first = None
    for text in COMMENTS:
        words = f">>{first}\n{text}" if first else text
        async with site.http.post(address, json={"op": op(), "text": words}) as response:
            accepted = await response.json()
        first = first or accepted["no"]
    status, _, errors = await command(site.environ, "comments", "pin", str(first))
    assert status == 0, errors
    async with site.http.delete(f"{address}/{accepted['no']}", json={"key": accepted["key"]}) as response:
        assert response.status == 200
    return int(accepted["no"])
