"""A comment's way in: cleaned, let through the gate, committed. The same for sockets, JSON and forms."""

import asyncio
import functools
from collections.abc import Sequence
from uuid import UUID

from service import text
from service.errors import OpReused, Refusal
from service.fresh import Fresh
from service.gate import Act, Gate, cost
from service.guard.memory import Memory
from service.ingest import Ingest
from service.keyring import Keyring, Visitor
from service.protocol import Accepted, AuthorKey, CommentNo, Op, Post, PostBody, Slug, ThreadId
from service.rooms import Rooms
from service.run import Run
from service.store.comments import Comments, Draft, Standing, Tag

THREADS, KNOWN_SECONDS = 1_000, 1.0  # articles of which the thread is remembered, and how long


class Posting:
    """Posts and retractions; `tag` where posters are to have one."""

    def __init__(
        self,
        keyring: Keyring,
        comments: Comments,
        gate: Gate,
        ingest: Ingest,
        rooms: Rooms,
        *,
        tag: Tag | None = None,
    ) -> None:
        self._keyring = keyring
        self._comments = comments
        self._gate = gate
        self._ingest = ingest
        self._rooms = rooms
        self._poster_tag = tag
        self._threads: Memory[Slug, Fresh[ThreadId]] = Memory(THREADS)

    async def thread(self, slug: Slug) -> ThreadId:
        """The thread below an article, as it was within the last second, or before the store went away.

        Raises `NotFound`, and `Unavailable` where it is not known.
        """
        known = self._threads.recall(slug, lambda: Fresh(functools.partial(self._comments.thread, slug), KNOWN_SECONDS))
        return (await known.get()).value

    async def admit(
        self, thread: ThreadId, posts: Sequence[Post | PostBody], visitor: Visitor, *, hasty: bool = False
    ) -> list[Act | Refusal]:
        """Let in what a visitor posts, or tell for each why not. `hasty`: sooner than anybody reads.

        Which is one of `Empty`, `TooLong`, `Banned`, `Unproven`, `TooFast`, `Duplicate` and `Unavailable`.

        An act that stands already is let in before any ban or limit is asked: who repeats it is no spammer.
        """
        return await self._gate.admit([self._cleaned(thread, post, visitor, hasty) for post in posts], visitor)

    async def admit_form(self, thread: ThreadId, raw: str, visitor: Visitor) -> Act | Refusal:
        """The same for a form, which can't work, and has no op: the same words of one visitor within the hour are one.

        The hour is the database's, and the hours beside it are looked up too, so that a form sent again while the
        hour turns, or which waited while it turned, still posts once.
        """
        cleaned = text.clean(raw)
        hour = await self._comments.hour()
        op, *others = (
            self._keyring.form_op(visitor.limit, thread, cleaned, each) for each in (hour, hour - 1, hour + 1)
        )
        form = self._act(thread, op, cleaned, visitor, others)._replace(proof="")
        [act] = await self._gate.admit([form], visitor)
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

    async def retract(self, thread: ThreadId, op: Op, no: CommentNo, key: AuthorKey, visitor: Visitor) -> Accepted:
        """Take one's own comment back. Raises `TooFast`, `NotFound`, `NotYours`, `Unavailable`."""
        tag = self._keyring.op_tag(key)
        await self._gate.retract(tag, visitor)
        retracted = await self._comments.retract(thread, no, tag)
        position = retracted.position
        if change := retracted.change:
            run = Run.of(position.version - 1, position.version, position.count, [change])
            self._rooms.committed(thread, position.epoch, run)
        standing = retracted.standing
        if standing.state == "retracted":
            await self._gate.forget(tag)
        return Accepted(op, standing.no, standing.version, standing.state)

    def _cleaned(self, thread: ThreadId, post: Post | PostBody, visitor: Visitor, hasty: bool) -> Act | Refusal:
        try:
            act = self._act(thread, post.op, text.clean(post.text), visitor)
            return act._replace(proof=post.proof, hasty=hasty)
        except Refusal as refusal:
            return refusal

    def _act(
        self, thread: ThreadId, op: Op, cleaned: text.CommentText, visitor: Visitor, others: Sequence[Op] = ()
    ) -> Act:
        key = self._keyring.author_key(thread, op)
        also = tuple(self._tag(thread, other) for other in others)
        tag, text_tag = self._keyring.op_tag(key), self._keyring.text_tag(cleaned)
        draft = Draft(thread, tag, cleaned, text_tag, also, visitor.address, visitor.network)
        if self._poster_tag:
            draft = draft._replace(tag=self._poster_tag(thread, visitor.address))
        return Act(op, key, draft, cost=cost(cleaned))

    def _tag(self, thread: ThreadId, op: Op) -> UUID:
        return self._keyring.op_tag(self._keyring.author_key(thread, op))
