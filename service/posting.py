"""A comment's way in: cleaned, looked up, limited, committed. The same for sockets, JSON and forms."""

from typing import NamedTuple
from uuid import UUID

from service import text
from service.errors import OpReused
from service.guard.limits import Limits
from service.ingest import Ingest
from service.keyring import Keyring
from service.protocol import Accepted, AuthorKey, CommentNo, Op, ThreadId
from service.rooms import Rooms
from service.run import Run
from service.store.comments import Comments, Draft


class Act(NamedTuple):
    """A post on its way: the client's op and key, and the draft that the store gets."""

    op: Op
    key: str
    draft: Draft


class Posting:
    """Posts and retractions."""

    def __init__(self, keyring: Keyring, comments: Comments, limits: Limits, ingest: Ingest, rooms: Rooms) -> None:
        self._keyring = keyring
        self._comments = comments
        self._limits = limits
        self._ingest = ingest
        self._rooms = rooms

    async def admit(self, thread: ThreadId, op: Op, raw: str, address: str) -> Act:
        """Let a post in, or raise the refusal: `Empty`, `TooLong`, `TooFast`, `Unavailable`.

        An act that stands already is let in before any limit is asked: who repeats it is no spammer.
        """
        return await self._guarded(self._act(thread, op, text.clean(raw)), address)

    async def admit_form(self, thread: ThreadId, raw: str, address: str) -> Act:
        """The same for a form, which has no op: the same words from one address within the hour are one act.

        The hour is the database's, and the hours beside it are looked up too, so that a form sent again while the
        hour turns, or which waited while it turned, still posts once.
        """
        cleaned = text.clean(raw)
        hour = await self._comments.hour()
        op, *others = (self._keyring.form_op(address, thread, cleaned, each) for each in (hour, hour - 1, hour + 1))
        return await self._guarded(self._act(thread, op, cleaned, others), address)

    async def commit(self, act: Act) -> tuple[Accepted, bool]:
        """Make it durable; and whether it is new. Raises `ThreadClosed`, `NotFound`, `OpReused`, `Unavailable`."""
        standing = await self._ingest.submit(act.draft)
        if standing.text_tag != act.draft.text_tag:
            raise OpReused
        return Accepted(act.op, standing.no, standing.version, standing.state, act.key), standing.fresh

    async def retract(self, thread: ThreadId, op: Op, no: CommentNo, key: AuthorKey) -> Accepted:
        """Take one's own comment back. Raises `NotFound`, `NotYours`, `Unavailable`."""
        retracted = await self._comments.retract(thread, no, self._keyring.op_tag(key))
        position = retracted.position
        if change := retracted.change:
            run = Run.of(position.version - 1, position.version, position.count, [change])
            self._rooms.committed(thread, position.epoch, run)
        standing = retracted.standing
        return Accepted(op, standing.no, standing.version, standing.state)

    def _act(self, thread: ThreadId, op: Op, cleaned: text.CommentText, others: list[Op] | None = None) -> Act:
        key = self._keyring.author_key(thread, op)
        also = tuple(self._tag(thread, other) for other in others or ())
        draft = Draft(thread, self._keyring.op_tag(key), cleaned, self._keyring.text_tag(cleaned), also)
        return Act(op, key, draft)

    def _tag(self, thread: ThreadId, op: Op) -> UUID:
        return self._keyring.op_tag(self._keyring.author_key(thread, op))

    async def _guarded(self, act: Act, address: str) -> Act:
        draft = act.draft
        if not self._limits.off and not await self._comments.stands(draft.thread, draft.ops):
            await self._limits.post(self._keyring.visitor(address), draft.op)
        return act
