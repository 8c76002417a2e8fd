"""What a proxy and an operator ask: alive, and fit to take traffic?"""

import msgspec
from aiohttp import web

from service import keys


async def healthz(_request: web.Request) -> web.Response:
    """GET /healthz: alive."""
    return web.json_response({"alive": True}, headers={"Cache-Control": "no-store"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: fit to take traffic."""
    readiness = await request.app[keys.HEALTH].look()
    return web.Response(
        body=msgspec.json.encode(readiness),
        status=200 if readiness.ready else 503,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
