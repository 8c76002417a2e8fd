"""GET /articles/{slug}/events: a reader's event stream, for whom WebSockets don't get through."""

import asyncio
import re

from aiohttp import HttpVersion11, web

from service import keys
from service.errors import NotFound
from service.frame import Frame
from service.guard.patience import WATCHED
from service.protocol import Close
from service.rooms import Reader
from service.web import pages
from service.web.comments import resume, visitor

_EVENT_ID = re.compile(r"([A-Za-z0-9._-]{1,40}):([0-9]{1,16})")


class StreamReader(Reader):
    """A reader on an event stream, who only listens. `ended` is set when nothing more comes."""

    __slots__ = ("_chunked", "ended")

    def __init__(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        super().__init__(transport)
        self._chunked = chunked
        self.ended = asyncio.Event()

    def send(self, frame: Frame) -> bool:
        """Write a message as an event."""
        return self.push(frame.chunk if self._chunked else frame.stream)

    def beat(self, now: float) -> bool:
        """As for every reader; and notes that the client hung up, which nothing else tells."""
        if self._transport.is_closing():
            self.ended.set()
        return super().beat(now)

    def _part(self, code: Close | int) -> None:  # noqa: ARG002 - an event stream has no codes
        self.ended.set()


async def events(request: web.Request) -> web.StreamResponse:
    """Join, listen, leave. A browser asks no more after 204, where there is nothing and never will be."""
    epoch, after = _resume(request)
    rooms, connections = request.app[keys.ROOMS], request.app[keys.CONNECTIONS]
    try:
        async with connections.slot(visitor(request).limit), rooms.enter(pages.slug(request), epoch, after) as room:
            response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            response.force_close()
            await response.prepare(request)
            if request.transport is None:
                return response  # gone already
            request[WATCHED] = True
            reader = StreamReader(request.transport, chunked=request.version >= HttpVersion11)
            try:
                room.seat(reader, epoch, after)
                await reader.ended.wait()
            finally:
                room.leave(reader)
            return response
    except NotFound:
        return web.Response(status=204, headers={"Cache-Control": "no-store"})


def _resume(request: web.Request) -> tuple[str | None, int | None]:
    """Where the reader goes on. A browser that reconnects tells the last event that it got, which beats the query."""
    last = request.headers.get("Last-Event-ID")
    if not last:
        return resume(request)
    match = _EVENT_ID.fullmatch(last)
    return (match[1], int(match[2])) if match else ("", 0)  # no thread has the empty epoch: a reset
