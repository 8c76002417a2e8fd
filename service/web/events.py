"""GET /articles/{slug}/events: a reader's event stream, for whom WebSockets don't get through."""

import re

from aiohttp import HttpVersion11, web

from service.errors import NotFound
from service.web.comments import resume
from service.web.lines import StreamReader, entered

_EVENT_ID = re.compile(r"([A-Za-z0-9._-]{1,40}):([0-9]{1,16})")


async def events(request: web.Request) -> web.StreamResponse:
    """Join, listen, leave. A browser asks no more after 204, where there is nothing and never will be."""
    epoch, after = _resume(request)
    try:
        async with entered(request, epoch, after) as room:
            response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            response.force_close()
            await response.prepare(request)
            if request.transport is None:
                return response  # gone already
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
