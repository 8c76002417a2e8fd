"""Posting over HTTP, the limits, and what is kept of a visitor: nothing."""

import base64
import hashlib
import html
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from yarl import URL

from service.keyring import Keyring
from tests.site import Site, command, op, receive, send, telling
from tests.threads import Thread

COMMENTS = "/articles/story/comments"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NEW = b'{"op":"00000000-0000-4000-8000-000000000000","text":"x"}'
VISITOR = "203.0.113.77"
VISITORS = (VISITOR, "198.51.100.212", "2001:db8:1:2:abcd::9")


@pytest_asyncio.fixture
async def limited(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers with the limits that hold by default, behind a proxy that is trusted."""
    proxied = {"TRUSTED_PROXIES": "127.0.0.0/8", "LOG_LEVEL": "debug"}
    async with telling(tmp_path, database_url, redis_url, **proxied) as running:
        yield running


async def post(site: Site, text: str, mine: str | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """Post as JSON; the status and the answer."""
    body = {"op": mine or op(), "text": text}
    async with site.http.post(COMMENTS, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_repeated_op_costs_nothing_under_the_default_limits(limited: Site) -> None:
    ops = [op() for _ in range(6)]
    for number, mine in enumerate(ops):
        for expected in (201, 200, 200):
            status, _ = await post(limited, f"Comment {number}", mine)
            assert status == expected
    status, refused = await post(limited, "One too many")
    assert status == 429
    assert refused["code"] == "too-fast"
    assert 1 <= refused["retry_after"] <= 10
    assert (await post(limited, "Comment 0", ops[0]))[0] == 200
    async with limited.socket("story") as socket:
        await send(socket, "post", op=ops[1], text="Comment 1")
        assert (await receive(socket, "accepted", "refused"))["type"] == "accepted"
        await send(socket, "post", op=op(), text="Too fast")
        assert (await receive(socket, "accepted", "refused"))["code"] == "too-fast"
    status, _ = await post(limited, "From elsewhere", **{"X-Forwarded-For": VISITOR})
    assert status == 201


async def test_one_op_from_twenty_sockets_at_once_is_one_comment_under_the_default_limits(limited: Site) -> None:
    mine = op()
    sockets = [await limited.socket("story") for _ in range(20)]
    for socket in sockets:
        await send(socket, "post", op=mine, text="Once")
    answers = [await receive(socket, "accepted", "refused") for socket in sockets]
    assert {answer["type"] for answer in answers} == {"accepted"}
    assert len({(answer["no"], answer["key"]) for answer in answers}) == 1
    for socket in sockets:
        await socket.close()
    assert (await post(limited, "The others are still free"))[0] == 201


async def test_a_form_sent_five_times_posts_once_and_leads_to_its_comment(limited: Site) -> None:
    places = set()
    for _ in range(5):
        body = urlencode({"text": "The same words"})
        async with limited.http.post(COMMENTS, data=body, headers=FORM, allow_redirects=False) as response:
            assert response.status == 303
            places.add(response.headers["Location"])
    (place,) = places
    assert place.startswith("/articles/story?around=")
    async with limited.http.get(place) as response:
        page = await response.text()
    assert page.count("The same words") == 1
    assert f'id="{place.split("#")[1]}"' in page


async def test_no_address_of_a_visitor_is_kept_anywhere(
    limited: Site, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    for visitor in VISITORS:
        forwarded = {"X-Forwarded-For": visitor}
        for number in range(8):
            _, answer = await post(limited, f"Comment {number}", **forwarded)
            if number == 4:
                report = f"/comments/{answer['no']}/report"
                async with limited.http.post(report, json={"reason": "spam"}, headers=forwarded) as response:
                    assert response.status == 202
            if number == 5:
                status, _, errors = await command(
                    limited.environ, "bans", "add", str(answer["no"]), "--days", "1", "--network"
                )
                assert status == 0, errors
        async with limited.http.post(COMMENTS, data="text=form", headers=FORM | forwarded):
            pass
        async with limited.http.post(COMMENTS, data=b"\xff{", headers=forwarded | {"Content-Type": "application/json"}):
            pass
    async with limited.socket("story", additional_headers={"X-Forwarded-For": VISITORS[0]}) as socket:
        await receive(socket, "joined")
        in_redis = await _in_redis(redis_url, Keyring(limited.environ["AFTERWORD_SECRET"]).site)
    await limited.stop()
    everything = "\n".join([*await _dump(database_url), *in_redis, (tmp_path / "log").read_text()])
    for what in ("Comment 1", ":posts:same:", ":reports:limit:", "connections:", "/articles/{slug"):
        assert what in everything
    for visitor in VISITORS:
        for form in _forms(visitor):
            assert form.lower() not in everything.lower(), f"{form} of {visitor}"


async def _dump(database_url: str) -> list[str]:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    dump = [row[0] for (table,) in tables for row in await connection.fetch(f"SELECT t::text FROM {table} t")]  # noqa: S608
    await connection.close()
    return dump


async def _in_redis(redis_url: str, site: str) -> list[str]:
    """Every key of a site, with what is in it."""
    found = []
    async with Redis.from_url(redis_url) as redis:
        async for key in redis.scan_iter(f"*{site}*", count=1000):
            match await redis.type(key):
                case b"string":
                    value: Any = await redis.get(key)
                case b"hash":
                    value = await redis.hgetall(key)
                case b"zset":
                    value = await redis.zrange(key, 0, -1)
                case b"list":
                    value = await redis.lrange(key, 0, -1)
                case kind:
                    raise AssertionError(kind)
            found.append(f"{key} {value}")
    return found


def _forms(visitor: str) -> set[str]:
    """What an address and its nets are written as, and what they are hashed to without a key, in part at least."""
    address = ip_address(visitor)
    nets = [ip_network((address, prefix), strict=False) for prefix in ((24,) if address.version == 4 else (48, 64))]
    written = {visitor, str(address), address.exploded, address.reverse_pointer, *map(str, nets)}
    written |= {str(net.network_address) for net in nets}
    raw = {address.packed, *(net.network_address.packed for net in nets)}
    if isinstance(address, IPv4Address):
        mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
        written |= {str(mapped), mapped.exploded}
        raw.add(mapped.packed)
    hashed = {
        hashlib.new(name, what).digest()
        for name in ("md5", "sha1", "sha256", "sha512", "blake2s256", "blake2b512")
        for what in (*raw, *map(str.encode, written))
    }
    written |= {data.hex() for data in raw} | {str(int(address)), base64.b64encode(address.packed).decode()}
    return written | {data.hex()[:32] for data in hashed} | {base64.b64encode(data).decode()[:20] for data in hashed}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "code"),
    [
        ("POST", COMMENTS, b"{", {"Content-Type": "application/json"}, 400, "malformed"),
        ("POST", COMMENTS, b"[" * 60_000, {"Content-Type": "application/json"}, 400, "malformed"),
        ("POST", COMMENTS, b" " * 70_000, {"Content-Type": "application/json"}, 413, "too-large"),
        ("POST", COMMENTS, b"hello", {"Content-Type": "text/plain"}, 415, "media"),
        ("POST", COMMENTS, b"{}", {"Content-Type": "application/json", "Origin": "https://a.example"}, 403, "origin"),
        ("POST", "/articles/none/comments", NEW, {"Content-Type": "application/json"}, 404, "not-found"),
        ("PUT", COMMENTS, b"", {}, 405, "method"),
        ("GET", f"{COMMENTS}?before=1&from=2", b"", {}, 400, "malformed"),
        ("GET", f"{COMMENTS}?around=9999999999", b"", {}, 404, "not-found"),
        ("GET", f"{COMMENTS}?limit=-1", b"", {}, 400, "malformed"),
        ("GET", f"{COMMENTS}?epoch=x", b"", {}, 400, "malformed"),
        ("DELETE", f"{COMMENTS}/1", b"{}", {}, 400, "malformed"),
        ("DELETE", f"{COMMENTS}/9999999999", b'{"key":"x"}', {}, 404, "not-found"),
        ("POST", COMMENTS, b"junk", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400, "malformed"),
        ("GET", "/articles/story/live", b"", {}, 426, "upgrade"),
    ],
)  # fmt: skip
async def test_bad_requests_are_refused_by_code(
    shared: Site, method: str, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with shared.http.request(method, path, data=body or None, headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")
        assert (response.status, problem["status"], problem["code"]) == (status, status, code)
        assert problem["detail"].endswith(".")
        assert response.headers["Cache-Control"] == "no-store"


async def test_forms_that_are_none_are_refused_with_a_page(shared: Site) -> None:
    bodies = [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing"),
        ("application/x-www-form-urlencoded; charset=utf-99", b"text=x"),
        ("application/x-www-form-urlencoded", b""),
    ]
    for kind, body in bodies:
        async with shared.http.post(COMMENTS, data=body, headers={"Content-Type": kind}) as response:
            assert response.status in {400, 422}
            assert 'role="alert"' in await response.text()


async def test_windows_are_cut_as_asked(thread: Thread) -> None:
    numbers = [(await thread.post(f"Comment {number}"))["no"] for number in range(7)]

    async def window(query: str) -> tuple[list[int], bool, bool]:
        async with thread.site.http.get(f"{thread.comments}?{query}") as response:
            found = await response.json()
            assert found["version"] == 7
            return [comment["no"] for comment in found["comments"]], found["earlier"], found["later"]

    assert await window("") == (numbers, False, False)
    assert await window("limit=3") == (numbers[4:], True, False)
    assert await window(f"before={numbers[4]}&limit=2") == (numbers[2:4], True, True)
    assert await window(f"from={numbers[5]}&limit=9") == (numbers[5:], True, False)
    assert await window(f"around={numbers[3]}&limit=3") == (numbers[2:5], True, True)
    assert await window(f"around={numbers[6]}&limit=3") == (numbers[4:], True, False)
    async with thread.site.http.get(f"/comments/{numbers[2]}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"/articles/{thread.slug}#no-{numbers[2]}")


async def test_held_and_closed_threads_say_so(shared: Site, tmp_path: Path) -> None:
    for mode in ("held", "closed", "none"):
        folder = tmp_path / mode
        folder.mkdir()
        await shared.load(folder, f"{mode}-thread", comments=mode)
    async with shared.http.post("/articles/held-thread/comments", json={"op": op(), "text": "Later"}) as response:
        held = await response.json()
        assert (held["state"], held["version"]) == ("held", None)
    async with shared.http.post(
        "/articles/held-thread/comments", data="text=x", headers=FORM, allow_redirects=False
    ) as response:
        assert response.headers["Location"] == "/articles/held-thread?held=1#form"
    async with shared.http.get("/articles/held-thread/comments") as response:
        assert (await response.json())["comments"] == []
    async with shared.http.get(f"/comments/{held['no']}") as response:
        assert response.status == 404
    async with shared.http.post("/articles/closed-thread/comments", json={"op": op(), "text": "No"}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "closed")
    async with shared.http.get("/articles/none-thread/comments") as response:
        assert response.status == 404
    async with shared.http.get("/articles/none-thread") as response:
        assert response.status == 200
        assert "<live-thread" not in await response.text()


async def test_a_thread_that_is_closed_by_its_file_closes_in_open_pages(shared: Site, tmp_path: Path) -> None:
    await shared.load(tmp_path, "open-at-first")
    async with shared.socket("open-at-first") as reader:
        await receive(reader, "joined")
        await shared.load(tmp_path, "open-at-first", comments="closed")
        changes = await receive(reader, "changes")
        assert changes["thread"] == {"state": "closed", "slow": 0}


async def test_articles_that_cannot_be_read_are_named_and_the_others_loaded(shared: Site, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.md").write_text("---\ntitle: Good\ndate: 2026-01-01\n---\nText <script>alert(1)</script>\n")
    (folder / "bad.md").write_text("---\ntitle: Bad\ndate: yesterday\n---\nText\n")
    status, out, errors = await command(shared.environ, "articles", "load", str(folder))
    assert status == 1
    assert f"{folder / 'bad.md'}:3: " in errors
    assert "good" in out
    async with shared.http.get("/articles/good") as response:
        page = await response.text()
        assert response.status == 200
        assert "<script>alert(1)" not in page
    status, out, _ = await command(shared.environ, "articles", "list")
    assert status == 0
    assert "good" in out


async def test_pages_are_asked_for_again_by_their_tag(shared: Site) -> None:
    for path in ("/", "/articles/story", "/sections/News"):
        async with shared.http.get(path) as response:
            tag = response.headers["ETag"]
        async with shared.http.get(path, headers={"If-None-Match": tag}) as response:
            assert response.status == 304


async def test_a_section_of_any_name_has_its_page(shared: Site, tmp_path: Path) -> None:
    for number, name in enumerate(("é\u00a0: x", "{{7*7}}", "a/b", "100%")):
        folder = tmp_path / f"section{number}"
        folder.mkdir()
        await shared.load(folder, f"of-section-{number}", section=f"'{name}'")
        async with shared.http.get(f"/articles/of-section-{number}") as response:
            page = await response.text()
        link = page.split('href="/sections/', 1)[1].split('"', 1)[0]
        links = {part.split('"', 1)[0] for part in page.split('href="/sections/')[1:]}
        assert link
        for each in links:
            async with shared.http.get(URL(f"/sections/{html.unescape(each)}", encoded=True)) as response:
                assert response.status == 200


async def test_an_unknown_subprotocol_tells_the_log_nothing_of_the_visitor(limited: Site, tmp_path: Path) -> None:
    async with limited.socket("story", subprotocols=["chat"]) as socket:
        await receive(socket, "joined")
    assert "127.0.0.1: Client" not in (tmp_path / "log").read_text()
