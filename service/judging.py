"""What moderators do at the desk: done in the store, and told to every reader at once."""

from collections.abc import Sequence

from service.protocol import CommentNo, Slug
from service.rooms import Rooms
from service.run import Run
from service.store.comments import Changed
from service.store.moderation import Moderation, ThreadChanged, Verdict
from service.store.reports import Reports


class Judging:
    """Acts on comments and threads, each in a moderator's name. Every method raises `Unavailable`."""

    def __init__(self, moderation: Moderation, reports: Reports, rooms: Rooms) -> None:
        self._moderation = moderation
        self._reports = reports
        self._rooms = rooms

    async def judge(self, numbers: Sequence[CommentNo], verdict: Verdict, reason: str, moderator: str) -> int:
        """Bring comments into a state; how many were in another, and could be.

        On those that were in it already, what was reported is settled: they were looked at, and stay.
        """
        judged = await self._moderation.judge(numbers, verdict, reason, moderator)
        for each in judged:
            self.tell(each)
        if verdict != "held":
            await self._reports.dismiss(numbers, verdict, reason, moderator)
        return len(judged)

    async def judge_thread(self, slug: Slug, state: str, reason: str, moderator: str) -> None:
        """Open, close or hold a thread. Raises `NotFound`."""
        self.tell(await self._moderation.judge_thread(slug, state, None, reason, moderator))

    async def undo(self, act: int, moderator: str) -> bool:
        """Bring back what was before an act; False where somebody has acted on the same since."""
        undone = await self._moderation.undo(act, moderator)
        if undone is None:
            return False
        self.tell(undone)
        return True

    def tell(self, done: Changed | ThreadChanged) -> None:
        """Tell readers what they can see of what was done."""
        at = done.position
        if isinstance(done, ThreadChanged):
            if done.raised:
                run = Run.of(at.version - 1, at.version, at.count, (), at.thread)
                self._rooms.committed(done.thread, at.epoch, run)
        elif done.change:
            run = Run.of(at.version - 1, at.version, at.count, [done.change])
            self._rooms.committed(done.thread, at.epoch, run)
