"""A flood from many addresses: a surge begins for the readers of every worker, asks for work, and ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest_asyncio

from tests.proof import solve
from tests.site import Site, command, eventually, op, receive, send, telling

COMMENTS = "/articles/story/comments"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest_asyncio.fixture
async def calm(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers with the settings that hold by default, and a second thread."""
    async with telling(tmp_path, database_url, redis_url) as running:
        await running.load(tmp_path / "stories", "another")
        yield running


@pytest_asyncio.fixture
async def asking(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers that always ask for work."""
    async with telling(tmp_path, database_url, redis_url, CHALLENGE="always") as running:
        yield running


async def post(
    site: Site, number: int = 1, slug: str = "story", act: str | None = None, **fields: Any
) -> tuple[int, dict[str, Any]]:
    """Post from one of many loopback addresses."""
    body = {"op": act or op(), "text": f"From {number}"} | fields
    connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{number}", 0))
    async with (
        aiohttp.ClientSession(site.url, connector=connector) as http,
        http.post(f"/articles/{slug}/comments", json=body) as response,
    ):
        return response.status, await response.json(content_type=None)


async def test_a_flood_from_many_addresses_is_a_surge_that_every_reader_hears_of_until_a_moderator_ends_it(
    calm: Site,
) -> None:
    readers = [await calm.socket("story") for _ in range(6)]  # on both workers
    for reader in readers:
        assert "surge" not in (await receive(reader, "joined"))["thread"]

    answers = await asyncio.gather(*(post(calm, number) for number in range(2, 62)))
    assert {status for status, _ in answers} <= {201, 428}
    for reader in readers:
        while "thread" not in (changes := await receive(reader, "changes")):
            pass
        assert changes["thread"] == {"state": "open", "slow": 30, "surge": True}

    async def asked() -> Any:
        status, answer = await post(calm, 100)
        return answer if status == 428 else None

    await eventually(asked)
    async with calm.http.get("/articles/story") as page:
        assert 'data-surge="true"' in await page.text()

    mine = op()
    status, refused = await post(calm, 101, act=mine)
    assert (status, refused["code"]) == (428, "challenge")
    proof = solve(refused["challenge"])
    assert (await post(calm, 101, proof=proof))[0] == 428, "it is of another op"
    assert (await post(calm, 101, act=mine, proof=proof[:-8]))[0] == 428
    assert (await post(calm, 101, act=mine, proof=proof))[0] == 201
    assert (await post(calm, 101, act=mine, proof=proof))[0] == 200
    assert (await post(calm, 101, act=mine))[0] == 200, "what stands needs no proof"
    assert (await post(calm, 102, "another"))[0] == 201, "the thread beside it is calm"

    status, told, errors = await command(calm.environ, "threads", "calm", "story")
    assert (status, told.split()) == (0, ["now", "calm:", "story"]), errors
    for reader in readers:
        while (changes := await receive(reader, "changes")).get("thread") != {"state": "open", "slow": 0}:
            pass
        await reader.close()

    async def let_in() -> bool:
        return (await post(calm, 103))[0] == 201

    await eventually(let_in)


async def test_where_work_is_always_asked_a_socket_is_told_which_and_a_form_is_held(asking: Site) -> None:
    async with asking.socket("story") as socket:
        mine = op()
        await send(socket, "post", op=mine, text="Mine")
        refused = await receive(socket, "accepted", "refused")
        assert (refused["op"], refused["code"]) == (mine, "challenge")
        proof = solve(refused["challenge"])
        await send(socket, "post", op=op(), text="Another", proof=proof)
        again = await receive(socket, "accepted", "refused")
        assert (again["code"], "challenge" in again) == ("challenge", True)
        await send(socket, "post", op=mine, text="Mine", proof=proof)
        assert (await receive(socket, "accepted", "refused"))["state"] == "published"
        for hostile in ("x" * 65_000, "[" * 60_000, "e30="):
            await send(socket, "post", op=op(), text="Hostile", proof=hostile)
            assert (await receive(socket, "accepted", "refused"))["code"] == "challenge"
        unable = op()
        await send(socket, "post", op=unable, text="I can't work", proof="")
        assert (await receive(socket, "accepted", "refused"))["state"] == "held"
    body = urlencode({"text": "Without a script"})
    async with asking.http.post(COMMENTS, data=body, headers=FORM, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/articles/story?held=1#form")
    _, listed, _ = await command(asking.environ, "comments", "held")
    assert "Without a script" in listed


async def test_being_asked_for_work_costs_no_quota(asking: Site) -> None:
    for _ in range(10):
        assert (await post(asking))[0] == 428
    ops = [op() for _ in range(6)]
    for mine in ops:
        _, refused = await post(asking, act=mine, text=mine)
        assert (await post(asking, act=mine, text=mine, proof=solve(refused["challenge"])))[0] == 201
