"""From a request to a protocol of our own: the handshake of a WebSocket (RFC 6455 §4.2), and the change of hands.

What this relies on in aiohttp is private to it, stands in `take_over` alone, and is held to by test_upgrade.py. See
docs/decisions/0009-seats.md.
"""

import asyncio
import base64
import contextlib

from aiohttp import HttpVersion11, web
from websockets.utils import accept_key

from service.errors import Malformed, UpgradeRequired
from service.protocol import SUBPROTOCOL

KEY_BYTES = 16
ONCE = ("Sec-WebSocket-Key", "Sec-WebSocket-Version")  # §11.3.1, §11.3.5; all others may be repeated


def check(request: web.Request) -> None:
    """Raise `UpgradeRequired` for what is no handshake of version 13, and `Malformed` for a broken one."""
    headers = request.headers
    if request.version != HttpVersion11:  # HTTP/2 has a handshake of its own (RFC 8441)
        raise Malformed("A WebSocket handshake is one of HTTP/1.1.")
    if request.can_read_body:
        raise Malformed("A WebSocket handshake has no body.")
    if any(len(headers.getall(name, ())) > 1 for name in ONCE):
        raise Malformed(f"A WebSocket handshake has {' and '.join(ONCE)} once.")
    if (
        headers.get("Upgrade", "").strip().lower() != "websocket"
        or "upgrade" not in _listed(request, "Connection")
        or headers.get("Sec-WebSocket-Version") != "13"
    ):
        raise UpgradeRequired


def take_over(request: web.Request) -> asyncio.Transport | None:
    """Accept the handshake, and take the connection out of aiohttp's hands; None if it is lost already.

    The caller sets a protocol before it awaits anything, and answers the request by a response of status 101, which
    aiohttp drops. Raises `Malformed` for a broken key, and where frames came before the answer: aiohttp has read them,
    so they would be lost.
    """
    server, transport = request.protocol, request.transport
    if transport is None or transport.is_closing():
        return None
    if server._message_tail:
        raise Malformed("Wait for the answer to the handshake before sending frames.")
    transport.write(_accepted(request, _key(request)))
    transport.resume_reading()  # aiohttp may have paused it
    server.transport = None  # else it would close what is not its own any more
    server.connection_lost(None)
    return transport


def _accepted(request: web.Request, key: str) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key)}",
        "Server: Afterword",
    ]
    if SUBPROTOCOL in _listed(request, "Sec-WebSocket-Protocol"):
        lines.append(f"Sec-WebSocket-Protocol: {SUBPROTOCOL}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _key(request: web.Request) -> str:
    key = request.headers.get("Sec-WebSocket-Key", "").strip()
    with contextlib.suppress(ValueError):
        if len(base64.b64decode(key, validate=True)) == KEY_BYTES:
            return key
    raise Malformed(f"Sec-WebSocket-Key is {KEY_BYTES} bytes in base64.")


def _listed(request: web.Request, name: str) -> set[str]:
    """The words of a header that is a list, in lower case."""
    return {part.strip().lower() for value in request.headers.getall(name, ()) for part in value.split(",")}
