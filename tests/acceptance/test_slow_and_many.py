"""How many may be connected, how fast they may speak, and how slow they may be: over a running site."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State

from service import roster
from service.guard import patience
from service.guard.connections import SPARE
from service.guard.line import STUCK_SECONDS
from service.keyring import Keyring
from tests.faults.shortages import no_descriptors
from tests.ground import GROUNDS, Ground
from tests.site import Site, eventually, op, receive, send, telling

LIMIT = 6
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


async def dial(site: Site) -> ClientConnection | None:
    """A socket, if there is a slot for it."""
    try:
        return await site.socket("story")
    except InvalidStatus:
        return None


async def refused(site: Site, status: int) -> bool:
    """Whether a handshake is refused, by name and with a time to wait."""
    async with site.http.get("/articles/story/live", headers=HANDSHAKE) as response:
        problem = await response.json()
        assert (response.status, problem["code"]) == (status, "too-many")
        return int(response.headers["Retry-After"]) == int(problem["retry_after"]) > 0


async def closed(socket: ClientConnection) -> int:
    """The code that a socket is closed with."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await receive(socket, "nothing")
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


async def test_an_address_has_its_slots_on_all_workers_and_those_of_a_killed_one_again(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with (
        telling(tmp_path, database_url, redis_url, CONNECTIONS_PER_ADDRESS=str(LIMIT)) as site,
        Redis.from_url(redis_url) as redis,
    ):
        workers = roster.workers(Keyring(site.environ["AFTERWORD_SECRET"]).site)

        async def two_others_than(before: set[Any]) -> set[Any] | None:
            alive = set(await redis.zrange(workers, 0, -1))
            return alive if len(alive) == 2 and alive != before else None

        before = await eventually(partial(two_others_than, set()))
        sockets = [await site.socket("story") for _ in range(LIMIT)]
        assert await refused(site, 429)
        await sockets.pop().close()
        sockets.append(await eventually(partial(dial, site)))
        assert await refused(site, 429)
        os.kill((await site.workers())[0], signal.SIGKILL)
        await eventually(partial(two_others_than, before))
        sockets = [socket for socket in sockets if socket.state is State.OPEN]
        while len(sockets) < LIMIT:
            sockets.append(await eventually(partial(dial, site)))
        assert await refused(site, 429)
        for socket in sockets:
            await socket.close()


async def test_a_full_worker_refuses_and_a_flood_is_closed(tmp_path: Path, database_url: str, redis_url: str) -> None:
    settings = {"CONNECTIONS_PER_ADDRESS": "0", "CONNECTIONS_PER_WORKER": "2"}
    async with telling(tmp_path, database_url, redis_url, **settings) as site:
        sockets: list[ClientConnection] = []
        while len(sockets) < 4:
            sockets.append(await eventually(partial(dial, site)))  # refused by one worker, taken by the other
        assert await refused(site, 503)
        for _ in range(60):
            await send(sockets[0], "pong")
            await sockets[0].ping()
        assert await closed(sockets[0]) == 4013
        await send(sockets[1], "post", op=op(), text="Nobody else is meant")
        await receive(sockets[1], "accepted")
        for socket in sockets:
            await socket.close()


@pytest.mark.parametrize("ground", GROUNDS)
async def test_who_hangs_up_is_no_error_of_ours(tmp_path: Path, database_url: str, redis_url: str, ground: str) -> None:
    """With a reset, as soon as the request is sent."""
    body = b'{"op": "' + op().encode() + b'", "text": "Hello"}'
    sized = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    upgrade = "".join(f"{name}: {value}\r\n" for name, value in HANDSHAKE.items()).encode()
    requests = {
        ("GET", "/articles/{slug}/events"): b"\r\n",
        ("GET", "/articles/{slug}/live"): upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ("GET", "/articles/{slug}"): b"\r\n",
        ("GET", "/articles/{slug}/comments"): b"\r\n",
        ("POST", "/articles/{slug}/comments"): sized % 90 + b"{",
        ("DELETE", "/articles/{slug}/comments/{no}"): sized % len(body) + body,
    }
    log = tmp_path / "log"

    def asked() -> list[Any]:
        return [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "request"]

    stand = Ground.of(ground, tmp_path)
    async with telling(tmp_path, database_url, redis_url, stand, LOG_LEVEL="info", POSTS_PER_MINUTE="0") as site:
        for (method, route), rest in requests.items():
            head = f"{method} {route.format(slug='story', no=1)} HTTP/1.1\r\nHost: here\r\n".encode()

            async def reset(method: str = method, route: str = route, sent: bytes = head + rest) -> bool:
                _, writer = await site.dial()
                line = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.write(sent)
                await asyncio.sleep(0)
                writer.transport.abort()
                return sum((line["method"], line["route"]) == (method, route) for line in asked()) > 20

            await eventually(reset)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    assert not any(line["status"] == 500 for line in asked())


async def test_who_is_slow_to_ask_is_let_go_of(grounds: dict[str, Site]) -> None:
    """By a real worker's seconds, on all grounds at once; test_patience.py knows the rest."""
    await asyncio.gather(*map(slow_to_ask, grounds.values()))


async def slow_to_ask(site: Site) -> None:
    """Ask in parts, and stop."""

    async def told(sent: bytes) -> tuple[bytes, float]:
        reader, writer = await site.dial()
        begun = asyncio.get_running_loop().time()
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer, asyncio.get_running_loop().time() - begun

    post = b"POST /articles/story/comments HTTP/1.1\r\nHost: here\r\nContent-Length: 90\r\nContent-Type: application/"
    async with asyncio.timeout(30), site.socket("story") as socket:
        head, *bodies = await asyncio.gather(
            told(b"GET / HTTP/1.1\r\nHost:"),
            told(post + b"json\r\n\r\n{"),
            told(post + b"x-www-form-urlencoded\r\n\r\ntext="),
        )
        for _ in range(300):  # this site has no limit on posting, and so none on frames
            await send(socket, "pong")
        await send(socket, "post", op=op(), text="Still here")
        await receive(socket, "accepted")
    assert head[0] == b""
    assert all(answer.startswith(b"HTTP/1.1 400 ") and b"within 10 seconds" in answer for answer, _ in bodies)
    assert all(patience.HEAD_SECONDS <= seconds < 15 for _, seconds in (head, *bodies))


async def test_who_reads_no_answer_is_let_go_of(grounds: dict[str, Site]) -> None:
    """However many it asks for, on any ground; a client that shares the worker goes on."""
    await asyncio.gather(*map(deaf_to_answers, grounds.values()))


async def deaf_to_answers(site: Site) -> None:
    """Ask, and read nothing."""
    _, writer = await site.dial()
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    asked, begun = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" * 100, asyncio.get_running_loop().time()

    async def cut_off() -> bool:
        if writer.transport.get_write_buffer_size() < 100_000:
            writer.write(asked)
        return writer.is_closing()

    await eventually(cut_off, 40)
    assert asyncio.get_running_loop().time() - begun >= STUCK_SECONDS
    async with site.http.get("/") as response:
        assert response.status == 200


async def test_connections_leave_a_worker_its_last_descriptors(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    limited = ("prlimit", "--nofile=256:256")
    async with (
        contextlib.AsyncExitStack() as held,
        telling(tmp_path, database_url, redis_url, by=limited, WORKERS="1", POSTS_PER_MINUTE="0") as site,
    ):
        kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

        async def asked() -> bool:
            """Ask on a connection, and keep it if there is an answer."""
            reader, writer = await site.dial()
            held.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                if await reader.read(1):
                    kept.append((reader, writer))
                    return True
            return False

        while await asked():
            assert len(kept) < 256 - SPARE
        assert not await asked()
        (worker,) = await site.workers()
        assert len(list(Path(f"/proc/{worker}/fd").iterdir())) <= 256 - SPARE + 8
        kept.pop()[1].close()
        await eventually(asked)
    lines = (tmp_path / "log").read_text()
    assert lines.count("file descriptors are used up") == 1


async def test_a_worker_without_a_descriptor_goes_on_with_what_it_has(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    """Where all that it has is busy, what is asked is refused by name."""
    pages = {"/": 200, "/articles/story": 200, "/articles/none": 404, "/nothing": 404}
    cut, own = 0, f"{redis_url}?db=1"  # where its subscription is told from those of other sites

    async with (
        telling(tmp_path, database_url, own, WORKERS="1", POSTS_PER_MINUTE="0") as site,
        Redis.from_url(own) as redis,
        contextlib.AsyncExitStack() as held,
        site.socket("story") as reader,
    ):

        async def deaf() -> bool:
            """Cut its hints, and take the descriptor that was free; whether it failed to get them back."""
            nonlocal cut
            for client in await redis.client_list(_type="pubsub"):
                if client["db"] == "1":
                    cut += await redis.client_kill_filter(_id=client["id"])
            _, writer = await site.dial()
            held.callback(writer.close)
            return (tmp_path / "log").read_text().count("no hints from Redis") > cut

        async def answers(path: str, status: int) -> bool:
            async with site.http.get(path) as response:
                assert response.status in {status, 503}
                assert response.content_type == "text/html"
                return response.status == status

        async def accepted(text: str) -> bool:
            await send(reader, "post", op=op(), text=text)
            return bool((await receive(reader, "accepted", "refused"))["type"] == "accepted")

        async def ready() -> bool:
            async with site.http.get("/readyz") as response:
                return response.status == 200

        assert await accepted("Comments have a connection to the store")
        await eventually(ready)  # and what is asked below has one, too
        workers = await site.workers()
        with no_descriptors(*workers):
            await eventually(deaf)
            assert not await ready()
            for path, status in pages.items():
                await eventually(partial(answers, path, status))
            await eventually(partial(accepted, "With none to spare"))
        await eventually(ready)
        assert await site.workers() == workers
