"""What a worker knows of one thread, and the rules by which it learns: pure, without I/O.

A ledger holds a thread's position and its last changes, each comment once in its latest state. Runs come from this
worker's own commits, from other workers' hints and from reads of the store, in any order and any number of times; a
ledger takes each version once, in order, and holds what lies beyond a gap.
"""

import itertools

from msgspec import UNSET

from service.protocol import Epoch, Thread
from service.run import Entry, Run

CATCH_UP = 300  # changes, and
CATCH_UP_BYTES = 128 * 1024  # that are kept: who is further behind begins anew
HELD = 64  # runs beyond a gap that may wait for what is missing: two workers' hints overtake each other


class Ledger:
    """A thread's position, and its last changes in version order. Readers may ask for any run that ends now."""

    def __init__(self, epoch: Epoch, version: int, count: int, thread: Thread, state_version: int = 0) -> None:
        self.epoch = epoch
        self.version = version
        self.count = count
        self.thread = thread
        self.full = False
        self._state_version = state_version
        self._base = version
        self._ring: dict[int, Entry] = {}
        self._size = 0
        self._held: list[Run] = []

    @property
    def gap(self) -> bool:
        """Whether something between is missing, as far as anybody told."""
        return bool(self._held)

    def apply(self, run: Run) -> None:
        """Take what is new and continues what is known; hold what lies beyond a gap.

        A run that reaches further back than what is known makes more known, up to `full`.
        """
        if run.from_ > self.version:
            if len(self._held) < HELD:
                self._held.append(run)
            return
        if run.from_ < self._base <= run.to:
            self._extend(run)
        if run.to > self.version:
            self._advance(run)
            held, self._held = sorted(self._held, key=lambda each: each.from_), []
            for waiting in held:
                self.apply(waiting)

    def since(self, version: int) -> Run | None:
        """The run from `version` to now; None where that is too long ago to know."""
        if not self._base <= version <= self.version:
            return None
        newest_first = itertools.takewhile(lambda entry: entry.version > version, reversed(self._ring.values()))
        entries = tuple(newest_first)[::-1]
        thread = self.thread if self._state_version > version else UNSET
        return Run(version, self.version, self.count, entries, thread)

    def trim(self) -> None:
        """Forget what is too long ago; to be called when every reader has it."""
        while len(self._ring) > CATCH_UP or self._size > CATCH_UP_BYTES:
            entry = self._ring.pop(next(iter(self._ring)))
            self._size -= entry.size
            self._base = entry.version
            self.full = True

    def expect(self) -> None:
        """Forget what is held: a read of the store that begins now will bring it, if it was true."""
        self._held.clear()

    def _advance(self, run: Run) -> None:
        for entry in run.entries:
            if entry.version > self.version:
                if old := self._ring.pop(entry.no, None):
                    self._size -= old.size
                self._ring[entry.no] = entry
                self._size += entry.size
        self.version = run.to
        self.count = run.count
        if run.thread is not UNSET:
            self.thread = run.thread
            self._state_version = run.to

    def _extend(self, run: Run) -> None:
        older = {e.no: e for e in run.entries if e.version <= self._base and e.no not in self._ring}
        self._ring = older | self._ring
        self._size += sum(entry.size for entry in older.values())
        self._base = run.from_
