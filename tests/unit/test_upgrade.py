"""The change of hands: every assumption about the inside of aiohttp is tried, on both loops, with TLS too."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import trustme
import uvloop
from aiohttp import web
from websockets.asyncio.client import connect

from service.errors import Refusal
from service.frame import head
from service.web import upgrade
from service.web.inbox import Inbox
from tests.line import framed
from tests.site import eventually

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
HANDSHAKE = {
    "Host": "here",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "other, afterword.1",
}
PATIENCE = 5.0


class Echo(asyncio.Protocol):
    """Writes back what it hears, as text."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.inbox = Inbox()
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Answer every message."""
        for message in self.inbox.feed(data):
            if message:
                self.transport.write(head(0x81, len(message.data)) + message.data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason
        """Note it."""
        self.lost.set()


class Server:
    """aiohttp with one handler, which may be told to wait or to hurt its connection before it takes over."""

    def __init__(self) -> None:
        self.before: Callable[[web.Request], Coroutine[Any, Any, None]] | None = None
        self.begun = asyncio.Event()
        self.taken: list[Echo | None] = []
        self.port = 0
        self.runner: web.AppRunner

    async def handle(self, request: web.Request) -> web.Response:
        """Take over, or word the refusal."""
        try:
            upgrade.check(request)
            self.begun.set()
            if self.before:
                await self.before(request)
            transport = upgrade.take_over(request)
        except Refusal as refusal:
            return web.Response(status=refusal.status)
        echo = Echo(transport) if transport else None
        if transport and echo:
            transport.set_protocol(echo)
        self.taken.append(echo)
        return web.Response(status=101)

    @property
    def connections(self) -> int:
        """How many connections aiohttp knows."""
        assert self.runner.server
        return len(self.runner.server.connections)

    async def said(self, data: bytes, later: bytes = b"") -> bytes:
        """The first line that a raw client is answered, who may send more when the handler has begun."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.closing(writer):
            writer.write(data)
            if later:
                await asyncio.wait_for(self.begun.wait(), PATIENCE)
                writer.write(later)
            return await asyncio.wait_for(reader.readline(), PATIENCE)


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_route("*", "/", server.handle)
    server.runner = web.AppRunner(app, shutdown_timeout=0.05)
    await server.runner.setup()
    site = web.TCPSite(server.runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    server.port = server.runner.addresses[0][1]
    try:
        yield server
    finally:
        await server.runner.cleanup()


def request(method: str = "GET", version: str = "1.1", body: bytes = b"", **changes: str | None) -> bytes:
    """A handshake, with some headers changed or left out."""
    headers = HANDSHAKE | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [
        f"{method} / HTTP/{version}",
        *(f"{name}: {value}" for name, value in headers.items() if value is not None),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run something on each kind of loop."""

    def inside(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(main, 30))

    return inside


Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_connection_changes_hands(run: Run, secure: bool) -> None:
    authority = trustme.CA()
    inner, outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(inner)
    authority.configure_trust(outer)

    async def main() -> None:
        async with serving(inner if secure else None) as server:
            async with connect(
                f"ws{'s' if secure else ''}://127.0.0.1:{server.port}/",
                ssl=outer if secure else None,
                subprotocols=["afterword.1"],  # type: ignore[list-item]
                compression=None,
            ) as client:
                assert client.subprotocol == "afterword.1"
                for size in (1, 300, 60_000):
                    await client.send("x" * size)
                    assert await asyncio.wait_for(client.recv(), PATIENCE) == "x" * size
                assert server.connections == 0, "aiohttp knows it no longer"
                (echo,) = server.taken
                assert echo
                client.transport.abort()
            await asyncio.wait_for(echo.lost.wait(), PATIENCE)

    run(main())


def test_reading_goes_on_where_aiohttp_had_paused_it(run: Run) -> None:
    async def pause(request: web.Request) -> None:
        assert request.transport
        request.transport.pause_reading()

    async def main() -> None:
        async with serving() as server:
            server.before = pause
            async with connect(f"ws://127.0.0.1:{server.port}/", compression=None) as client:
                await client.send("there?")
                assert await asyncio.wait_for(client.recv(), PATIENCE) == "there?"
                client.transport.abort()

    run(main())


def test_the_answer_is_that_of_rfc_6455(run: Run) -> None:
    async def main() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
            assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head  # §1.3's own example
            assert b"\r\nSec-WebSocket-Protocol: afterword.1\r\n" in head
            assert head.count(b"HTTP/1.1") == 1
            writer.write(framed(b"there?"))
            assert await asyncio.wait_for(reader.readexactly(8), PATIENCE) == b"\x81\x06there?", "aiohttp says no more"
            writer.close()
            (echo,) = server.taken
            assert echo
            await asyncio.wait_for(echo.lost.wait(), PATIENCE)
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""

    run(main())


def test_frames_before_the_answer_are_refused_since_they_would_be_lost(run: Run) -> None:
    async def wait(request: web.Request) -> None:
        await eventually(lambda: request.protocol._message_tail)

    async def main() -> None:
        async with serving() as server:
            frame = b"\x81\x80\0\0\0\0"
            assert await server.said(request(body=frame)) == b"HTTP/1.1 400 Bad Request\r\n"
            server.before = wait
            assert await server.said(request(), frame) == b"HTTP/1.1 400 Bad Request\r\n"
            assert server.taken == []

    run(main())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(version="1.0"), 400),
        (request(version="2.0"), 400),
        (request(Sec_WebSocket_Version="8"), 426),
        (request(Sec_WebSocket_Version=None), 426),
        (request(Upgrade="h2c"), 426),
        (request(Upgrade=None), 426),
        (request(Connection="keep-alive"), 426),
        (request(Sec_WebSocket_Key=None), 400),
        (request(Sec_WebSocket_Key="short"), 400),
        (request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZSE="), 400),
        (request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="), 400),
        (request(Sec_WebSocket_Version="13\r\nsec-websocket-version: 13"), 400),
        (request(Sec_WebSocket_Version="8\r\nSec-WebSocket-Version: 13"), 400),
        (request(Content_Length="2", body=b"hi"), 400),
        (request(Transfer_Encoding="chunked", body=b"2\r\nhi\r\n0\r\n\r\n"), 400),
    ],
)
def test_what_is_no_handshake_is_refused(run: Run, sent: bytes, status: int) -> None:
    async def main() -> None:
        async with serving() as server:
            assert int((await server.said(sent)).split()[1]) == status
            assert server.taken == []

    run(main())


@pytest.mark.parametrize(
    "sent",
    [
        request(Upgrade="websocket\r\nUpgrade: other"),
        request(Connection="Upgrade\r\nConnection: keep-alive"),
        request(Sec_WebSocket_Protocol="other\r\nSec-WebSocket-Protocol: afterword.1"),
        request(Sec_WebSocket_Extensions="one\r\nSec-WebSocket-Extensions: other"),
    ],
)
def test_what_is_a_list_may_stand_in_several_lines(run: Run, sent: bytes) -> None:
    async def main() -> None:
        async with serving() as server:
            assert await server.said(sent) == b"HTTP/1.1 101 Switching Protocols\r\n"

    run(main())


def test_who_is_gone_already_is_left_alone(run: Run) -> None:
    async def hang_up(request: web.Request) -> None:
        assert request.transport
        request.transport.abort()
        await eventually(lambda: request.transport is None)

    async def main() -> None:
        async with serving() as server:
            server.before = hang_up
            assert await server.said(request()) == b""
            assert await eventually(lambda: server.taken) == [None]

    run(main())
