"""Who posts over HTTP, from an address of their own: authors, and a flood of them."""

import asyncio
import contextlib
import random
import string
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import msgspec

from bench.process import Broken

PATIENCE = 10.0  # seconds that an answer may take
TICK = 0.01  # seconds between two handfuls of a flood
LEXICON = ["".join(random.choices(string.ascii_lowercase, k=5)) for _ in range(2000)]  # noqa: S311 - no secret


class Poster(asyncio.Protocol):
    """A connection from one address to a thread, kept once it is needed. What is posted waits for no answer."""

    def __init__(self, port: int, path: str, address: str) -> None:
        self._port = port
        self._address = address
        self.posted = 0
        self.answers = Counter[int]()  # by status
        self.refusal = b""  # the latest
        self._head = f"POST {path}/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
        self._data = b""
        self._transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        """Connect from this address of the loopback net."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self._port, local_addr=(self._address, 0))

    def post(self, text: str) -> None:
        """Send a comment. Raises `Broken` where the server has hung up."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise Broken("the server has hung up on who posts")
        body = msgspec.json.encode({"op": str(uuid.uuid4()), "text": text})
        self._transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body))
        self.posted += 1

    async def say(self, text: str) -> None:
        """The same, for `author.paced`; connects where it is the first time: who asks for nothing is let go of."""
        if self._transport is None:
            await self.connect()
        self.post(text)

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is somebody to post to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Count every answer that is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n") + 4) > 3:
            head = self._data[:end]
            length = end + int(head.lower().split(b"\r\ncontent-length:")[1].split(b"\r\n")[0])
            if len(self._data) < length:
                return
            status = int(head[9:12])
            self.answers[status] += 1
            if status >= 400:
                self.refusal = self._data[end:length]
            self._data = self._data[length:]


@contextlib.contextmanager
def posters(port: int, path: str, net: int, count: int) -> Iterator[list[Poster]]:
    """So many of them, each from another address of 127.NET.0.0/16."""
    there = [Poster(port, path, f"127.{net}.{each // 250}.{each % 250 + 1}") for each in range(count)]
    try:
        yield there
    finally:
        for poster in there:
            poster.close()


@contextlib.asynccontextmanager
async def flooding(there: Sequence[Poster], rate: float) -> AsyncIterator[None]:
    """Have them post `rate` comments a second while inside, by each in turn, whatever is answered."""
    for poster in there:
        await poster.connect()
    task = asyncio.create_task(_pour(there, rate))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def stand(there: Sequence[Poster]) -> None:
    """Wait until everything that they posted stands. Raises `Broken`."""
    await _until(lambda: all(poster.answers.total() == poster.posted for poster in there), "answered")
    if refusals := [poster.refusal for poster in there if poster.refusal]:
        raise Broken(f"an ordinary comment was refused: {refusals[0]!r}")


async def refused(there: Sequence[Poster]) -> None:
    """Wait until each of them was refused something. Raises `Broken`."""
    await _until(lambda: all(poster.refusal for poster in there), "refused")


def answered(there: Sequence[Poster]) -> Counter[int]:
    """How many answers came by now, by status."""
    return sum((poster.answers for poster in there), Counter[int]())


def unlike() -> str:
    """Words that no other comment has in this order: nobody takes it for the same one again."""
    return " ".join(random.choices(LEXICON, k=30))  # noqa: S311 - no secret


def texts() -> Iterator[str]:
    """Comments unlike each other that say when they were sent."""
    while True:
        yield f"Measured t={time.monotonic_ns()} {unlike()}"


async def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Broken(f"after {PATIENCE:.0f} seconds not all who posted were {what}")
        await asyncio.sleep(TICK)


async def _pour(there: Sequence[Poster], rate: float) -> None:
    begun, poured = time.monotonic(), 0
    while True:
        while poured < rate * (time.monotonic() - begun):
            there[poured % len(there)].post(unlike())
            poured += 1
        await asyncio.sleep(TICK)
