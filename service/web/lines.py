"""The two kinds of line to a reader: a WebSocket, and a stream of Server-Sent Events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from service import frame as frames
from service import keys
from service.frame import Frame
from service.guard import visitors
from service.protocol import Close
from service.rooms import Reader, Room
from service.web import pages

SILENT_SECONDS = 40.0  # a client that says nothing for so long, not even a pong, is gone


@contextlib.asynccontextmanager
async def entered(request: web.Request, epoch: str | None, after: int | None) -> AsyncIterator[Room]:
    """The room that a line is asked for, with a slot for it. Raises `TooMany`, `NotFound` and `Unavailable`."""
    app = request.app
    visitor = app[keys.KEYRING].visitor(visitors.address(request, app[keys.SETTINGS].proxies))
    async with app[keys.CONNECTIONS].slot(visitor), app[keys.ROOMS].enter(pages.slug(request), epoch, after) as room:
        yield room


class SocketReader(Reader):
    """A reader on a WebSocket, who can answer."""

    __slots__ = ("_heard",)

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._heard = asyncio.get_running_loop().time()

    def send(self, frame: Frame) -> None:
        """Write a message as a text frame."""
        self.write(frame.socket)

    def heard(self) -> None:
        """Note that the client is there."""
        self._heard = asyncio.get_running_loop().time()

    def beat(self, now: float) -> bool:
        """As for every reader; and lets go of who was silent too long."""
        if now - self._heard > SILENT_SECONDS:
            self.drop(Close.SILENT)
        return super().beat(now)

    def hang_up(self) -> None:
        """End the connection when what was written is out; aiohttp's own close frame would be a second one."""
        self._transport.close()

    def _part(self, code: Close | int) -> None:
        self._transport.write(frames.close(code))


class StreamReader(Reader):
    """A reader on an event stream, who only listens. `ended` is set when nothing more comes."""

    __slots__ = ("_chunked", "ended")

    def __init__(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        super().__init__(transport)
        self._chunked = chunked
        self.ended = asyncio.Event()

    def send(self, frame: Frame) -> None:
        """Write a message as an event."""
        self.write(frame.chunk if self._chunked else frame.stream)

    def beat(self, now: float) -> bool:
        """As for every reader; and notes that the client hung up, which nothing else tells."""
        if self._transport.is_closing():
            self.ended.set()
        return super().beat(now)

    def _part(self, code: Close | int) -> None:  # noqa: ARG002 - an event stream has no codes
        self.ended.set()
