"""The gate: which of the acts that do not stand yet may come in."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import UNSET, UnsetType

from service import markup
from service.blocklist import Blocklist
from service.brakes import Brake, Brakes
from service.errors import Banned, Refusal, TooFast, Unproven
from service.filters import Sieve
from service.gathered import Gathered
from service.guard.asked import Asked
from service.guard.challenge import Challenges
from service.guard.limits import Limits
from service.guard.posts import Burst, Post, Posts
from service.guard.pressure import Pressure
from service.guard.told import Told
from service.keyring import Keyring, Visitor
from service.protocol import Op, ThreadId
from service.store.comments import Comments, Draft

FREE_LINKS, DEAREST = 2, 4  # links that cost nothing, and what a comment costs at most
UNHURRIED_SECONDS = 0.02  # for which the repeats of those who are not to post are gathered: a flood takes few look-ups
UNPROVEN = "no proof of work"  # why a draft is held

When = Literal["off", "surge", "always"]


class Act(NamedTuple):
    """A post on its way: the client's op and key, and the draft that the store gets.

    `proof` of work: unset where none was asked for yet, empty where the client can't work. `hasty`: written sooner than
    anybody reads. `cost`: of its quota, see `cost`.
    """

    op: Op
    key: str
    draft: Draft
    proof: str | UnsetType = UNSET
    hasty: bool = False
    cost: int = 1


class Work(NamedTuple):
    """When work is to be proven, and what it takes to ask for it."""

    when: When
    challenges: Challenges
    asked: Asked


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
        sieve: Sieve,
        work: Work,
        posts: Posts,
        retractions: Limits,
        pressure: Pressure,
    ) -> None:
        self._keyring = keyring
        self._blocklist = blocklist
        self._brakes = brakes
        self._sieve = sieve
        self._work = work
        self._posts = posts
        self._told = Told()
        self._retractions = retractions
        self._pressure = pressure
        self._standing = Gathered(comments.standing)
        self._unhurried = Gathered(comments.standing, pause=UNHURRIED_SECONDS)
        self._judging = Gathered(posts.judge)

    async def admit(self, acts: Sequence[Act | Refusal], visitor: Visitor) -> list[Act | Refusal]:
        """The same acts of one visitor in one thread, those refused that may not come.

        Why is `Banned`, `Filtered`, `Unproven`, `TooFast`, `Duplicate` or `Unavailable`; one that is held says why in
        its draft. An act that stands already is let in before anything is asked: who repeats it is no spammer.
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
        if wait := await self._retractions.wait(visitor.limit, op):
            raise TooFast(retry_after=wait)

    async def forget(self, op: UUID) -> None:
        """Compare nothing with a comment that was retracted: who edits takes it back first."""
        if not self._posts.off:
            await self._posts.forget(op)

    async def _judged(self, acts: Sequence[Act], visitor: Visitor) -> Sequence[Act | Refusal]:
        if not acts:
            return acts
        thread = acts[0].draft.thread
        banned = await self._blocklist.find(visitor)
        brake = self._brakes.find(thread)
        if self._posts.off and not banned and not brake and not self._asks(brake) and await self._sieve.empty():
            return acts
        told = [banned or self._waiting(act, visitor, brake) for act in acts]
        standing = self._unhurried if all(told) else self._standing
        known = await standing.get((thread, [op for act in acts for op in act.draft.ops]))
        answers: Sequence[Act | Refusal] = [
            refusal or act for act, refusal in zip(acts, told, strict=True) if known.isdisjoint(act.draft.ops)
        ]
        answers = await self._filtered(answers, visitor)
        answers = await self._challenged(answers, visitor, brake)
        answers = await self._paced(answers, visitor, brake)
        self._feel(answers, thread, visitor, brake)
        judged = iter(answers)  # by place: one op may come twice, with two texts
        return [next(judged) if known.isdisjoint(act.draft.ops) else act for act in acts]

    async def _filtered(self, acts: Sequence[Act | Refusal], visitor: Visitor) -> Sequence[Act | Refusal]:
        """Those that hold nothing they may not, or wait for it."""
        drafts = [act.draft for act in acts if isinstance(act, Act)]
        if not drafts:
            return acts
        said = iter(await self._sieve.judge(drafts[0].thread, [draft.text for draft in drafts], visitor.address))
        return [_sifted(act, next(said)) if isinstance(act, Act) else act for act in acts]

    def _asks(self, brake: Brake | None) -> bool:
        """Whether work is to be proven where a thread has this brake."""
        return self._work.when == "always" or (self._work.when == "surge" and brake is not None and brake.surge)

    async def _challenged(
        self, acts: Sequence[Act | Refusal], visitor: Visitor, brake: Brake | None
    ) -> Sequence[Act | Refusal]:
        """Where work is to be proven: who can do none waits for a moderator, who has done none is told what to do."""
        if not self._asks(brake):
            return acts
        owing = {act.op for act in acts if isinstance(act, Act) and act.proof != "" and not self._proves(act)}
        steps = await self._work.asked.steps(visitor.limit, len(owing)) if owing else 0
        answers: list[Act | Refusal] = []
        for act in acts:
            if not isinstance(act, Act) or (act.proof and act.op not in owing):
                answers.append(act)
            elif act.op in owing:
                harder = steps + act.hasty + self._pressure.steps(act.draft.thread)
                answers.append(Unproven(self._work.challenges.make(_name(act), harder)))
            else:
                answers.append(act._replace(draft=act.draft._replace(held=act.draft.held or UNPROVEN)))
        return answers

    def _proves(self, act: Act) -> bool:
        return self._work.challenges.proves(act.proof, _name(act))

    async def _paced(
        self, acts: Sequence[Act | Refusal], visitor: Visitor, brake: Brake | None
    ) -> Sequence[Act | Refusal]:
        """Those that don't come too fast, and don't say again what was said."""
        posts = [self._post(act, visitor) for act in acts if isinstance(act, Act)]
        slow = brake.slow if brake else 0
        if not posts or (self._posts.off and not slow):
            return acts
        thread = next(act.draft.thread for act in acts if isinstance(act, Act))
        answers = await self._judging.get(Burst(visitor.limit, thread, slow, posts))
        for post, answer in zip(posts, answers, strict=True):
            if answer is None:
                self._told.let(post.op)
            elif isinstance(answer, TooFast) and answer.retry_after:
                self._told.tell((visitor.limit, thread, brake, post.cost), answer.retry_after)
        judged = iter(answers)
        return [next(judged) or act if isinstance(act, Act) else act for act in acts]

    def _waiting(self, act: Act, visitor: Visitor, brake: Brake | None) -> TooFast | None:
        """What one was told who has not waited."""
        left = self._told.left((visitor.limit, act.draft.thread, brake, act.cost), act.draft.op)
        return TooFast(retry_after=left) if left else None

    def _post(self, act: Act, visitor: Visitor) -> Post:
        draft = act.draft
        return Post(draft.op, act.cost, self._keyring.likeness(draft.text, draft.thread, visitor.limit))

    def _feel(self, acts: Sequence[Act | Refusal], thread: ThreadId, visitor: Visitor, brake: Brake | None) -> None:
        """Count what has come, each act once: who shows a proof was counted when it was asked for."""
        for act in acts:
            proven = isinstance(act, Act) and act.proof and self._asks(brake)
            if not proven and not isinstance(act, Banned):
                self._pressure.feel(thread, visitor.limit)


def cost(text: str) -> int:
    """What a comment costs of its quota: one, and one more for each link beyond those that are free."""
    return min(DEAREST, max(1, 1 + markup.links(text) - FREE_LINKS))


def _name(act: Act) -> str:
    """What a challenge is for: this act, in this thread."""
    return f"{act.draft.thread}:{act.op}"


def _sifted(act: Act, said: Refusal | str | None) -> Act | Refusal:
    return said if isinstance(said, Refusal) else act._replace(draft=act.draft._replace(held=said))
