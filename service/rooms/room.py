"""A thread with readers: what it learns goes to each of them, from the version that this reader is at."""

import asyncio
import random
import time
from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from service.frame import Frame
from service.protocol import Bye, Close, Joined, Mode, Ping, Readers, Slug, ThreadId
from service.rooms.ledger import CATCH_UP, CATCH_UP_BYTES, Ledger
from service.rooms.reader import Reader
from service.run import Run
from service.store.comments import Position, Since

SOON_SECONDS = 0.002  # that a flush which takes longer is put off: a hint is on its way by then, and an answer
MAX_PAUSE = 0.25  # seconds between two flushes, at most; else as long as the last one took,
BUSY = 3  # or up to so many times that: as many as it carried pairs of changes
LAG_SECONDS = 0.1  # after which readers whose lines were full are tried again

Step = tuple[Frame, int]


class Room:
    """A thread, its ledger and its readers.

    `others`: its readers on other workers, as last heard. `parting`: seconds within which everybody is to go elsewhere.
    """

    def __init__(self, slug: Slug, thread_id: ThreadId, position: Position) -> None:
        self.slug = slug
        self.id = thread_id
        self.readers: dict[Reader, None] = {}  # in the order of their coming, as the kernel keeps their sockets
        self.others = 0
        self.entering = 0  # who is here only to ask, or not seated yet
        self.closed = False
        self.parting: float | None = None
        self.empty_since = time.monotonic()  # who asked has all of the linger to enter
        self.reading = asyncio.Lock()  # held by whoever reads the store for this room,
        self.read_at = 0.0  # which was begun last at this time
        self.waiting = False  # for a hint that is missing
        self.ledger = _ledger(position)
        self._told = 0
        self._reached = position.version  # to which everybody was brought last
        self._flushed = float("-inf")
        self._pause = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    @property
    def empty(self) -> bool:
        """Whether nobody is here."""
        return not self.readers and not self.entering

    @property
    def count(self) -> int:
        """How many read along, site-wide, approximately."""
        return len(self.readers) + self.others

    def level(self, since: Since) -> None:
        """Take a read of the store; where it does not continue what is known, the thread begins anew from it."""
        at = since.position
        thread = at.thread if at.state_version > since.from_ else UNSET
        run = Run.of(since.from_, at.version, at.count, since.comments, thread)
        if at.epoch != self.ledger.epoch:
            for reader in self.readers:
                reader.version = None
        if at.epoch != self.ledger.epoch or run.from_ > self.ledger.version:
            self.ledger = _ledger(at)
        self.ledger.apply(run)
        self.flush()

    def learn(self, run: Run) -> None:
        """Take a run, and tell the readers: next where the room was quiet, at once where something has to vanish.

        To write to a thousand readers takes 10 ms and more: where it takes long, who posted is answered first, and the
        other workers hear of it. A busy room gathers what comes, so that it spends no more than half of its time
        writing, and the less the more there is to tell.
        """
        before = self.ledger.version
        self.ledger.apply(run)
        if self.ledger.version == before:
            if self._timer is None:
                self.ledger.trim()
            return
        if self._vanished(before):
            self.flush()
        else:
            rest = self._flushed + self._pause - time.monotonic()
            self._flush_in(max(rest, min(self._pause, SOON_SECONDS)))

    def flush(self) -> None:
        """Bring every reader from its own version to the room's, as far as its line takes it."""
        begun = time.monotonic()
        self._quiet()
        lagging = self._bring(tuple(self.readers))
        self.ledger.trim()
        self._flushed = time.monotonic()
        news, self._reached = self.ledger.version - self._reached, self.ledger.version
        self._pause = pause(self._flushed - begun, news)
        if lagging:
            self._flush_in(LAG_SECONDS)

    def seat(self, reader: Reader, epoch: str | None, after: int | None) -> None:
        """Take in a reader who is at `epoch` and `after`: `joined`, and what it missed. `leave` is its counterpart."""
        if self.closed:  # while it was joining; nothing would ever be heard here
            reader.close(Close.SERVER_ERROR)
            return
        self.readers[reader] = None
        mode, run = self._resumed(epoch, after)
        first = run.pieces()[0]
        id_ = None if mode == "reset" else (self.ledger.epoch, first.to)
        reader.send(Frame(self._joined(mode, first), id_))
        reader.version = first.to
        if self._bring((reader,)):
            self._flush_in(LAG_SECONDS)
        if self.parting is not None:
            reader.send(bye(self.parting))

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        self.readers.pop(reader, None)
        self.empty_since = time.monotonic()

    def missed(self, epoch: str, after: int) -> Joined:
        """The same for someone who only asks, in one message."""
        return self._joined(*self._resumed(epoch, after))

    def beat(self, now: float) -> None:
        """Ping whose time has come, each with the version that was last written to it."""
        pings: dict[int, Frame] = {}
        for reader in tuple(self.readers):
            if reader.beat(now) and (version := reader.version) is not None:
                ping = pings.get(version) or pings.setdefault(version, Frame(Ping(self.ledger.epoch, version)))
                reader.send(ping)

    def tell_count(self) -> None:
        """Tell the readers how many they are, if that changed."""
        if self.readers and self.count != self._told:
            self._told = self.count
            self.tell(Readers(self._told))

    def tell(self, message: msgspec.Struct) -> None:
        """Write a message to every reader whose line takes it."""
        frame = Frame(message)
        for reader in tuple(self.readers):
            reader.send(frame)

    def close(self) -> None:
        """End: readers of a thread that is gone are sent away, and learn so when they come back."""
        self.closed = True
        self._quiet()
        for reader in tuple(self.readers):
            reader.close(Close.SERVER_ERROR)

    def _vanished(self, version: int) -> bool:
        """Whether something has to vanish that was there at a version: in a run that held ones waited for, too."""
        news = self.ledger.since(version)
        return news is None or any(entry.gone for entry in news.entries)

    def _bring(self, readers: Iterable[Reader]) -> bool:
        """Write to readers what they lack, each up to a full line; whether something is left."""
        version, lagging = self.ledger.version, False
        steps: dict[int | None, list[Step]] = {}
        for reader in readers:  # this loop is what a delivery costs beside the kernel
            at = reader.version
            if at == version:
                continue
            if at not in steps:
                steps[at] = self._steps(at)
            for frame, to in steps[at]:
                if not reader.send(frame):
                    lagging = True
                    break
                reader.version = to
        return lagging

    def _steps(self, version: int | None) -> list[Step]:
        """What brings a reader from a version to the room's; who is too far behind begins anew."""
        run = None if version is None else self.ledger.since(version)
        if run is None:
            return [(Frame(self._joined("reset", self._now())), self.ledger.version)]
        return [(self._changes(piece), piece.to) for piece in run.pieces()]

    def _resumed(self, epoch: str | None, after: int | None) -> tuple[Mode, Run]:
        """How someone who is at `epoch` and `after` goes on, and what it missed."""
        if epoch is None or after is None:
            return "live", self._now()
        run = self.ledger.since(after) if epoch == self.ledger.epoch else None
        if run is None or len(run.entries) > CATCH_UP or run.size > CATCH_UP_BYTES:
            return "reset", self._now()
        return ("catchup" if run.from_ < run.to else "live"), run

    def _now(self) -> Run:
        return Run(self.ledger.version, self.ledger.version, self.ledger.count)

    def _joined(self, mode: Mode, run: Run) -> Joined:
        return Joined(self.ledger.epoch, run.to, run.count, mode, run.comments, self.ledger.thread, self.count)

    def _changes(self, piece: Run) -> Frame:
        return Frame(piece.message(), (self.ledger.epoch, piece.to))

    def _flush_in(self, seconds: float) -> None:
        """Flush then, if not before."""
        due = time.monotonic() + seconds
        if self._timer is None or due < self._due:
            self._quiet()
            self._due = due
            self._timer = asyncio.get_running_loop().call_later(seconds, self.flush)

    def _quiet(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def bye(within: float) -> Frame:
    """A reader's word that this worker leaves: each is to come back at a moment of its own."""
    return Frame(Bye(random.randrange(round(within * 1000) + 1)))  # noqa: S311


def pause(seconds: float, changes: int) -> float:
    """Seconds without a flush, after one that took so long and brought so many changes to everybody."""
    return min(seconds * min(max(changes // 2, 1), BUSY), MAX_PAUSE)


def _ledger(at: Position) -> Ledger:
    return Ledger(at.epoch, at.version, at.count, at.thread, at.state_version)
