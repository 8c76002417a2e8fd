"""Messages as bytes on a line: RFC 6455 frames for sockets, Server-Sent Events for streams.

A message to many readers is encoded once, and framed once for each kind of line.
"""

import struct
from functools import cached_property

import msgspec

from service import protocol
from service.protocol import Epoch


class Frame:
    """A message, ready for any kind of line.

    `position`: epoch and version that a reader has reached with it, where it moves a reader at all.
    """

    def __init__(self, message: msgspec.Struct, position: tuple[Epoch, int] | None = None) -> None:
        self._payload = protocol.encode(message)
        self._position = position
        self._retry = message.retry if isinstance(message, protocol.Bye) else None

    @cached_property
    def socket(self) -> bytes:
        """One unmasked, unfragmented text frame (RFC 6455 §5.2)."""
        return head(0x81, len(self._payload)) + self._payload

    @cached_property
    def stream(self) -> bytes:
        """One event of an event stream (WHATWG HTML §9.2.5); JSON holds no line breaks."""
        id_ = b"id: %b:%d\n" % (self._position[0].encode(), self._position[1]) if self._position else b""
        retry = b"retry: %d\n" % self._retry if self._retry is not None else b""
        return b"%bdata: %b\n%b\n" % (id_, self._payload, retry)

    @cached_property
    def chunk(self) -> bytes:
        """The same event as one chunk (RFC 9112 §7.1)."""
        return b"%x\r\n%b\r\n" % (len(self.stream), self.stream)


def head(first: int, size: int) -> bytes:
    """The head of an unmasked frame with this first byte: FIN and opcode."""
    if size < 126:
        return struct.pack("!BB", first, size)
    if size < 1 << 16:
        return struct.pack("!BBH", first, 126, size)
    return struct.pack("!BBQ", first, 127, size)


def pong(payload: bytes) -> bytes:
    """The answer to a client's ping frame, whose payload has at most 125 bytes (RFC 6455 §5.5.3)."""
    return head(0x8A, len(payload)) + payload


def close(code: int) -> bytes:
    """A close frame (RFC 6455 §5.5.1) without a reason."""
    return head(0x88, 2) + struct.pack("!H", code)
