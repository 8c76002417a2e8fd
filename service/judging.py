"""What moderators do at the desk, or the service by itself: done in the store, and told to every reader at once."""

from collections.abc import Sequence

from service.blocklist import Blocklist
from service.brakes import Brakes
from service.errors import NotFound
from service.protocol import CommentNo, Slug, ThreadId
from service.rooms import Rooms
from service.run import Run
from service.store.bans import Bans, Scope
from service.store.comments import Changed
from service.store.moderation import Moderation, Terms, ThreadChanged, Verdict
from service.store.reports import Reports


class Judging:
    """Acts on comments, threads and who wrote, each in a moderator's name. Every method raises `Unavailable`."""

    def __init__(
        self,
        moderation: Moderation,
        bans: Bans,
        reports: Reports,
        *,
        blocklist: Blocklist,
        brakes: Brakes,
        rooms: Rooms,
    ) -> None:
        self._moderation = moderation
        self._bans = bans
        self._blocklist = blocklist
        self._reports = reports
        self._rooms = rooms
        self._brakes = brakes

    async def judge(self, numbers: Sequence[CommentNo], verdict: Verdict, reason: str, moderator: str) -> int:
        """Bring comments into a state; how many were in another, and could be.

        On those that were in it already, what was reported is settled: they were looked at, and stay.
        """
        judged = await self._moderation.judge(numbers, verdict, reason, moderator)
        self._tell_together(judged)
        if verdict != "held":
            await self._reports.dismiss(numbers, verdict, reason, moderator)
        return len(judged)

    async def judge_thread(self, slug: Slug, terms: Terms, reason: str, moderator: str | None) -> None:
        """Open, close, hold or slow a thread, say, or pin a comment. Raises `NotFound`."""
        self.tell(await self._moderation.judge_thread(slug, terms, reason, moderator))

    async def pin(self, no: CommentNo, moderator: str) -> None:
        """Let a comment stand first in its thread. Raises `NotFound` where it is not published."""
        self.tell(await self._moderation.pin(no, moderator))

    async def ban(self, no: CommentNo, scope: Scope, days: int, reason: str, moderator: str) -> None:
        """Ban who wrote a comment, or the wider net. Raises `NotFound` where that is not known any more."""
        if await self._bans.impose(no, scope, days, reason, moderator) is None:
            raise NotFound("That comment is not there, or it is not known any more who wrote it.")
        await self._blocklist.changed()

    async def lift(self, ban: int, moderator: str) -> None:
        """End a ban before its time, if it is in force."""
        await self._bans.lift(ban, "", moderator)
        await self._blocklist.changed()

    async def close_old(self, days: int) -> int:
        """Close the threads whose articles were published more than some days ago; how many those were."""
        total = 0
        while closed := await self._moderation.close_old(days):
            for each in closed:
                self.tell(each)
            total += len(closed)
        return total

    async def undo(self, act: int, moderator: str) -> bool:
        """Bring back what was before an act; False where somebody has acted on the same since."""
        if undone := await self._moderation.undo(act, moderator):
            self.tell(undone)
            return True
        lifted = await self._bans.undo(act, moderator)
        if lifted:
            await self._blocklist.changed()
        return lifted

    async def undo_step(self, act: int, moderator: str) -> int:
        """Bring back what was before all acts on comments that were one step with this one; how many could be."""
        undone = await self._moderation.undo_step(act, moderator)
        self._tell_together(undone)
        return len(undone)

    def tell(self, done: Changed | ThreadChanged) -> None:
        """Tell readers what they can see of what was done, and this worker what a thread asks of who writes."""
        at = done.position
        if isinstance(done, ThreadChanged):
            self._brakes.learn(done.thread, at.thread)
            if done.raised:
                run = Run.of(at.version - 1, at.version, at.count, (), at.thread)
                self._rooms.committed(done.thread, at.epoch, run)
        elif done.change:
            run = Run.of(at.version - 1, at.version, at.count, [done.change])
            self._rooms.committed(done.thread, at.epoch, run)

    def _tell_together(self, step: Sequence[Changed]) -> None:
        """Tell readers of one step on many comments, thread by thread: a line for each would hold up the worker."""
        threads: dict[ThreadId, list[Changed]] = {}
        for done in step:
            if done.change:
                threads.setdefault(done.thread, []).append(done)
        for thread, changed in threads.items():
            first, at = changed[0].position, changed[-1].position
            run = Run.of(first.version - 1, at.version, at.count, [done.change for done in changed if done.change])
            self._rooms.committed(thread, at.epoch, run)
