"""How long a client may take to say what it wants, and to take what it is answered.

By itself aiohttp waits for any head, however much of it has come, as long as it keeps an idle connection (75 s here);
that is right for all heads but the first. For a body it waits for ever, and so for an answer to be taken.
"""

import asyncio
from collections.abc import Awaitable
from typing import NoReturn, TypeVar

from aiohttp import web

from service.errors import Malformed
from service.guard.line import Line

HEAD_SECONDS = 10.0  # from the connection to the end of the first head
BODY_SECONDS = 10.0  # from the head to the end of its body
LOOK_SECONDS = 0.5
T = TypeVar("T")
WATCHED = web.RequestKey("watched", bool)  # a request whose handler itself sees that its answer is taken


async def with_body(body: Awaitable[T]) -> T:
    """What reading a body brings. Raises `Malformed` where that takes too long; aiohttp then closes the connection."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await body
    except TimeoutError:
        raise Malformed(f"The body did not arrive within {BODY_SECONDS:.0f} seconds; please send it again.") from None


async def with_connections(server: web.Server) -> NoReturn:
    """Let go of who has not sent a whole head in time, and of who does not take its answers, until cancelled."""
    clock = asyncio.get_running_loop().time
    known: dict[web.RequestHandler, tuple[float, Line]] = {}
    while True:
        now = clock()
        known = {
            each: known.get(each) or (now, Line(transport))
            for each, transport in server._connections.items()
            if not _is_watched(each)
        }
        for connection, (begun, line) in known.items():
            if line.stuck(now):
                line.cut()
            elif now - begun >= HEAD_SECONDS and not _has_asked(connection):
                connection.force_close()
        await asyncio.sleep(LOOK_SECONDS)


# What is private to aiohttp here and above is held to by test_patience.py. A connection that it has closed itself while
# an answer waits knows its transport no more; only the server does.


def _has_asked(connection: web.RequestHandler) -> bool:
    """Whether a head has come on a connection."""
    return connection._request_count > 0


def _is_watched(connection: web.RequestHandler) -> bool:
    """Whether somebody else sees to it."""
    return connection._current_request is not None and WATCHED in connection._current_request
