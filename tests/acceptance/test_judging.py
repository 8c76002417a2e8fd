"""What is done from the command line reaches every reader on every worker, and who joins later."""

import re

from tests.site import Message, Site, command, eventually, op, receive, send
from tests.threads import Thread


async def done(site: Site, *arguments: str) -> str:
    """Run a command beside the site; what it said."""
    status, out, errors = await command(site.environ, *arguments)
    assert status == 0, errors
    return out


async def test_a_removal_reaches_open_pages_and_is_shown_to_nobody_later(thread: Thread) -> None:
    readers = [await thread.socket() for _ in range(6)]
    for reader in readers:
        await receive(reader, "joined")
    await send(readers[0], "post", op=op(), text="Buy my pills")
    no = str((await receive(readers[0], "accepted"))["no"])
    assert await done(thread.site, "comments", "remove", no, "--reason", "spam") == f"removed   {no}\n"
    for reader in readers:
        gone = await _gone(reader)
        assert (str(gone["no"]), gone["gone"]) == (no, "removed")
        assert "html" not in gone
        await reader.close()
    async with thread.site.http.get(thread.comments) as response:
        window = await response.json()
    assert [comment.get("gone") for comment in window["comments"]] == ["removed"]
    assert window["count"] == 0

    async def vanished() -> bool:
        async with thread.site.http.get(f"/articles/{thread.slug}") as page:
            return "pills" not in await page.text()

    await eventually(vanished)
    status, _, errors = await command(thread.site.environ, "comments", "remove", no, "9999999999")
    assert status == 1
    assert errors.count("is not there, or removed already, or was retracted.") == 2
    await done(thread.site, "comments", "publish", no)
    assert re.search(
        rf"-  restore {no} \(was removed\)\n.*-  remove {no} \(was published\)  spam", await done(thread.site, "acts")
    )


async def test_a_held_thread_publishes_what_a_moderator_lets_through(thread: Thread) -> None:
    async with thread.socket() as reader:
        await receive(reader, "joined")
        said = await done(thread.site, "threads", "hold", thread.slug, "--reason", "too hot")
        assert said == f"now   held: {thread.slug}\n"
        assert (await receive(reader, "changes"))["thread"] == {"state": "held", "slow": 0}
        mine = op()
        await send(reader, "post", op=mine, text="Let me in")
        held = await receive(reader, "accepted")
        assert (held["state"], held["version"]) == ("held", None)
        assert "Let me in" in await done(thread.site, "comments", "held")
        await done(thread.site, "comments", "publish", str(held["no"]))
        [comment] = (await receive(reader, "changes"))["comments"]
        assert comment["no"] == held["no"]
        await send(reader, "post", op=mine, text="Let me in")
        assert (await receive(reader, "accepted"))["state"] == "published"
    assert await done(thread.site, "threads", "hold", thread.slug) == f"still held: {thread.slug}\n"
    status, _, errors = await command(thread.site.environ, "threads", "close", "nowhere")
    assert (status, errors) == (1, "There is nothing at this address.\n")


async def _gone(reader: object) -> Message:
    while True:
        for comment in (await receive(reader, "changes"))["comments"]:  # type: ignore[arg-type]
            if "gone" in comment:
                return dict(comment)
