"""What a worker knows of one thread, and the rules by which it learns: pure, without I/O.

A ledger holds a thread's position and its last changes, each comment once in its latest state. Changes come from this
worker's own commits, from other workers' hints and from reads of the store, in any order and any number of times; a
ledger takes each version once, in order, and says where something is missing.
"""

from msgspec import UNSET

from service.protocol import Changes, Comment, Epoch, Thread

RING = 100  # changes kept: enough to bring back who was away for a moment, without asking the store


class Gap(Exception):
    """Changes begin above what is known: something between is missing."""


class Ledger:
    """A thread's position, and its last changes in version order."""

    __slots__ = ("_base", "_ring", "count", "epoch", "thread", "version")

    def __init__(self, epoch: Epoch, version: int, count: int, thread: Thread) -> None:
        self.epoch = epoch
        self.version = version
        self.count = count
        self.thread = thread
        self._base = version
        self._ring: dict[int, Comment] = {}

    def apply(self, changes: Changes) -> Changes | None:
        """Take what is new, and return just that; None where nothing is. Raises `Gap`."""
        if changes.to <= self.version:
            return None
        if changes.from_ > self.version:
            raise Gap
        if changes.from_ < self.version:
            newer = tuple(comment for comment in changes.comments if comment.version > self.version)
            changes = Changes(self.version, changes.to, changes.count, newer, changes.thread)
        self.version = changes.to
        self.count = changes.count
        if changes.thread is not UNSET:
            self.thread = changes.thread
        for comment in changes.comments:
            self._ring.pop(comment.no, None)
            self._ring[comment.no] = comment
        while len(self._ring) > RING:
            self._base = self._ring.pop(next(iter(self._ring))).version
        return changes

    def since(self, version: int) -> tuple[Comment, ...] | None:
        """Every comment changed after `version`, in version order; None where that is too long ago to know."""
        if not self._base <= version <= self.version:
            return None
        return tuple(comment for comment in self._ring.values() if comment.version > version)
