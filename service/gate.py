"""The gate: which of the acts that do not stand yet may come in."""

from collections.abc import Sequence
from typing import NamedTuple

from service.blocklist import Blocklist
from service.errors import Refusal, TooFast
from service.filters import Sieve
from service.guard.limits import Limits
from service.keyring import Visitor
from service.protocol import Op
from service.store.comments import Comments, Draft


class Act(NamedTuple):
    """A post on its way: the client's op and key, and the draft that the store gets."""

    op: Op
    key: str
    draft: Draft


class Gate:
    """Asks of what is posted who wrote it, and how fast: one question to each store, however much comes together."""

    def __init__(self, comments: Comments, blocklist: Blocklist, sieve: Sieve, limits: Limits) -> None:
        self._comments = comments
        self._blocklist = blocklist
        self._sieve = sieve
        self._limits = limits

    async def admit(self, acts: Sequence[Act | Refusal], visitor: Visitor) -> list[Act | Refusal]:
        """The same acts of one visitor in one thread, those refused that may not come.

        Why is `Banned`, `Filtered`, `TooFast` or `Unavailable`; one that a filter holds says so in its draft. An act
        that stands already is let in before anything is asked: who repeats it is no spammer.
        """
        posted = [act for act in acts if isinstance(act, Act)]
        try:
            answers = await self._judged(posted, visitor)
        except Refusal as refusal:
            answers = [refusal] * len(posted)
        judged = iter(answers)
        return [next(judged) if isinstance(act, Act) else act for act in acts]

    async def _judged(self, acts: Sequence[Act], visitor: Visitor) -> Sequence[Act | Refusal]:
        banned = await self._blocklist.find(visitor) if acts else None
        if not acts or (self._limits.off and not banned and await self._sieve.empty()):
            return acts
        known = await self._comments.standing(acts[0].draft.thread, [op for act in acts for op in act.draft.ops])
        fresh = [act for act in acts if known.isdisjoint(act.draft.ops)]
        answers = [banned] * len(fresh) if banned else await self._guarded(fresh, visitor)
        judged = dict(zip((act.draft.op for act in fresh), answers, strict=True))
        return [judged.get(act.draft.op, act) for act in acts]

    async def _guarded(self, fresh: Sequence[Act | Refusal], visitor: Visitor) -> Sequence[Act | Refusal]:
        fresh = await self._filtered(fresh, visitor)
        return await self._limited(fresh, visitor)

    async def _filtered(self, fresh: Sequence[Act | Refusal], visitor: Visitor) -> Sequence[Act | Refusal]:
        drafts = [act.draft for act in fresh if isinstance(act, Act)]
        if not drafts:
            return fresh
        said = iter(await self._sieve.judge(drafts[0].thread, [draft.text for draft in drafts], visitor.address))
        return [_sifted(act, next(said)) if isinstance(act, Act) else act for act in fresh]

    async def _limited(self, fresh: Sequence[Act | Refusal], visitor: Visitor) -> Sequence[Act | Refusal]:
        waits = iter(await self._limits.post(visitor.limit, [act.draft.op for act in fresh if isinstance(act, Act)]))
        return [_waiting(act, next(waits)) if isinstance(act, Act) else act for act in fresh]


def _sifted(act: Act, said: Refusal | str | None) -> Act | Refusal:
    return said if isinstance(said, Refusal) else act._replace(draft=act.draft._replace(held=said or act.draft.held))


def _waiting(act: Act, seconds: float) -> Act | Refusal:
    return TooFast(retry_after=seconds) if seconds else act
