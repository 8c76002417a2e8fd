"""Limits, duplicates and slow threads over two workers, as clients meet them."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.desk import seat
from tests.site import Message, Site, command, eventually, op, receive, send, telling

COMMENTS = "/articles/story/comments"
HERE, ELSEWHERE = "203.0.113.77", "198.51.100.212"
TRIES = 8  # new connections, so that each of two workers gets some
LONG = " ".join(f"word{number}" for number in range(40))


@pytest_asyncio.fixture
async def proxied(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers behind a proxy that is trusted, with the limits that hold by default; what comes makes no surge."""
    settings = {"TRUSTED_PROXIES": "127.0.0.0/8", "SURGE_POSTS_PER_MINUTE": "0"}
    async with telling(tmp_path, database_url, redis_url, **settings) as running:
        yield running


async def post(site: Site, text: str, by: str = HERE) -> Message:
    """Post on a new connection; the answer."""
    headers = {"Connection": "close", "X-Forwarded-For": by}
    async with site.http.post(COMMENTS, json={"op": op(), "text": text}, headers=headers) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        if response.status >= 400:
            assert answer["status"] == response.status
            wait = answer.get("retry_after")
            assert response.headers.get("Retry-After") == (str(wait) if wait else None)
        return answer


async def test_six_plain_comments_pass_over_any_line_and_the_seventh_is_told_to_wait(proxied: Site) -> None:
    here = {"X-Forwarded-For": HERE}
    async with (
        proxied.socket("story", additional_headers=here) as one,
        proxied.socket("story", additional_headers=here) as two,
    ):
        for number, socket in enumerate((one, two, one, two)):
            await send(socket, "post", op=op(), text=f"message {number}")
            assert (await receive(socket, "accepted", "refused"))["type"] == "accepted"
        assert [("no" in await post(proxied, f"message {number}")) for number in (5, 6)] == [True, True]
        await send(one, "post", op=op(), text="message 7")
        refused = await receive(one, "accepted", "refused")
        assert (refused["code"], 1 <= refused["retry_after"] <= 10) == ("too-fast", True)
    assert (await post(proxied, "message 8"))["code"] == "too-fast"


async def test_what_was_said_is_refused_by_every_worker_and_an_edit_passes(proxied: Site) -> None:
    first = await post(proxied, LONG)
    for _ in range(TRIES):
        refused = await post(proxied, LONG.upper())
        assert (refused["code"], refused["status"], refused.get("reason")) == ("duplicate", 409, None)
        refused = await post(proxied, LONG.replace("word17", "other"), ELSEWHERE)
        assert (refused["code"], refused["reason"]) == ("duplicate", "alike")
    path = f"{COMMENTS}/{first['no']}"
    async with proxied.http.delete(path, json={"key": first["key"]}, headers={"Connection": "close"}) as response:
        assert (await response.json())["state"] == "retracted"
    assert "no" in await post(proxied, LONG.replace("word17", "edited"))


async def test_a_forged_header_gains_nothing(tmp_path: Path, database_url: str, redis_url: str) -> None:
    async with telling(tmp_path, database_url, redis_url) as site:
        answers = [await post(site, f"message {number}", by=f"203.0.113.{number}") for number in range(9)]
        assert [answer.get("code") for answer in answers] == [None] * 6 + ["too-fast"] * 3


async def test_a_slow_thread_is_slow_on_every_worker_within_two_seconds(proxied: Site) -> None:
    status, out, _ = await command(proxied.environ, "threads", "slow", "story", "600", "--reason", "too hot")
    assert (status, out) == (0, "now   slow, 600 s: story\n")
    addresses = itertools.count()

    async def everywhere() -> bool:
        return all([await slowed() for _ in range(TRIES)])

    async def slowed() -> bool:
        number = next(addresses)
        by = f"198.51.{number // 256}.{number % 256}"
        await post(proxied, "One", by)
        return (await post(proxied, "Two", by)).get("code") == "too-fast"

    await eventually(everywhere, 5)
    await post(proxied, "One", HERE)
    assert 590 <= (await post(proxied, "Two", HERE))["retry_after"] <= 600
    async with proxied.http.get(COMMENTS) as response:
        assert (await response.json())["thread"]["slow"] == 600
    status, out, _ = await command(proxied.environ, "threads", "slow", "story", "0")
    assert (status, out) == (0, "now   not slow: story\n")
    for given in ("-1", "86401", "soon"):
        assert (await command(proxied.environ, "threads", "slow", "story", given))[0] == 2


async def test_the_desk_slows_a_thread_and_its_readers_hear_of_it(proxied: Site) -> None:
    ida = await seat(proxied, "ida")
    async with proxied.socket("story") as reader:
        await receive(reader, "joined")
        fields: dict[str, Any] = {"one": "slow story", "slow story": 60}
        assert (await ida.post("/desk/threads", **fields)).status == 303
        assert (await receive(reader, "changes"))["thread"] == {"state": "open", "slow": 60}
        assert '<option value="60" selected>' in (await ida.get("/desk/threads")).text
        for wrong in ("", "-1", "86401", "x"):
            assert (await ida.post("/desk/threads", **(fields | {"slow story": wrong}))).status == 400


async def test_without_limits_a_thread_is_slow_all_the_same(site: Site) -> None:
    status, _, errors = await command(site.environ, "threads", "slow", "story", "600")
    assert status == 0, errors

    async def refused() -> bool:
        return (await post(site, "Hello")).get("code") == "too-fast"

    await eventually(refused)
