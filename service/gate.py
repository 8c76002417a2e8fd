"""The gate: which of the acts that do not stand yet may come in."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from service import markup
from service.blocklist import Blocklist
from service.brakes import Brake, Brakes
from service.errors import Refusal, TooFast
from service.gathered import Gathered
from service.guard.limits import Limits
from service.guard.posts import Burst, Post, Posts
from service.keyring import Keyring, Visitor
from service.protocol import Op
from service.store.comments import Comments, Draft

FREE_LINKS, DEAREST = 2, 4  # links that cost nothing, and what a comment costs at most


class Act(NamedTuple):
    """A post on its way: the client's op and key, and the draft that the store gets.

    `joined`: seconds since its author joined; None over HTTP, where nobody does.
    """

    op: Op
    key: str
    draft: Draft
    joined: float | None = None


class Gate:
    """Asks of what is posted who wrote it, how fast, and whether it was said before.

    It is one question to each store, however much comes together.
    """

    def __init__(
        self,
        keyring: Keyring,
        comments: Comments,
        *,
        blocklist: Blocklist,
        brakes: Brakes,
        posts: Posts,
        retractions: Limits,
    ) -> None:
        self._keyring = keyring
        self._blocklist = blocklist
        self._brakes = brakes
        self._posts = posts
        self._retractions = retractions
        self._standing = Gathered(comments.standing)
        self._judging = Gathered(posts.judge)

    async def admit(self, acts: Sequence[Act | Refusal], visitor: Visitor) -> list[Act | Refusal]:
        """The same acts of one visitor in one thread, those refused that may not come.

        Why is `Banned`, `TooFast`, `Duplicate` or `Unavailable`. An act that stands already is let in before anything
        is asked: who repeats it is no spammer.
        """
        posted = [act for act in acts if isinstance(act, Act)]
        try:
            answers = await self._judged(posted, visitor)
        except Refusal as refusal:
            answers = [refusal] * len(posted)
        judged = iter(answers)
        return [next(judged) if isinstance(act, Act) else act for act in acts]

    async def retract(self, op: UUID, visitor: Visitor) -> None:
        """Let a visitor retract what stands under an op tag; the same again is free. Raises `TooFast`."""
        [wait] = await self._retractions.post(visitor.limit, [op])
        if wait:
            raise TooFast(retry_after=wait)

    async def forget(self, op: UUID) -> None:
        """Compare nothing with a comment that was retracted: who edits takes it back first."""
        if not self._posts.off:
            await self._posts.forget(op)

    async def _judged(self, acts: Sequence[Act], visitor: Visitor) -> Sequence[Act | Refusal]:
        banned = await self._blocklist.find(visitor) if acts else None
        brake = self._brakes.find(acts[0].draft.thread) if acts else None
        if not acts or (self._posts.off and not banned and not brake):
            return acts
        known = await self._standing.get((acts[0].draft.thread, [op for act in acts for op in act.draft.ops]))
        fresh = [act for act in acts if known.isdisjoint(act.draft.ops)]
        answers = [banned] * len(fresh) if banned else await self._paced(fresh, visitor, brake)
        judged = dict(zip((act.draft.op for act in fresh), answers, strict=True))
        return [judged.get(act.draft.op, act) for act in acts]

    async def _paced(
        self, fresh: Sequence[Act | Refusal], visitor: Visitor, brake: Brake | None
    ) -> list[Act | Refusal]:
        """Those that don't come too fast, and don't say again what was said."""
        acts = [act for act in fresh if isinstance(act, Act)]
        slow = brake.slow if brake else 0
        if not acts or (self._posts.off and not slow):
            return list(fresh)
        posts = [self._post(act.draft, visitor) for act in acts]
        judged = iter(await self._judging.get(Burst(visitor.limit, acts[0].draft.thread, slow, posts)))
        return [next(judged) or act if isinstance(act, Act) else act for act in fresh]

    def _post(self, draft: Draft, visitor: Visitor) -> Post:
        cost = min(DEAREST, max(1, 1 + markup.links(draft.text) - FREE_LINKS))
        return Post(draft.op, cost, self._keyring.likeness(draft.text, draft.thread, visitor.limit))
