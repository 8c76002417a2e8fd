"""The clients of a model: they do what docs/protocol.md tells them, and compare all they get with the logs."""

import asyncio
import contextlib
import struct
from collections import deque
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw

from service.errors import NotFound, Unavailable
from service.protocol import Bye, Changes, Comment, Epoch, Joined, Ping, Readers, Thread, Version, Window
from service.rooms import Reader, Room, ledger
from service.run import PIECE
from service.web.events import StreamReader
from service.web.seat import Seat
from tests.line import PONG, seat
from tests.model.clock import Clock
from tests.model.store import Record, Store
from tests.model.worker import Worker

Message = Joined | Changes | Readers | Ping | Bye
_message: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_comment = msgspec.json.Decoder(Comment)


class Written(NamedTuple):
    """Bytes, and the version that the worker knew when it wrote them."""

    data: bytes
    known: int


class Line(asyncio.Transport):
    """A connection. `stuck`: the client takes nothing; what is written then waits in the worker."""

    def __init__(self, clock: Clock, *, stream: bool) -> None:
        super().__init__()
        self._clock = clock
        self.stream = stream
        self.stuck = False
        self.ended = asyncio.Event()
        self.shaken = asyncio.Event()
        self.arrived = deque[Written]()
        self.waiting = deque[Written]()
        self.room: Room | None = None
        self.reader: Reader | None = None

    def is_reading(self) -> bool:
        """Whether the worker listens: it never has reason not to."""
        return True

    def get_write_buffer_size(self) -> int:
        """The bytes that were written and not taken."""
        return sum(len(written.data) for written in self.waiting)

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self.ended.is_set()

    def abort(self) -> None:
        """End at once: what waits is lost."""
        self.waiting.clear()
        self.ended.set()

    def write(self, data: Any) -> None:
        """Write one frame."""
        assert self.room, "nobody writes before there is a room"
        self._clock.now += self._clock.cost
        (self.waiting if self.stuck else self.arrived).append(Written(data, self.room.ledger.version))

    def take(self, frames: int) -> None:
        """Let so many frames arrive that waited."""
        for _ in range(min(frames, len(self.waiting))):
            self.arrived.append(self.waiting.popleft())

    def sit(self, room: Room, epoch: Epoch | None, after: int | None) -> Reader:
        """Become a reader of a room, as the door does."""
        self.room = room
        if self.stream:
            stream = self.reader = StreamReader(self, chunked=False)
            stream.ended = self.ended
        else:
            self.reader = seat(self)
        room.seat(self.reader, epoch, after)
        return self.reader


class Client:
    """Somebody who reads a thread, on one line after the other.

    `start`: what happened up to this version it never asked for. `horizon`: the version at which all that it was told
    is complete: between the pieces of a run a comment that changed again later is still missing.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.line: Line | None = None
        self.begin(None)

    def begin(self, window: Window | None) -> None:
        """Open the page: complete, or with the wish to see only what comes."""
        self.epoch: Epoch | None = None
        self.version = self.start = self.horizon = 0
        self.thread = Thread("open")
        self.fetching = False
        self.asking = False
        if window:
            self._replace(window)

    def _replace(self, window: Window) -> None:
        self.epoch, self.version, self.count, self.thread = window.epoch, window.version, window.count, window.thread
        self.start, self.horizon = 0, window.version
        self.shown = {comment.no: comment for comment in window.comments}

    # The connection

    def connect(self, worker: Worker, line: Line) -> None:
        """Hang up, and dial a worker."""
        self.hang_up()
        self.line = line
        self.fetching = False
        self._written_epoch, self._written = self.epoch, self.version
        after = None if self.epoch is None else self.version
        self._joined = False
        worker.tasks.append(asyncio.get_running_loop().create_task(_converse(worker, self, line, self.epoch, after)))

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        if self.line:
            self.line.abort()
            self.line.arrived.clear()
            self.line = None

    async def poll(self, worker: Worker) -> None:
        """Ask once what changed, as who has no line does."""
        self.hang_up()
        if self.epoch is None:
            return
        with contextlib.suppress(NotFound, Unavailable):
            async with worker.rooms.enter(self.record.slug, self.epoch, self.version) as room:
                joined = room.missed(self.epoch, self.version)
                assert len(joined.comments) <= ledger.CATCH_UP
                assert sum(len(raw) + 1 for raw in map(bytes, joined.comments)) <= ledger.CATCH_UP_BYTES
                self._written_epoch, self._written, self._joined = self.epoch, self.version, False
                self._join(joined, room.ledger.version)

    # What comes

    def read(self) -> None:
        """Take in what arrived."""
        line = self.line
        while line and line is self.line and line.arrived:
            self._hear(line, line.arrived.popleft())
        if line and line is self.line and line.ended.is_set():
            self.hang_up()
        self._compare()

    async def fetch(self, store: Store) -> None:
        """After a reset: replace what is shown by what stands."""
        if not self.fetching or self.asking:
            return
        self.asking, kept = True, self._kept
        try:
            window = await store.window(self.record.id)
        except (NotFound, Unavailable):
            return
        finally:
            self.asking = False
        if not self.fetching or kept is not self._kept:
            return  # there was another reset, or another line
        if window.epoch != self._written_epoch:
            self.hang_up()
            return
        self._replace(window)
        self.fetching = False
        for changes, known in self._kept:
            self._apply(changes, known)

    def _hear(self, line: Line, written: Written) -> None:
        if not line.stream and written.data[0] == 0x88:
            self.hang_up()
            return
        payload, position = _event(written.data) if line.stream else (_unframed(written.data), None)
        message = _message.decode(payload)
        assert self._joined or isinstance(message, Joined), "joined is always first"
        match message:
            case Joined():
                self._fits(payload, message.comments)
                self._join(message, written.known)
            case Changes():
                self._fits(payload, message.comments)
                self._follow(message, written.known)
            case Ping():
                assert (message.epoch, message.version) == (self._written_epoch, self._written), "the last one written"
                if isinstance(line.reader, Seat):
                    line.reader.data_received(PONG)
                if not self.fetching and (message.epoch != self.epoch or message.version > self.version):
                    self.hang_up()  # the window that it fetched was of a store that had been restored meanwhile
            case Bye():
                self.hang_up()
        if line.stream:
            moves = isinstance(message, Changes) or (isinstance(message, Joined) and message.mode != "reset")
            assert position == (f"{self._written_epoch}:{self._written}" if moves else None)

    def _fits(self, payload: bytes, comments: tuple[Raw, ...]) -> None:
        assert len(payload) <= PIECE or len(comments) == 1

    def _join(self, joined: Joined, known: int) -> None:
        """Begin, go on, or begin anew."""
        blank = self._written_epoch is None
        log = self.record.logs[joined.epoch]
        if joined.mode == "reset":
            assert (joined.version, joined.comments) == (known, ())
        elif blank:
            assert (joined.mode, joined.version, joined.comments) == ("live", known, ())
            self.start, self.shown = known, {}
        else:
            assert joined.epoch == self._written_epoch
            assert (joined.mode == "live") == (self._written == known)
            assert _decoded(joined.comments) == log.between(self._written, joined.version, known)
        if joined.version == known:
            assert joined.count == log.at(known).count
        assert joined.thread == log.at(known).thread
        self._joined = True
        self._written_epoch, self._written = joined.epoch, joined.version
        if joined.mode == "reset":
            self.fetching = True
            self._kept: list[tuple[Changes, int]] = []
        else:
            self.epoch = joined.epoch
            self._put(joined, joined.version, known)

    def _follow(self, changes: Changes, known: int) -> None:
        """A run, which must go on where the last one on this line ended, and hold the latest that its writer knew."""
        assert self._written_epoch
        log = self.record.logs[self._written_epoch]
        assert changes.from_ == self._written < changes.to <= known, "no hole, nothing twice"
        assert _decoded(changes.comments) == log.between(changes.from_, changes.to, known), "whole, and nothing stale"
        if changes.to == known or all(event.new for event in log[changes.from_ : known]):
            assert changes.count == log.at(changes.to).count
        if changes.thread is not UNSET:
            assert changes.thread == log.at(known).thread
        self._written = changes.to
        if self.fetching:
            self._kept.append((changes, known))
        else:
            self._apply(changes, known)

    def _apply(self, changes: Changes, known: int) -> None:
        if changes.to <= self.version:
            return
        if changes.from_ > self.version:
            self.hang_up()
        else:
            self._put(changes, changes.to, known)

    def _put(self, message: Joined | Changes, to: Version, known: int) -> None:
        for comment in _decoded(message.comments):
            old = self.shown.get(comment.no)
            if old is None or old.version < comment.version:
                self.shown[comment.no] = comment
        self.version = to
        self.count = message.count
        self.thread = message.thread or self.thread
        self.horizon = max(self.horizon, known)

    def _compare(self) -> None:
        """What is shown is what the log had at this version; before the horizon at least some state of it."""
        if self.epoch is None:
            return
        log = self.record.logs[self.epoch]
        if self.version < self.horizon:
            assert all(log.at(comment.version).comment == comment for comment in self.shown.values())
            return
        latest = log.latest(self.version)
        assert self.shown == {no: comment for no, comment in latest.items() if comment.version > self.start}
        assert (self.count, self.thread) == (log.at(self.version).count, log.at(self.version).thread)


async def _converse(worker: Worker, client: Client, line: Line, epoch: Epoch | None, after: int | None) -> None:
    """What a worker's door does with a connection."""
    try:
        async with worker.rooms.enter(client.record.slug, epoch, after) as room:
            await line.shaken.wait()
            if line.ended.is_set():
                return
            reader = line.sit(room, epoch, after)
            try:
                await line.ended.wait()
            finally:
                room.leave(reader)
    except (NotFound, Unavailable):
        pass
    finally:
        line.abort()


def _decoded(comments: tuple[Raw, ...]) -> list[Comment]:
    return [_comment.decode(raw) for raw in comments]


def _event(data: bytes) -> tuple[bytes, str | None]:
    """The data and the id of one event of a stream."""
    assert data.endswith(b"\n\n")
    fields = dict(line.split(b": ", 1) for line in data.splitlines() if line)
    return fields[b"data"], fields[b"id"].decode() if b"id" in fields else None


def _unframed(frame: bytes) -> bytes:
    if frame[1] < 126:
        return frame[2:]
    form, head = ("!H", 4) if frame[1] == 126 else ("!Q", 10)
    (size,) = struct.unpack(form, frame[2:head])
    assert size == len(frame) - head
    return frame[head:]
