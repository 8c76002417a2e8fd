"""Who was told to wait: for a while the same is told again without asking, so that a flood costs next to nothing."""

import asyncio
from collections.abc import Hashable
from uuid import UUID

from service.guard.memory import Memory

AGAIN_SECONDS = 60.0  # after which it is asked again: another worker may have let it through
LOCAL = 10_000  # of whom, and of which acts, this worker remembers it


class Told:
    """What was told to whom, by this worker."""

    def __init__(self) -> None:
        self._until: Memory[Hashable, tuple[float, float]] = Memory(LOCAL)
        self._let: Memory[UUID, bool] = Memory(LOCAL)

    def tell(self, who: Hashable, seconds: float) -> None:
        """Somebody is told to wait so long."""
        now = asyncio.get_running_loop().time()
        self._until.keep(who, (now + seconds, now + min(seconds, AGAIN_SECONDS)))

    def let(self, op: UUID) -> None:
        """An act was let through: it is to be asked for, whatever was told since."""
        self._let.keep(op, True)

    def left(self, who: Hashable, op: UUID) -> float:
        """Seconds that are left of what somebody was told not long ago; or 0: it is to be asked."""
        if op in self._let:
            return 0.0
        now = asyncio.get_running_loop().time()
        until, again = self._until.get(who) or (now, now)
        return until - now if now < again else 0.0
