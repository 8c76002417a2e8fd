"""Slow heads and bodies, on an app of our own: whoever is slow is let go of, and nobody else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from service.errors import Malformed
from service.guard import patience

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n"
KEPT_SECONDS = 0.3
PATIENCE = 10.0  # for what should take a fraction of a second

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer(request: web.Request) -> web.StreamResponse:
    """Echo a body; stream for ever, or hold a WebSocket, where that is asked for."""
    if request.path == "/socket":
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket
    if request.path == "/stream":
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(PATIENCE)
        return response
    try:
        return web.Response(body=await patience.with_body(request.read()))
    except Malformed as refusal:
        return web.Response(status=refusal.status, text=refusal.message)


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits for a fraction of a second."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.02)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, keepalive_timeout=KEPT_SECONDS, lingering_time=0.1, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sweep = asyncio.create_task(patience.with_heads(runner.server))
    yield int(runner.addresses[0][1])
    sweep.cancel()
    await asyncio.wait([sweep])
    await runner.cleanup()


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
