"""GET /desk/events: tells an open desk that something has changed; what, it reads for itself."""

import asyncio
import time

from aiohttp import web

from service import keys
from service.errors import Unavailable
from service.web.comments import visitor
from service.web.desk.door import Session, signed_in, still

LOOK_SECONDS = 0.3  # between two looks at the store, for all desks that are open on this worker
SAY_SECONDS = 5.0  # between two words: a line that is gone is noticed, and a session that has ended


@signed_in
async def events(request: web.Request, session: Session) -> web.StreamResponse:
    """Tell the version of what the desk shows, whenever it is another one, until the session ends.

    The store is asked, not told: a comment that is held is announced to no reader, and so to no worker. What is done
    from the command line is noticed likewise, and what is done while Redis is away.
    """
    watch, health = request.app[keys.WATCH], request.app[keys.HEALTH]
    async with request.app[keys.CONNECTIONS].slot(visitor(request).limit):
        told, said = "", time.monotonic()
        response = web.StreamResponse(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        response.force_close()
        await response.prepare(request)
        try:
            await response.write(b"retry: 1000\n\n")
            while not health.draining and request.transport and not request.transport.is_closing():
                version, now = (await watch.get()).value, time.monotonic()
                if version != told or now - said >= SAY_SECONDS:
                    if not await still(request, session):
                        break
                    await response.write(f"data: {version}\n\n".encode())
                    told, said = version, now
                await asyncio.sleep(LOOK_SECONDS)
        except (ConnectionError, Unavailable):
            pass  # it left; or the store is away, and whoever comes back is told so
        return response
