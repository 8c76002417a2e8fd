"""A line to a client, without a network: what is written waits until the client takes it."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any, cast

from websockets.frames import Frame, Opcode

from service.guard.pace import Pace
from service.keyring import Visitor
from service.web.seat import Seat


class Line(asyncio.Transport):
    """A transport whose client takes everything at once; while `stuck`, nothing, or what `take` says."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = b""
        self.stuck = False
        self.reading = True
        self.closing = False
        self.aborted = False
        self.socket: socket.socket | None = None  # whose kernel buffer counts too
        self._waiting = b""

    def write(self, data: Any) -> None:
        """Send, or keep what the client does not take."""
        assert not self.closing, "written to a line that is closing"
        self._waiting += data
        if not self.stuck:
            self.take(len(self._waiting))

    def take(self, size: int) -> None:
        """Let the client take so many bytes of what waits."""
        self.taken += self._waiting[:size]
        self._waiting = self._waiting[size:]

    def get_write_buffer_size(self) -> int:
        """What was written and not taken."""
        return len(self._waiting)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket, where there is one."""
        return self.socket if name == "socket" else default

    def is_reading(self) -> bool:
        """Whether the client is listened to."""
        return self.reading

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self.closing

    def close(self) -> None:
        """Hang up, once everything is taken."""
        self.closing = True

    def abort(self) -> None:
        """Be cut off: what waits is lost."""
        self.closing = self.aborted = True
        self._waiting = b""


def seat(line: asyncio.Transport) -> Seat:
    """A seat on a line, in no room, whose client only reads."""
    nothing = cast("Any", None)
    return Seat(line, nothing, nothing, nothing, visitor=Visitor("", b"", b""), pace=Pace(0, 0))


def framed(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, payload, fin).serialize(mask=True)


PONG = framed(b'{"type":"pong"}')


def unframed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames that a server wrote (RFC 6455 §5.2): the first byte of each, and its payload."""
    while data:
        assert not data[1] & 0x80, "a server masks nothing"
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + size, "a frame is whole"
        yield data[0], data[start : start + size]
        data = data[start + size :]
