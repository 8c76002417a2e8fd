"""Readers and writers on two workers, with foreign WebSocket clients."""

import asyncio
import datetime
import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.ground import GROUNDS
from tests.site import Message, Site, eventually, op, receive, send
from tests.threads import Thread


async def test_a_comment_reaches_every_reader_on_every_worker_once(grounded: Thread) -> None:
    sockets = [await grounded.socket() for _ in range(12)]
    joined = [await receive(socket, "joined") for socket in sockets]
    assert {message["mode"] for message in joined} == {"live"}
    mine = op()
    await send(sockets[0], "post", op=mine, text="Hello >>1\n> quoted")
    accepted = await receive(sockets[0], "accepted")
    assert accepted["op"] == mine
    assert accepted["state"] == "published"
    for socket in sockets[1:]:  # the author's own came before or after `accepted`
        changes = await receive(socket, "changes")
        assert (changes["from"], changes["to"], changes["count"]) == (0, 1, 1)
        (comment,) = changes["comments"]
        assert comment["no"] == accepted["no"]
        assert comment["by"] == "Anonymous"
        assert comment["quotes"] == [1]
        assert comment["at"].endswith("Z")
    for socket in sockets:
        await socket.close()


async def test_an_op_repeated_anywhere_gives_the_same_comment(grounded: Thread) -> None:
    mine = op()
    accepted: list[Message] = []
    sockets = [await grounded.socket() for _ in range(20)]
    for socket in sockets:
        await send(socket, "post", op=mine, text="Only once")
    accepted = [await receive(socket, "accepted", "refused") for socket in sockets]
    assert {(message["no"], message["key"], message["version"]) for message in accepted} == {
        (accepted[0]["no"], accepted[0]["key"], 1)
    }
    async with grounded.site.http.post(grounded.comments, json={"op": mine, "text": "Only once"}) as response:
        assert response.status == 200
        assert (await response.json())["no"] == accepted[0]["no"]
    async with grounded.site.http.post(grounded.comments, json={"op": mine, "text": "Other words"}) as response:
        assert response.status == 409
        assert (await response.json())["code"] == "op-reused"
    for socket in sockets:
        await socket.close()


async def test_who_was_away_gets_just_what_was_missed(grounded: Thread) -> None:
    async with grounded.socket() as writer:
        start = await receive(writer, "joined")
        for number in range(5):
            await send(writer, "post", op=op(), text=f"Comment {number}")
            await receive(writer, "accepted")
        async with grounded.socket(f"?epoch={start['epoch']}&after=2") as reader:
            joined = await receive(reader, "joined")
            assert joined["mode"] == "catchup"
            assert [comment["version"] for comment in joined["comments"]] == [3, 4, 5]
        async with grounded.socket(f"?epoch={start['epoch']}&after=99") as reader:
            assert (await receive(reader, "joined"))["mode"] == "reset"
        async with grounded.socket("?epoch=elsewhere&after=2") as reader:
            assert (await receive(reader, "joined"))["mode"] == "reset"


async def test_a_retracted_comment_is_gone_everywhere_and_its_text_with_it(grounded: Thread) -> None:
    async with grounded.socket() as writer, grounded.socket() as reader:
        await send(writer, "post", op=op(), text="I regret this")
        accepted = await receive(writer, "accepted")
        await send(writer, "retract", op=op(), no=accepted["no"], key="not the key")
        assert (await receive(writer, "refused"))["code"] == "not-yours"
        for _ in range(2):
            await send(writer, "retract", op=op(), no=accepted["no"], key=accepted["key"])
            assert (await receive(writer, "accepted"))["state"] == "retracted"
        await receive(reader, "changes")
        gone = await receive(reader, "changes")
        assert gone["comments"][0]["gone"] == "retracted"
        assert gone["count"] == 0
        assert "html" not in gone["comments"][0]
    async with grounded.site.http.get(f"/articles/{grounded.slug}") as response:
        assert "I regret this" not in await response.text()


async def test_junk_is_refused_by_name_and_the_socket_stays(grounded: Thread) -> None:
    junk = [
        "",
        "{",
        "[]",
        "null",
        '{"type":"post"}',
        '{"type":"post","op":"x","text":"y"}',
        json.dumps({"type": "post", "op": op(), "text": 5}),
        f'{{"type":"post","op":"{op()}","text":"\\ud800"}}',
        f'{{"type":"retract","op":"{op()}","no":9223372036854775808,"key":"k"}}',
        '{"type":"post","x":' + "[" * 60_000,
    ]
    async with grounded.socket() as socket:
        for text in junk[:9]:
            await socket.send(text)
            assert (await receive(socket, "refused"))["code"] == "malformed"
        for _ in range(20):
            await socket.send('{"type":"sing"}')
            assert (await receive(socket, "refused"))["code"] == "malformed"
        await send(socket, "post", op=op(), text="Still here")
        await receive(socket, "accepted")
        await socket.send(junk[9])
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await receive(socket, "nothing")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4501


@pytest.mark.parametrize(("frame", "code"), [(b"binary", 4501), ("x" * 70_000, 1009)])
async def test_frames_that_may_not_be_are_closed_by_their_code(grounded: Thread, frame: bytes | str, code: int) -> None:
    async with grounded.socket() as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await receive(socket, "nothing")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?epoch=x", {}, 400),
        ("?after=1", {}, 400),
        ("?epoch=x&after=-1", {}, 400),
        ("?epoch=x&after=9007199254740992", {}, 400),
        ("", {"Origin": "https://elsewhere.example"}, 403),
        ("", {"Origin": "null"}, 403),
        ("", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_handshake_that_may_not_be_is_refused(
    grounded: Thread, query: str, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await grounded.socket(query, additional_headers=headers)
    assert refused.value.response.status_code == status


@pytest.mark.parametrize("site", GROUNDS, indirect=True)
async def test_a_killed_worker_loses_nothing(site: Site) -> None:
    """Accepted comments stand, and readers of the dead worker come back to the other by epoch and version."""
    sockets = [await site.socket("story") for _ in range(8)]
    start = await receive(sockets[0], "joined")
    await send(sockets[0], "post", op=op(), text="Before the end")
    await receive(sockets[0], "accepted")
    victims = await site.workers()
    os.kill(victims[0], signal.SIGKILL)
    again = op()

    async def posted() -> bool:
        try:
            async with site.http.post("/articles/story/comments", json={"op": again, "text": "After"}) as response:
                return response.status in {200, 201}
        except OSError:
            return False

    await eventually(posted)

    async def restarted() -> bool:
        return len(set(await site.workers()) - {victims[0]}) == 2

    await eventually(restarted)
    async with site.socket("story", f"?epoch={start['epoch']}&after=0") as reader:
        joined = await receive(reader, "joined")
        assert [comment["version"] for comment in joined["comments"]] == [1, 2]
    for socket in sockets:
        await socket.close()


async def test_articles_loaded_beside_the_service_show_at_once(grounds: dict[str, Site], tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    await grounds["uvloop"].load(tmp_path, "another", title="A second story", date=f"{now:%Y-%m-%dT%H:%M:%SZ}")

    async def shown(site: Site) -> bool:
        async with site.http.get("/") as response:
            return "A second story" in await response.text()

    await asyncio.gather(*(eventually(partial(shown, site), 2.5) for site in grounds.values()))


async def test_the_workers_stand_on_the_ground_that_is_said(grounds: dict[str, Site]) -> None:
    for said, site in grounds.items():
        assert site.url.startswith("https:") is said.endswith("TLS")
        for worker in await site.workers():
            loaded = Path(f"/proc/{worker}/maps").read_text()
            assert ("uvloop" in loaded) is said.startswith("uvloop")
