"""A comment's way in: cleaned, looked up, limited, committed. The same for sockets, JSON and forms."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from service import text
from service.blocklist import Blocklist
from service.errors import Banned, OpReused, Refusal, TooFast
from service.guard.limits import Limits
from service.ingest import Ingest
from service.keyring import Keyring, Visitor
from service.protocol import Accepted, AuthorKey, CommentNo, Op, ThreadId
from service.rooms import Rooms
from service.run import Run
from service.store.comments import Comments, Draft, Standing


class Act(NamedTuple):
    """A post on its way: the client's op and key, and the draft that the store gets."""

    op: Op
    key: str
    draft: Draft


class Posting:
    """Posts and retractions."""

    def __init__(
        self,
        keyring: Keyring,
        comments: Comments,
        limits: Limits,
        ingest: Ingest,
        rooms: Rooms,
        *,
        blocklist: Blocklist,
    ) -> None:
        self._keyring = keyring
        self._comments = comments
        self._limits = limits
        self._ingest = ingest
        self._rooms = rooms
        self._blocklist = blocklist

    async def admit(self, thread: ThreadId, posts: Sequence[tuple[Op, str]], visitor: Visitor) -> list[Act | Refusal]:
        """Let in what a visitor posts, or tell for each why not.

        Which is one of `Empty`, `TooLong`, `Banned`, `TooFast` and `Unavailable`.

        An act that stands already is let in before any ban or limit is asked: who repeats it is no spammer.
        """
        return await self._guarded([self._cleaned(thread, op, raw, visitor) for op, raw in posts], visitor)

    async def admit_form(self, thread: ThreadId, raw: str, visitor: Visitor) -> Act | Refusal:
        """The same for a form, which has no op: the same words of one visitor within the hour are one act.

        The hour is the database's, and the hours beside it are looked up too, so that a form sent again while the
        hour turns, or which waited while it turned, still posts once.
        """
        cleaned = text.clean(raw)
        hour = await self._comments.hour()
        op, *others = (
            self._keyring.form_op(visitor.limit, thread, cleaned, each) for each in (hour, hour - 1, hour + 1)
        )
        [act] = await self._guarded([self._act(thread, op, cleaned, visitor, others)], visitor)
        return act

    def submit(self, act: Act) -> asyncio.Future[Standing]:
        """Have it committed with what others post. The future raises `ThreadClosed`, `NotFound`, `Unavailable`."""
        return self._ingest.submit(act.draft)

    def accepted(self, act: Act, standing: Standing) -> Accepted:
        """The answer to an act that stands. Raises `OpReused`."""
        if standing.text_tag != act.draft.text_tag:
            raise OpReused
        return Accepted(act.op, standing.no, standing.version, standing.state, act.key)

    async def commit(self, act: Act | Refusal) -> tuple[Accepted, bool]:
        """Make it durable; and whether it is new. Raises what stands in its way."""
        if isinstance(act, Refusal):
            raise act
        standing = await self.submit(act)
        return self.accepted(act, standing), standing.fresh

    async def retract(self, thread: ThreadId, op: Op, no: CommentNo, key: AuthorKey) -> Accepted:
        """Take one's own comment back. Raises `NotFound`, `NotYours`, `Unavailable`."""
        retracted = await self._comments.retract(thread, no, self._keyring.op_tag(key))
        position = retracted.position
        if change := retracted.change:
            run = Run.of(position.version - 1, position.version, position.count, [change])
            self._rooms.committed(thread, position.epoch, run)
        standing = retracted.standing
        return Accepted(op, standing.no, standing.version, standing.state)

    def _cleaned(self, thread: ThreadId, op: Op, raw: str, visitor: Visitor) -> Act | Refusal:
        try:
            return self._act(thread, op, text.clean(raw), visitor)
        except Refusal as refusal:
            return refusal

    def _act(
        self, thread: ThreadId, op: Op, cleaned: text.CommentText, visitor: Visitor, others: Sequence[Op] = ()
    ) -> Act:
        key = self._keyring.author_key(thread, op)
        also = tuple(self._tag(thread, other) for other in others)
        tag, text_tag = self._keyring.op_tag(key), self._keyring.text_tag(cleaned)
        return Act(op, key, Draft(thread, tag, cleaned, text_tag, also, visitor.address, visitor.network))

    def _tag(self, thread: ThreadId, op: Op) -> UUID:
        return self._keyring.op_tag(self._keyring.author_key(thread, op))

    async def _guarded(self, acts: list[Act | Refusal], visitor: Visitor) -> list[Act | Refusal]:
        """The same acts, those refused that may not come: one question to each store, however many they are."""
        drafts = [act.draft for act in acts if isinstance(act, Act)]
        if not drafts:
            return acts
        try:
            banned = await self._blocklist.find(visitor)
            if self._limits.off and not banned:
                return acts
            known = await self._comments.standing(drafts[0].thread, [op for draft in drafts for op in draft.ops])
        except Refusal as refusal:
            return [refusal if isinstance(act, Act) else act for act in acts]
        fresh = [draft.op for draft in drafts if known.isdisjoint(draft.ops)]
        refused = await self._refused(fresh, visitor, banned)
        return [refused.get(act.draft.op, act) if isinstance(act, Act) else act for act in acts]

    async def _refused(self, fresh: Sequence[UUID], visitor: Visitor, banned: Banned | None) -> dict[UUID, Refusal]:
        """Which of the acts that do not stand yet are refused, and why."""
        if banned:
            return dict.fromkeys(fresh, banned)
        waits = await self._limits.post(visitor.limit, fresh)
        return {op: TooFast(retry_after=wait) for op, wait in zip(fresh, waits, strict=True) if wait}
