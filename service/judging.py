"""What moderators do at the desk, or the service by itself: done in the store, and told to every reader at once."""

from collections.abc import Sequence

from service.protocol import CommentNo, Slug
from service.rooms import Rooms
from service.run import Run
from service.store.comments import Changed
from service.store.moderation import Moderation, Terms, ThreadChanged, Verdict


class Judging:
    """Acts on comments and threads, each in a moderator's name. Every method raises `Unavailable`."""

    def __init__(self, moderation: Moderation, rooms: Rooms) -> None:
        self._moderation = moderation
        self._rooms = rooms

    async def judge(self, numbers: Sequence[CommentNo], verdict: Verdict, reason: str, moderator: str) -> int:
        """Bring comments into a state; how many were in another, and could be."""
        judged = await self._moderation.judge(numbers, verdict, reason, moderator)
        for each in judged:
            self._tell(each)
        return len(judged)

    async def judge_thread(self, slug: Slug, terms: Terms, reason: str, moderator: str | None) -> None:
        """Open, close, hold or slow a thread, say, or pin a comment. Raises `NotFound`."""
        self._tell(await self._moderation.judge_thread(slug, terms, reason, moderator))

    async def close_old(self, days: int) -> int:
        """Close the threads whose articles were published more than some days ago; how many those were."""
        total = 0
        while closed := await self._moderation.close_old(days):
            for each in closed:
                self._tell(each)
            total += len(closed)
        return total

    async def undo(self, act: int, moderator: str) -> bool:
        """Bring back what was before an act; False where somebody has acted on the same since."""
        undone = await self._moderation.undo(act, moderator)
        if undone is None:
            return False
        self._tell(undone)
        return True

    def _tell(self, done: Changed | ThreadChanged) -> None:
        """Tell readers what they can see of it."""
        at = done.position
        if isinstance(done, ThreadChanged):
            if done.raised:
                run = Run.of(at.version - 1, at.version, at.count, (), at.thread)
                self._rooms.committed(done.thread, at.epoch, run)
        elif done.change:
            run = Run.of(at.version - 1, at.version, at.count, [done.change])
            self._rooms.committed(done.thread, at.epoch, run)
