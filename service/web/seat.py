"""A reader's WebSocket without aiohttp: one small object on a transport, which costs nothing while nobody speaks."""

import asyncio
import os

from websockets.frames import Opcode

from service import frame as frames
from service import protocol
from service.errors import Malformed
from service.frame import Frame
from service.guard.connections import Connections
from service.guard.pace import Pace
from service.keyring import Visitor
from service.posting import Posting
from service.protocol import Close, Pong
from service.rooms import Reader, Room
from service.web.conversation import Conversation
from service.web.inbox import Inbox, Message, Violation

SILENT_SECONDS = 40.0  # a client that says nothing for so long, not even a pong, is gone,
UNFINISHED_SECONDS = 10.0  # as is one that does not finish what it began to say


class Seat(Reader, asyncio.Protocol):
    """A reader who can speak, on a connection that is open already. What is being said is kept until it is whole."""

    __slots__ = (
        "_begun",
        "_connections",
        "_conversation",
        "_fd",
        "_heard",
        "_inbox",
        "_joined",
        "_pace",
        "_posting",
        "_room",
        "_visitor",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        room: Room,
        posting: Posting,
        connections: Connections,
        *,
        visitor: Visitor,
        pace: Pace,
    ) -> None:
        """`visitor` has a slot among the connections, which is given back when this one is lost."""
        super().__init__(transport)
        self._room = room
        self._posting = posting
        self._connections = connections
        self._visitor = visitor
        self._pace = pace
        self._joined = self._heard = self._begun = asyncio.get_running_loop().time()
        self._inbox: Inbox | None = None
        self._fd = -1  # while nothing waits in the transport, the socket's; else none
        self._conversation: Conversation | None = None

    def send(self, frame: Frame) -> bool:
        """Write a message as a text frame: past the transport, whose queue costs time, while nothing waits in it."""
        data = frame.socket
        if self._fd < 0 and not (self.waiting or self.gone):
            self._fd = _descriptor(self._transport)
        if self._fd < 0:
            return self.push(data)
        try:
            sent = os.write(self._fd, data)
        except OSError:  # full, or broken: the transport knows what to do
            sent = 0
        if sent < len(data):
            self.write(data[sent:])
        return True

    def write(self, data: bytes) -> None:
        """Write by the transport; from now on what comes after has to wait there, too."""
        self._fd = -1
        super().write(data)

    def beat(self, now: float) -> bool:
        """As for every reader; and lets go of who was silent too long, unless it is we who do not listen."""
        if not (self.gone or self._transport.is_reading()):
            self._heard = self._begun = now
        if now - self._heard > SILENT_SECONDS or (self._inbox and now - self._begun > UNFINISHED_SECONDS):
            self.drop(Close.SILENT)
        return super().beat(now)

    def data_received(self, data: bytes) -> None:
        """Hear what the client says."""
        self._heard = asyncio.get_running_loop().time()
        inbox = self._inbox
        if inbox is None:
            inbox, self._begun = Inbox(), self._heard
        try:
            for message in inbox.feed(data):
                self._hear(message)
                if self._transport.is_closing():
                    return
        except Violation as violation:
            self.close(violation.code)
            self._transport.pause_reading()  # what follows can't be told apart any more
            self._inbox = None
        else:
            self._inbox = None if inbox.empty else inbox

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason
        """Leave the room, and give the slot back."""
        self.closed, self._fd = True, -1
        self._room.leave(self)
        self._connections.release(self._visitor.limit)

    def _hear(self, message: Message | None) -> None:
        """Take a frame, and the message that it completes. After a close frame nothing is answered any more."""
        if message and message.opcode is Opcode.CLOSE:
            self.close(int.from_bytes(message.data) or Close.NORMAL)
            self._transport.close()
        if self.closed:
            return
        if self._pace.wait(self._heard):
            self.close(Close.TOO_MANY_MESSAGES)
        elif message:
            match message.opcode:
                case Opcode.TEXT:
                    self._read(message.data)
                case Opcode.BINARY:
                    self.close(Close.MALFORMED)
                case Opcode.PING:
                    self.write(frames.pong(message.data))

    def _read(self, data: bytes) -> None:
        self._begun = self._heard
        try:
            said = protocol.decode(data)
        except Malformed as refusal:
            self._talk().refuse(protocol.op_of(data), refusal)
        else:
            if not isinstance(said, Pong):
                self._talk().hear(said)

    def _talk(self) -> Conversation:
        """The conversation; who only reads has none."""
        if self._conversation is None:
            self._conversation = Conversation(
                self,
                self._transport,
                self._posting,
                self._room.id,
                visitor=self._visitor,
                joined=self._joined,
            )
        return self._conversation

    def _part(self, code: Close | int) -> None:
        self._fd = -1
        self._transport.write(frames.close(code))


def _descriptor(transport: asyncio.Transport) -> int:
    """The socket's descriptor, which is open until `connection_lost`; -1 where what is written has to be encrypted."""
    line = transport.get_extra_info("socket")
    return -1 if line is None or transport.get_extra_info("sslcontext") else int(line.fileno())
