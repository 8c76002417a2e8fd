"""What a client sends on a WebSocket, from bytes to whole messages (RFC 6455 §5): pure, without I/O.

websockets' parser reads the frames; it checks masks, reserved bits, opcodes and control frames. An inbox in which
nothing is unfinished holds nothing, and need not be kept.
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close as CloseFrame
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from service.protocol import MAX_INBOUND, Close

MAX_CONTROL = 125  # bytes in a control frame (§5.5)


class Violation(Exception):
    """The client broke the rules of RFC 6455; `code` is the close code that says which."""

    def __init__(self, code: Close) -> None:
        self.code = code
        super().__init__(code.name)


class Message(NamedTuple):
    """A whole message, or a control frame. Text is valid UTF-8, and the data of a close frame is its code."""

    opcode: Opcode
    data: bytes


class Inbox:
    """The frames of one client."""

    __slots__ = ("_frame", "_kind", "_parts", "_size", "_stream")

    def __init__(self) -> None:
        self._stream = StreamReader()
        self._frame: Generator[None, None, Frame] | None = None
        self._kind: Opcode | None = None  # of the message that is being fragmented
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is unfinished."""
        return self._frame is None and self._kind is None

    def feed(self, data: bytes) -> Iterator[Message | None]:
        """For every frame that is whole now, the message that it completes, if any.

        Raises `Violation`, after which nothing can be read any more.
        """
        self._stream.feed_data(data)  # at most one frame of it waits: all others are taken below
        try:
            while self._stream.buffer and (frame := self._next()):
                yield self._taken(frame.opcode, bytes(frame.data), frame.fin)
        except ProtocolError:
            raise Violation(Close.PROTOCOL_ERROR) from None
        except PayloadTooBig:
            raise Violation(Close.TOO_BIG) from None
        except UnicodeDecodeError:
            raise Violation(Close.BAD_DATA) from None

    def _next(self) -> Frame | None:
        """The next frame, if it is whole."""
        if self._frame is None:
            size = max(MAX_INBOUND - self._size, MAX_CONTROL)
            self._frame = Frame.parse(self._stream.read_exact, mask=True, max_size=size)
        try:
            next(self._frame)
        except StopIteration as whole:
            self._frame = None
            frame: Frame = whole.value
            return frame
        return None

    def _taken(self, opcode: Opcode, data: bytes, fin: bool) -> Message | None:
        """What a frame completes."""
        match opcode:
            case Opcode.PING | Opcode.PONG:
                return Message(opcode, data)
            case Opcode.CLOSE:
                return Message(opcode, CloseFrame.parse(data).serialize()[:2] if data else b"")
        if (opcode is Opcode.CONT) == (self._kind is None):
            raise ProtocolError("a fragment of nothing, or a message inside another")
        self._kind = self._kind or opcode
        self._size += len(data)
        if self._size > MAX_INBOUND:
            raise PayloadTooBig(self._size, MAX_INBOUND)
        if data:
            self._parts.append(data)
        return self._whole() if fin else None

    def _whole(self) -> Message:
        """The message of all its fragments."""
        assert self._kind is not None
        message = Message(self._kind, b"".join(self._parts))
        if self._kind is Opcode.TEXT:
            message.data.decode()
        self._kind, self._size = None, 0
        self._parts.clear()
        return message
