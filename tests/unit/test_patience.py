"""Slow heads and bodies, and answers not taken, on an app of our own: who is slow is let go of, and nobody else."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from service.errors import Malformed
from service.guard import line as module
from service.guard import patience
from tests.site import eventually

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n"
KEPT_SECONDS = 0.3
STUCK_SECONDS = 0.4
LONG = bytes(8_000_000)  # more than kernels take by themselves
PATIENCE = 10.0  # for what should take a fraction of a second

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer(request: web.Request) -> web.StreamResponse:
    """Echo a body; answer at length, stream for ever, or hold a WebSocket, where that is asked for."""
    if request.path == "/long":
        return web.Response(body=LONG)
    if request.path == "/socket":
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket
    if request.path == "/stream":
        response = web.StreamResponse()
        await response.prepare(request)
        if "watched" in request.query:
            request[patience.WATCHED] = True
            assert request.transport
            request.transport.write(LONG)
        await asyncio.sleep(PATIENCE)
        return response
    try:
        return web.Response(body=await patience.with_body(request.read()))
    except Malformed as refusal:
        return web.Response(status=refusal.status, text=refusal.message)


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[web.AppRunner]:
    """A server that waits for a fraction of a second."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(module, "STUCK_SECONDS", STUCK_SECONDS)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, keepalive_timeout=KEPT_SECONDS, lingering_time=0.1, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sweep = asyncio.create_task(patience.with_connections(runner.server))
    yield runner
    sweep.cancel()
    await asyncio.wait([sweep])
    await runner.cleanup()


@pytest.fixture
def port(server: web.AppRunner) -> int:
    """Where it listens."""
    return int(server.addresses[0][1])


def connections(runner: web.AppRunner) -> int:
    """How many connections are open."""
    assert runner.server is not None
    return sum(each.connected for each in runner.server.connections)


@contextlib.asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def trickle(line: Line, sent: bytes) -> bytes:
    """Send a byte every now and then until the other end closes; what it said."""
    reader, writer = line
    told = asyncio.ensure_future(reader.read())
    for number in range(len(sent)):
        if not told.done():
            writer.write(sent[number : number + 1])
            await asyncio.wait([told], timeout=0.02)
    try:
        return await asyncio.wait_for(told, PATIENCE)
    except ConnectionResetError:  # it closed while a byte was on its way
        return b""


async def answered(line: Line, sent: bytes, expected: bytes) -> None:
    reader, writer = line
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        assert expected in await reader.readuntil(expected)


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: here\r\n", b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 200]
)
async def test_a_head_that_does_not_come_ends_the_connection(port: int, sent: bytes) -> None:
    async with line(port) as slow:
        assert await trickle(slow, sent) == b""


async def test_a_body_that_does_not_come_is_answered_and_ends_the_connection(port: int) -> None:
    async with line(port) as slow:
        slow[1].write(HEAD)
        told = await trickle(slow, b"1234")
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.endswith(b"please send it again.")


async def test_a_second_head_that_does_not_come_is_waited_for_as_long_as_an_idle_connection_is_kept(port: int) -> None:
    async with line(port) as slow:
        await answered(slow, HEAD + b"12345", b"12345")
        begun = asyncio.get_running_loop().time()
        assert await trickle(slow, b"POST / HTTP/1.1\r\nX-Endless: " + b"x" * 100) == b""
        assert asyncio.get_running_loop().time() - begun >= KEPT_SECONDS - 0.05


async def test_nobody_else_is_let_go_of(port: int) -> None:
    """One that asks again and again, a stream, and a WebSocket, all longer than any head is waited for."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    async with line(port) as kept, line(port) as stream, line(port) as socket:
        await answered(stream, b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n", b"\r\n\r\n")
        await answered(
            socket,
            b"GET /socket HTTP/1.1\r\nHost: here\r\n" + upgrade + b"MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
            b"\r\n\r\n",
        )
        for _ in range(4):
            await answered(kept, HEAD + b"12345", b"12345")
            await asyncio.sleep(KEPT_SECONDS / 3)
        for open_line in (kept, stream, socket):
            assert not open_line[0].at_eof()


def dialled(port: int, sent: bytes) -> socket.socket:
    """A client that takes nothing by itself, and into whose kernel little goes; it has sent something."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.connect(("127.0.0.1", port))
    client.sendall(sent)
    client.setblocking(False)
    return client


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n" * 3,
        b"GET /long HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
        b"GET /long HTTP/1.0\r\n\r\n",
    ],
    ids=["pipelined", "closed", "old"],
)
async def test_who_takes_no_answer_is_cut_off(server: web.AppRunner, port: int, sent: bytes) -> None:
    begun = asyncio.get_running_loop().time()
    with dialled(port, sent):
        await eventually(lambda: connections(server), PATIENCE)
        await eventually(lambda: not connections(server), PATIENCE)
        assert asyncio.get_running_loop().time() - begun >= STUCK_SECONDS


async def test_who_takes_answers_slowly_is_not(port: int) -> None:
    with dialled(port, b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n") as client:
        begun, loop = asyncio.get_running_loop().time(), asyncio.get_running_loop()
        while loop.time() - begun < 4 * STUCK_SECONDS:
            assert await asyncio.wait_for(loop.sock_recv(client, 8192), PATIENCE)
            await asyncio.sleep(STUCK_SECONDS / 10)


async def test_whose_handler_watches_it_is_left_to_that(server: web.AppRunner, port: int) -> None:
    with dialled(port, b"GET /stream?watched HTTP/1.1\r\nHost: here\r\n\r\n"):
        await eventually(lambda: connections(server), PATIENCE)
        await asyncio.sleep(3 * STUCK_SECONDS)
        assert connections(server)
