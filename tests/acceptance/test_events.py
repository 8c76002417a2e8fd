"""Readers for whom no WebSocket gets through: event streams and polling, with the same messages and guarantee."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.ground import GROUNDS
from tests.site import PATIENCE, Message, Site, eventually, op, receive, send

on_every_ground = pytest.mark.parametrize("site", GROUNDS, indirect=True)


class Event(dict[str, str]):
    """One event of a stream: its fields by name."""

    @property
    def message(self) -> Message:
        """What its data say."""
        message: Message = json.loads(self["data"])
        return message


@contextlib.asynccontextmanager
async def stream(site: Site, query: str = "", **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """An open event stream of the thread."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=PATIENCE)
    async with site.http.get(f"/articles/story/events{query}", headers=headers, timeout=timeout) as response:
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


async def post(site: Site, text: str) -> Message:
    async with site.http.post("/articles/story/comments", json={"op": op(), "text": text}) as response:
        assert response.status == 201
        accepted: Message = await response.json()
        return accepted


@on_every_ground
async def test_a_stream_brings_what_a_socket_brings(site: Site) -> None:
    async with stream(site) as reader, site.socket("story") as socket:
        joined = await next_of(reader, "joined")
        epoch = joined.message["epoch"]
        assert joined["id"] == f"{epoch}:0"
        assert (await receive(socket, "joined")) | {"readers": 0} == joined.message | {"readers": 0}
        for version in range(1, 6):
            await send(socket, "post", op=op(), text=f"Comment {version}")
            changes = await next_of(reader, "changes")
            assert changes["id"] == f"{epoch}:{version}"
            assert changes.message == await receive(socket, "changes")


async def test_a_browser_that_comes_back_names_its_last_event(site: Site) -> None:
    for number in range(5):
        await post(site, f"Comment {number}")
    async with stream(site) as reader:
        epoch = (await next_of(reader, "joined")).message["epoch"]
    headers = {"Last-Event-ID": f"{epoch}:2"}
    async with stream(site, f"?epoch={epoch}&after=0", **headers) as reader:
        joined = (await next_of(reader, "joined")).message
        assert joined["mode"] == "catchup"
        assert [comment["version"] for comment in joined["comments"]] == [3, 4, 5]
    async with stream(site, f"?epoch={epoch}&after=4") as reader:
        assert [comment["version"] for comment in (await next_of(reader, "joined")).message["comments"]] == [5]


@pytest.mark.parametrize("last", ["what", "elsewhere:1", "x:y", "a:99999999999999999", ":"])
async def test_a_last_event_that_nobody_knows_is_a_reset_without_an_id(site: Site, last: str) -> None:
    await post(site, "Hello")
    async with stream(site, **{"Last-Event-ID": last}) as reader:
        joined = await next_of(reader, "joined")
        assert joined.message["mode"] == "reset"
        assert "id" not in joined
        await post(site, "Again")
        assert (await next_of(reader, "changes"))["id"].endswith(":2")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/articles/none/events", 204),
        ("/articles/story/events?epoch=x", 400),
        ("/articles/story/events?epoch=x&after=-1", 400),
    ],
)
async def test_a_stream_that_can_not_be_is_refused_for_good(site: Site, path: str, status: int) -> None:
    async with site.http.get(path) as response:
        assert response.status == status


@on_every_ground
async def test_an_old_proxy_gets_a_stream_without_chunks(site: Site) -> None:
    reader, writer = await site.dial()
    writer.write(b"GET /articles/story/events HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"chunked" not in head
    joined = await reader.readuntil(b"\n\n")
    assert b"\ndata: {" in joined
    writer.close()


@on_every_ground
async def test_who_leaves_a_stream_is_not_counted_any_more(site: Site) -> None:
    async with site.socket("story") as socket:
        async with stream(site) as reader:
            await next_of(reader, "joined")

            async def readers() -> bool:
                return bool((await receive(socket, "readers"))["readers"] == 2)

            await eventually(readers)
        while (await receive(socket, "readers"))["readers"] != 1:
            pass


async def test_a_stream_that_is_sent_away_says_when_to_come_back(site: Site) -> None:
    async with stream(site) as reader:
        await next_of(reader, "joined")
        site.process.terminate()
        bye = await next_of(reader, "bye")
        assert int(bye["retry"]) == bye.message["retry"] <= 1000
        async with asyncio.timeout(PATIENCE):
            left = [event.message["type"] async for event in reader]  # to its end: no chunk is missing
        assert set(left) <= {"readers", "ping"}  # the first of which comes by chance


async def test_polling_brings_what_changed_since(site: Site) -> None:
    async with stream(site) as reader:
        epoch = (await next_of(reader, "joined")).message["epoch"]
    for number in range(3):
        await post(site, f"Comment {number}")
    for after, mode in ((3, "live"), (1, "catchup"), (9, "reset")):
        async with site.http.get(f"/articles/story/comments?epoch={epoch}&after={after}") as response:
            assert response.headers["Cache-Control"] == "no-store"
            answer = await response.json()
            assert (answer["mode"], answer["version"], answer["count"]) == (mode, 3, 3)
            assert [comment["version"] for comment in answer["comments"]] == [2, 3] * (mode == "catchup")
