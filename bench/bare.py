"""A bare aiohttp server, to compare with: `python -m bench.bare PORT [FILE]`.

/ws takes readers, and what is posted to /pub goes to each of them; /page is the bytes of FILE.
"""

import sys
from pathlib import Path

import uvloop
from aiohttp import web


def app(page: bytes) -> web.Application:
    """Three handlers without any guard, and no more."""
    readers: set[web.WebSocketResponse] = set()

    async def listen(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str('{"type":"joined"}')
        readers.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            readers.discard(socket)
        return socket

    async def publish(request: web.Request) -> web.Response:
        text = await request.text()
        for socket in tuple(readers):
            await socket.send_str(text)
        return web.Response(text="ok")

    async def read(_request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="text/html")

    bare = web.Application()
    bare.add_routes([web.get("/ws", listen), web.post("/pub", publish), web.get("/page", read)])
    return bare


if __name__ == "__main__":
    web.run_app(
        app(Path(sys.argv[2]).read_bytes() if len(sys.argv) > 2 else b""),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        print=None,
        access_log=None,
        backlog=4096,
        loop=uvloop.new_event_loop(),
    )
