"""How long a client may take to say what it wants.

By itself aiohttp waits for any head, however much of it has come, as long as it keeps an idle connection (75 s here);
that is right for all heads but the first. For a body it waits for ever.
"""

import asyncio
from collections.abc import Awaitable
from typing import NoReturn, TypeVar

from aiohttp import web

from service.errors import Malformed

HEAD_SECONDS = 10.0  # from the connection to the end of the first head
BODY_SECONDS = 10.0  # from the head to the end of its body
LOOK_SECONDS = 0.5
T = TypeVar("T")


async def with_body(body: Awaitable[T]) -> T:
    """What reading a body brings. Raises `Malformed` where that takes too long; aiohttp then closes the connection."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await body
    except TimeoutError:
        raise Malformed(f"The body did not arrive within {BODY_SECONDS:.0f} seconds; please send it again.") from None


async def with_heads(server: web.Server) -> NoReturn:
    """Close every connection that has not sent a whole head in time, until cancelled."""
    clock = asyncio.get_running_loop().time
    since: dict[web.RequestHandler, float] = {}
    while True:
        now = clock()
        since = {each: since.get(each, now) for each in server.connections if not _has_asked(each)}
        for connection, begun in since.items():
            if now - begun >= HEAD_SECONDS:
                connection.force_close()
        await asyncio.sleep(LOOK_SECONDS)


def _has_asked(connection: web.RequestHandler) -> bool:
    """Whether a head has come on a connection; private to aiohttp, and held to by test_patience.py."""
    return connection._request_count > 0
