"""Readers for whom no WebSocket gets through: event streams and polling, with the same messages and guarantee."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.site import PATIENCE, Message, Site, eventually, op, receive, send
from tests.threads import Thread


class Event(dict[str, str]):
    """One event of a stream: its fields by name."""

    @property
    def message(self) -> Message:
        """What its data say."""
        message: Message = json.loads(self["data"])
        return message


@contextlib.asynccontextmanager
async def stream(site: Site, slug: str, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """An open event stream of the thread."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=PATIENCE)
    async with site.http.get(f"/articles/{slug}/events{query}", headers=headers, timeout=timeout) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        yield events(response.content)


async def events(lines: aiohttp.StreamReader) -> AsyncIterator[Event]:
    """Read as a browser does: an empty line ends an event."""
    event = Event()
    async for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            event[name] = value
        elif event:
            yield event
            event = Event()


async def next_of(source: AsyncIterator[Event], *kinds: str) -> Event:
    """The next event with a message of these types."""
    async with asyncio.timeout(PATIENCE):
        while (event := await anext(source)).message["type"] not in kinds:
            pass
        return event


async def test_a_stream_brings_what_a_socket_brings(grounded: Thread) -> None:
    async with stream(grounded.site, grounded.slug) as reader, grounded.socket() as socket:
        joined = await next_of(reader, "joined")
        epoch = joined.message["epoch"]
        assert joined["id"] == f"{epoch}:0"
        assert (await receive(socket, "joined")) | {"readers": 0} == joined.message | {"readers": 0}
        for version in range(1, 6):
            await send(socket, "post", op=op(), text=f"Comment {version}")
            changes = await next_of(reader, "changes")
            assert changes["id"] == f"{epoch}:{version}"
            assert changes.message == await receive(socket, "changes")


async def test_a_browser_that_comes_back_names_its_last_event(thread: Thread) -> None:
    for number in range(5):
        await thread.post(f"Comment {number}")
    async with stream(thread.site, thread.slug) as reader:
        epoch = (await next_of(reader, "joined")).message["epoch"]
    headers = {"Last-Event-ID": f"{epoch}:2"}
    async with stream(thread.site, thread.slug, f"?epoch={epoch}&after=0", **headers) as reader:
        joined = (await next_of(reader, "joined")).message
        assert joined["mode"] == "catchup"
        assert [comment["version"] for comment in joined["comments"]] == [3, 4, 5]
    async with stream(thread.site, thread.slug, f"?epoch={epoch}&after=4") as reader:
        assert [comment["version"] for comment in (await next_of(reader, "joined")).message["comments"]] == [5]


@pytest.mark.parametrize("last", ["what", "elsewhere:1", "x:y", "a:99999999999999999", ":"])
async def test_a_last_event_that_nobody_knows_is_a_reset_without_an_id(thread: Thread, last: str) -> None:
    await thread.post("Hello")
    async with stream(thread.site, thread.slug, **{"Last-Event-ID": last}) as reader:
        joined = await next_of(reader, "joined")
        assert joined.message["mode"] == "reset"
        assert "id" not in joined
        await thread.post("Again")
        assert (await next_of(reader, "changes"))["id"].endswith(":2")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/articles/none/events", 204),
        ("/articles/story/events?epoch=x", 400),
        ("/articles/story/events?epoch=x&after=-1", 400),
    ],
)
async def test_a_stream_that_can_not_be_is_refused_for_good(shared: Site, path: str, status: int) -> None:
    async with shared.http.get(path) as response:
        assert response.status == status


async def test_an_old_proxy_gets_a_stream_without_chunks(grounded: Thread) -> None:
    reader, writer = await grounded.site.dial()
    writer.write(f"GET /articles/{grounded.slug}/events HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"chunked" not in head
    joined = await reader.readuntil(b"\n\n")
    assert b"\ndata: {" in joined
    writer.close()


async def test_who_leaves_a_stream_is_not_counted_any_more(grounded: Thread) -> None:
    async with grounded.socket() as socket:
        async with stream(grounded.site, grounded.slug) as reader:
            await next_of(reader, "joined")

            async def readers() -> bool:
                return bool((await receive(socket, "readers"))["readers"] == 2)

            await eventually(readers)
        while (await receive(socket, "readers"))["readers"] != 1:
            pass


async def test_a_stream_that_is_sent_away_says_when_to_come_back(site: Site) -> None:
    async with stream(site, "story") as reader:
        await next_of(reader, "joined")
        site.process.terminate()
        bye = await next_of(reader, "bye")
        assert int(bye["retry"]) == bye.message["retry"] <= 1000
        async with asyncio.timeout(PATIENCE):
            left = [event.message["type"] async for event in reader]  # to its end: no chunk is missing
        assert set(left) <= {"readers", "ping"}  # the first of which comes by chance


async def test_polling_brings_what_changed_since(thread: Thread) -> None:
    async with stream(thread.site, thread.slug) as reader:
        epoch = (await next_of(reader, "joined")).message["epoch"]
    for number in range(3):
        await thread.post(f"Comment {number}")
    for after, mode in ((3, "live"), (1, "catchup"), (9, "reset")):
        async with thread.site.http.get(f"{thread.comments}?epoch={epoch}&after={after}") as response:
            assert response.headers["Cache-Control"] == "no-store"
            answer = await response.json()
            assert (answer["mode"], answer["version"], answer["count"]) == (mode, 3, 3)
            assert [comment["version"] for comment in answer["comments"]] == [2, 3] * (mode == "catchup")
