"""What a client says on its socket that asks for an answer, and what it is answered."""

import asyncio
import logging
import time
from collections import deque
from functools import partial

from service import protocol
from service.errors import Malformed, Refusal
from service.frame import Frame
from service.gate import Act
from service.keyring import Visitor
from service.posting import Posting
from service.protocol import Close, Post, Retract, ThreadId
from service.rooms import Reader
from service.store.comments import Standing

OUTSTANDING = 64  # acts of one socket that may wait for their answer; then nothing more is read from it
HASTE_SECONDS = 2.0  # after joining: nobody has read anything yet
JUNK, JUNK_SECONDS = 10, 60.0  # the tenth malformed message within a minute closes

log = logging.getLogger(__name__)


class Conversation:
    """The acts of one client on one thread. What comes together is guarded together, and committed side by side."""

    def __init__(
        self,
        reader: Reader,
        transport: asyncio.Transport,
        posting: Posting,
        thread: ThreadId,
        *,
        visitor: Visitor,
        joined: float,
    ) -> None:
        """`joined`: when the client came, by the loop's clock."""
        self._reader = reader
        self._transport = transport
        self._posting = posting
        self._thread = thread
        self._visitor = visitor
        self._joined = joined
        self._acts: list[Post | Retract] = []
        self._outstanding = 0
        self._working: asyncio.Task[None] | None = None
        self._junk: deque[float] = deque(maxlen=JUNK)

    def hear(self, act: Post | Retract) -> None:
        """Take an act, to be answered in time."""
        self._acts.append(act)
        self._outstanding += 1
        if self._outstanding == OUTSTANDING and not self._reader.gone:
            self._transport.pause_reading()
        if self._working is None:
            self._working = asyncio.get_running_loop().create_task(self._work())

    def refuse(self, op: str | None, refusal: Malformed) -> None:
        """Answer what is no act; too much of it ends the conversation."""
        self._say(protocol.refused(op, refusal))
        if isinstance(refusal, protocol.UnknownType):
            return
        now = time.monotonic()
        self._junk.append(now)
        if len(self._junk) == JUNK and now - self._junk[0] < JUNK_SECONDS:
            self._reader.close(Close.MALFORMED)

    async def _work(self) -> None:
        try:
            while self._acts:
                acts, self._acts = self._acts, []
                await self._post([act for act in acts if isinstance(act, Post)])
                for act in acts:
                    if isinstance(act, Retract):
                        await self._retract(act)
        except Exception:
            log.exception("a conversation ended in an error")
            self._reader.close(Close.SERVER_ERROR)
        finally:
            self._working = None

    async def _post(self, posts: list[Post]) -> None:
        hasty = asyncio.get_running_loop().time() - self._joined < HASTE_SECONDS
        admitted = await self._posting.admit(self._thread, posts, self._visitor, hasty=hasty)
        for post, act in zip(posts, admitted, strict=True):
            if isinstance(act, Refusal):
                self._answer(protocol.refused(post.op, act))
            else:
                self._posting.submit(act).add_done_callback(partial(self._settled, act))

    def _settled(self, act: Act, standing: asyncio.Future[Standing]) -> None:
        try:
            self._answer(self._posting.accepted(act, standing.result()))
        except Refusal as refusal:
            self._answer(protocol.refused(act.op, refusal))

    async def _retract(self, retract: Retract) -> None:
        try:
            done = await self._posting.retract(self._thread, retract.op, retract.no, retract.key, self._visitor)
            self._answer(done)
        except Refusal as refusal:
            self._answer(protocol.refused(retract.op, refusal))

    def _answer(self, message: protocol.Outbound) -> None:
        self._say(message)
        if self._outstanding == OUTSTANDING and not self._reader.gone:
            self._transport.resume_reading()
        self._outstanding -= 1

    def _say(self, message: protocol.Outbound) -> None:
        self._reader.write(Frame(message).socket)
