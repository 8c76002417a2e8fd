"""GET /articles/{slug}/live: a reader's WebSocket, on which one also writes."""

from aiohttp import web

from service import keys
from service.guard import origin
from service.guard.pace import Pace
from service.protocol import Close
from service.web import pages, upgrade
from service.web.comments import resume, visitor
from service.web.seat import Seat

FRAMES, FRAME_SECONDS = 100, 0.1  # so many frames of one client at once, then one in that time


async def live(request: web.Request) -> web.Response:
    """Guard the handshake, and leave the connection to a seat in the room."""
    app = request.app
    settings, connections = app[keys.SETTINGS], app[keys.CONNECTIONS]
    origin.check(request, settings)
    epoch, after = resume(request)
    upgrade.check(request)
    who, seat = visitor(request), None
    await connections.take(who.limit)
    try:
        async with app[keys.ROOMS].enter(pages.slug(request), epoch, after) as room:
            if transport := upgrade.take_over(request):
                pace = Pace(FRAME_SECONDS if settings.posts_per_minute else 0, FRAMES)
                seat = Seat(transport, room, app[keys.POSTING], connections, visitor=who, pace=pace)
                transport.set_protocol(seat)
                room.seat(seat, epoch, after)
    except Exception:
        if seat:  # the answer was 101: there is no other one to give
            seat.close(Close.SERVER_ERROR)
        raise
    finally:
        if not seat:
            connections.release(who.limit)
    return web.Response(status=101)
