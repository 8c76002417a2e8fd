"""GET /articles/{slug}/live: a reader's WebSocket, on which one also writes."""

import asyncio
import logging
import time
from collections import deque

from aiohttp import HttpVersion11, WSMessage, WSMsgType, web

from service import frame, keys, protocol
from service.errors import Malformed, Refusal, UpgradeRequired
from service.frame import Frame
from service.guard import origin, visitors
from service.guard.pace import Pace
from service.posting import Act, Posting
from service.protocol import Close, Pong, Post, Retract
from service.rooms import Room
from service.rooms.reader import CLOSING_SECONDS
from service.web.comments import resume
from service.web.lines import SocketReader, entered

OUTSTANDING = 64  # posts of one socket that may wait for their commit; then nothing more is read from it
JUNK, JUNK_SECONDS = 10, 60.0  # the tenth malformed message within a minute closes
FRAMES, FRAME_SECONDS = 100, 0.1  # so many frames at once, then one in that time

log = logging.getLogger(__name__)


async def live(request: web.Request) -> web.WebSocketResponse:
    """Guard, join, converse, leave."""
    origin.check(request, request.app[keys.SETTINGS])
    epoch, after = resume(request)
    _check_upgrade(request)
    async with entered(request, epoch, after) as room:
        socket = web.WebSocketResponse(
            protocols=(protocol.SUBPROTOCOL,),
            compress=False,
            heartbeat=None,
            autoping=False,
            autoclose=False,
            timeout=CLOSING_SECONDS,
            max_msg_size=protocol.MAX_INBOUND + 1,  # aiohttp refuses at this size, not above it
        )
        await socket.prepare(request)
        if request.transport is None:
            return socket  # gone already
        reader = SocketReader(request.transport)
        try:
            room.seat(reader, epoch, after)
            await Conversation(request, socket, room, reader).run()
        except Exception:
            log.exception("a conversation ended in an error")  # the answer was 101: there is no other one to give
            reader.close(Close.SERVER_ERROR)
        finally:
            room.leave(reader)
    return socket


class Conversation:
    """What a client says on its socket, and what it is answered."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, room: Room, reader: SocketReader) -> None:
        self._socket = socket
        self._room = room
        self._reader = reader
        self._posting: Posting = request.app[keys.POSTING]
        settings = request.app[keys.SETTINGS]
        self._address = visitors.address(request, settings.proxies)
        self._pace = Pace(FRAME_SECONDS if settings.posts_per_minute else 0, FRAMES)
        self._outstanding = asyncio.Semaphore(OUTSTANDING)
        self._junk: deque[float] = deque(maxlen=JUNK)

    async def run(self) -> None:
        """Read until the socket closes. Posts are guarded in their order, and committed side by side."""
        async with asyncio.TaskGroup() as commits:
            while await self._hear(await self._socket.receive(), commits):
                self._reader.heard()

    async def _hear(self, message: WSMessage, commits: asyncio.TaskGroup) -> bool:
        """Whether to read on. After the close frame nothing is answered any more."""
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG}:
            if self._pace.wait(time.monotonic()):
                self._reader.close(Close.TOO_MANY_MESSAGES)
            if self._reader.closed:
                return True
        match message.type:
            case WSMsgType.TEXT:
                await self._act(message.data, commits)
            case WSMsgType.BINARY:
                self._reader.close(Close.MALFORMED)
            case WSMsgType.PING:
                self._reader.write(frame.pong(message.data))
            case WSMsgType.PONG:
                pass
            case WSMsgType.CLOSE:
                self._reader.close(_echoed(message.data))
                self._reader.hang_up()
                return False
            case _:
                return False
        return True

    async def _act(self, data: str, commits: asyncio.TaskGroup) -> None:
        try:
            message = protocol.decode(data)
        except Malformed as refusal:
            self._refuse(protocol.op_of(data), refusal)
            if not isinstance(refusal, protocol.UnknownType):
                self._count_junk()
            return
        match message:
            case Post():
                await self._post(message, commits)
            case Retract():
                await self._retract(message)
            case Pong():
                pass

    async def _post(self, post: Post, commits: asyncio.TaskGroup) -> None:
        try:
            act = await self._posting.admit(self._room.id, post.op, post.text, self._address)
        except Refusal as refusal:
            self._refuse(post.op, refusal)
            return
        await self._outstanding.acquire()
        commits.create_task(self._commit(act))

    async def _commit(self, act: Act) -> None:
        try:
            accepted, _ = await self._posting.commit(act)
        except Refusal as refusal:
            self._refuse(act.op, refusal)
        else:
            self._send(accepted)
        finally:
            self._outstanding.release()

    async def _retract(self, retract: Retract) -> None:
        try:
            self._send(await self._posting.retract(self._room.id, retract.op, retract.no, retract.key))
        except Refusal as refusal:
            self._refuse(retract.op, refusal)

    def _refuse(self, op: str | None, refusal: Refusal) -> None:
        self._send(protocol.refused(op, refusal))

    def _send(self, message: protocol.Outbound) -> None:
        self._reader.send(Frame(message))

    def _count_junk(self) -> None:
        now = time.monotonic()
        self._junk.append(now)
        if len(self._junk) == JUNK and now - self._junk[0] < JUNK_SECONDS:
            self._reader.close(Close.MALFORMED)


def _echoed(code: int | None) -> int:
    """The code that answers a client's close frame: its own, unless there is none or no such code (§7.4)."""
    if not code:
        return Close.NORMAL
    return code if 1000 <= code < 5000 else Close.PROTOCOL_ERROR


def _check_upgrade(request: web.Request) -> None:
    """Raise `UpgradeRequired` for what is no WebSocket handshake of version 13 (RFC 6455 §4.2.1)."""
    if request.can_read_body:
        raise Malformed("A WebSocket handshake has no body.")
    headers = request.headers
    connection = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    if (
        headers.get("Upgrade", "").strip().lower() != "websocket"
        or "upgrade" not in connection
        or headers.get("Sec-WebSocket-Version") != "13"
        or request.version < HttpVersion11
    ):
        raise UpgradeRequired
