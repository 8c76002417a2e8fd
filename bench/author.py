"""Who writes: over a WebSocket of few lines, which costs the load little, or by POST to a peer."""

import asyncio
import base64
import contextlib
import os
import struct
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import msgspec

from bench.process import Broken
from bench.servers import Server

Say = Callable[[str], Awaitable[None]]
SIZE = 200  # characters of a comment


class Author:
    """One socket on a thread. `accepted` counts what stands; whatever is refused ends the measurement."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted = self.posted = 0
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, path: str) -> "Author":
        """Connect. Raises `Broken` where there is no upgrade."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise Broken(f"an author can't come: {head[:200]!r}")
        return cls(reader, writer)

    async def post(self, text: str) -> None:
        """Send a comment."""
        self.posted += 1
        self._send({"type": "post", "op": str(uuid.uuid4()), "text": text})
        await self._writer.drain()

    async def hear(self) -> str:
        """Read on until there is an answer, or the first message; its type. Raises `Broken` for a refusal."""
        while True:
            head = await self._reader.readexactly(2)
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            data = await self._reader.readexactly(size)
            if head[0] & 15 == 8:
                raise Broken(f"an author was sent away: {int.from_bytes(data[:2], 'big')}")
            if data.startswith(b'{"type":"accepted"'):
                self.accepted += 1
                return "accepted"
            if data.startswith(b'{"type":"joined"'):
                return "joined"
            if data.startswith(b'{"type":"refused"'):
                raise Broken(f"a comment was refused: {data!r}")
            if data.startswith(b'{"type":"ping"'):
                self._send({"type": "pong"})

    async def settle(self) -> None:
        """Wait until all that was posted stands."""
        while self.accepted < self.posted:
            await self.hear()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def _send(self, message: dict[str, str]) -> None:
        data = msgspec.json.encode(message)
        head = (
            struct.pack("!BB", 0x81, 0x80 | len(data))
            if len(data) < 126
            else struct.pack("!BBH", 0x81, 0xFE, len(data))
        )
        self._writer.write(head + bytes(4) + data)  # a mask of zeros is a mask


def texts() -> Iterator[str]:
    """Comments that say when they were sent."""
    number = 0
    while True:
        number += 1
        start = f"Measured comment {number} t={time.monotonic_ns()} "
        yield start + "word " * ((SIZE - len(start)) // 5)


def write(server: Server, rate: float, count: int, paths: Sequence[str]) -> None:
    """Have `count` comments said, `rate` a second, on each path in turn; return when all of them stand."""

    async def said() -> None:
        async with authors(server, paths) as says:
            await paced(rate, count, says, texts())

    asyncio.run(said())


async def paced(rate: float, count: int, says: Sequence[Say], said: Iterator[str]) -> None:
    """Say `count` comments, `rate` a second, by each author in turn."""
    begun = time.monotonic()
    for number in range(count):
        await says[number % len(says)](next(said))
        if (early := begun + (number + 1) / rate - time.monotonic()) > 0:
            await asyncio.sleep(early)


@contextlib.asynccontextmanager
async def authors(server: Server, paths: Sequence[str]) -> AsyncIterator[list[Say]]:
    """How to say something on each path; at the end all of it stands."""
    if not server.durable:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        yield [_publisher(reader, writer)]
        writer.close()
        return
    there = [await Author.open(server.port, path) for path in paths]
    hearing = [asyncio.create_task(_hear_on(author)) for author in there]
    yield [author.post for author in there]
    async with asyncio.timeout(10):
        while any(author.accepted < author.posted for author in there):
            for task in hearing:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)
    for task, author in zip(hearing, there, strict=True):
        task.cancel()
        author.close()


async def _hear_on(author: Author) -> None:
    while True:
        await author.hear()


def _publisher(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Say:
    """Post to a peer what our readers would get, on one connection."""

    async def say(text: str) -> None:
        comment = {"no": 1, "version": 1, "at": "2026-01-01T00:00:00Z", "by": "Anonymous", "html": f"<p>{text}</p>"}
        body = msgspec.json.encode({"type": "changes", "from": 0, "to": 1, "count": 1, "comments": [comment]})
        writer.write(b"POST /pub HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))

    return say
