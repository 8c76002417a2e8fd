"""The threads that have readers in this worker: who reads, what is known, and how both are kept level.

A room's ledger learns from commits, hints and reads of the store; whatever it learns goes to its readers at once, as
one frame for all. Fan-out never awaits anyone. What a hint skipped or never brought is found by comparing versions.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from typing import Literal, Protocol

import msgspec
from msgspec import UNSET

from service import protocol
from service.bus import Bus, heed_cancellation
from service.crowd import Crowd
from service.errors import NotFound, Unavailable
from service.ledger import Gap, Ledger
from service.pieces import frames, pieces, weight
from service.protocol import Bye, Changes, Comment, Epoch, Joined, Ping, Readers, Slug, ThreadId
from service.store.comments import Comments, Since

CATCH_UP = 300  # comments, and
CATCH_UP_BYTES = 128 * 1024  # beyond which a reader is reset
STEP = 500  # comments in one read of a repair
CHECK_SECONDS = (
    2.0  # between two looks at the versions in the store; the tail of a thread has no successor to show a gap
)
QUICK_SECONDS = 0.5  # the same while hints don't come
SUBSCRIBE_SECONDS = 1.0  # after this a reader joins without hints, and relies on the quick check
BEAT_SECONDS = 1.0
COUNT_SECONDS = 2.0  # between two messages about the number of readers
LINGER_SECONDS = 5.0  # a room without readers is kept this long: they may be reconnecting


class Reader(Protocol):
    """One who reads along. Every method returns at once and never fails."""

    def send(self, frame: bytes) -> None:
        """Write a frame."""

    def beat(self, now: float, ping: bytes) -> None:
        """Write this ping if it is time for one; let go of who was silent too long."""

    def close(self, code: protocol.Close) -> None:
        """Say goodbye."""


class Room:
    """A thread with readers. `others`: its readers on other workers, as last heard."""

    def __init__(self, slug: Slug, thread_id: ThreadId) -> None:
        self.slug = slug
        self.id = thread_id
        self.readers: set[Reader] = set()
        self.others = 0
        self.told = 0
        self.seats = 0
        self.closed = False
        self.empty_since = 0.0
        self.repairing = asyncio.Lock()
        self.ledger: Ledger

    @property
    def count(self) -> int:
        """How many read along, site-wide, approximately."""
        return len(self.readers) + self.others

    def seat(self, reader: Reader, joined: Joined, after: int) -> None:
        """Take in a reader who is at `after`, with what it missed; nothing may be awaited since `joined` was made."""
        if self.closed:  # while it was joining; nothing would ever be heard here
            reader.close(protocol.Close.SERVER_ERROR)
            return
        self.readers.add(reader)
        for frame in frames(msgspec.structs.replace(joined, readers=self.count), after):
            reader.send(frame)

    def learn(self, changes: Changes, payload: bytes | None = None) -> None:
        """Apply changes and tell the readers; `payload` is their encoding, if there is one. Raises `Gap`."""
        new = self.ledger.apply(changes)
        if new is None:
            return
        if payload is not None and new is changes:
            self.tell(payload)
            return
        for piece in pieces(new):
            self.tell(protocol.encode(piece))

    def begin(self, since: Since) -> None:
        """Start from a position in the store; readers of another history, if any, are reset."""
        position = since.position
        self.ledger = Ledger(position.epoch, position.version, position.count, position.thread)
        if self.readers:
            self.tell(protocol.encode(self.joined("reset")))

    def catch_up(self, since: Since, after: int) -> None:
        """Apply what a read of the store brought, of what changed after `after`."""
        position = since.position
        changed = position.state_version > after
        with contextlib.suppress(Gap):
            self.learn(
                Changes(
                    after,
                    since.reached,
                    position.count,
                    since.comments,
                    position.thread if changed else UNSET,
                )
            )

    def joined(self, mode: Literal["live", "catchup", "reset"], comments: tuple[Comment, ...] = ()) -> Joined:
        """The first message, at the present version."""
        ledger = self.ledger
        return Joined(ledger.epoch, ledger.version, ledger.count, mode, comments, ledger.thread, self.count)

    def tell(self, payload: bytes) -> None:
        """One frame to every reader."""
        frame = protocol.frame(payload)
        for reader in tuple(self.readers):
            reader.send(frame)


class Rooms:
    """All rooms of this worker."""

    def __init__(self, comments: Comments, bus: Bus, crowd: Crowd) -> None:
        self._comments = comments
        self._bus = bus
        self._crowd = crowd
        self._rooms: dict[Slug, Room] = {}
        self._by_id: dict[ThreadId, Room] = {}
        self._opening: dict[Slug, asyncio.Task[Room]] = {}
        self._wake = asyncio.Event()

    def __iter__(self) -> Iterator[Room]:
        """Every room, as they are now."""
        return iter(tuple(self._rooms.values()))

    @contextlib.asynccontextmanager
    async def enter(self, slug: Slug) -> AsyncIterator[Room]:
        """The room of a thread, kept while inside. Raises `NotFound`, and `Unavailable` where it can't be opened."""
        room = self._rooms.get(slug) or await self._open(slug)
        room.seats += 1
        try:
            yield room
        finally:
            room.seats -= 1
            room.empty_since = asyncio.get_running_loop().time()

    async def join(self, room: Room, epoch: str | None, after: int | None) -> Joined:
        """What brings someone who is at `epoch` and `after` up to the room's version. It holds until the next await."""
        if epoch is None or after is None:
            return room.joined("live")
        if epoch == room.ledger.epoch and after > room.ledger.version:
            with contextlib.suppress(Unavailable, NotFound):
                await self._repair(room)  # it was seen on a worker that this one is behind of
        if epoch != room.ledger.epoch or after > room.ledger.version:
            return room.joined("reset")
        missed = room.ledger.since(after)
        if missed is None:
            missed = await self._read(room, after)
        if missed is None or epoch != room.ledger.epoch or len(missed) > CATCH_UP or weight(missed) > CATCH_UP_BYTES:
            return room.joined("reset")
        return room.joined("catchup" if after < room.ledger.version else "live", missed)

    def committed(self, thread_id: ThreadId, epoch: Epoch, changes: Changes) -> None:
        """This worker committed changes: readers here get them at once, other workers by the bus."""
        for piece in pieces(changes):
            payload = protocol.encode(piece)
            self.heard(thread_id, epoch, piece, payload)
            self._bus.publish(thread_id, epoch, payload)

    def heard(self, thread_id: ThreadId, epoch: Epoch, changes: Changes, payload: bytes) -> None:
        """Apply what was committed here or elsewhere; a gap or another epoch is mended from the store."""
        room = self._by_id.get(thread_id)
        if room is None:
            return
        try:
            if epoch != room.ledger.epoch:
                raise Gap
            room.learn(changes, payload)
        except Gap:
            self._wake.set()

    def check(self) -> None:
        """Compare every room with the store, soon: hints may have been lost."""
        self._wake.set()

    async def leave(self, within: float, deadline: float) -> None:
        """Send every reader away: `bye`, to come back elsewhere `within` some seconds; at the deadline, 4001."""
        readers = [reader for room in self for reader in room.readers]
        for reader in readers:
            reader.send(protocol.frame(protocol.encode(Bye(random.randrange(round(within * 1000) + 1)))))  # noqa: S311
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                while any(room.readers for room in self):  # noqa: ASYNC110 - a look at many sets
                    await asyncio.sleep(0.05)
        for room in self:
            for reader in tuple(room.readers):
                reader.close(protocol.Close.DRAIN)

    async def run(self) -> None:
        """Keep every room level with the store, its readers awake and counted, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_level())
            tasks.create_task(self._beat())
            tasks.create_task(self._count())

    async def _keep_level(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS if self._bus.hearing else QUICK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            self._sweep()
            with contextlib.suppress(Unavailable):  # the next look comes soon
                await self._level()

    async def _open(self, slug: Slug) -> Room:
        """Open a room once for all who ask at the same time."""
        task = self._opening.get(slug)
        if task is None:
            task = self._opening[slug] = asyncio.create_task(self._opened(slug))
            task.add_done_callback(lambda done: self._opened_or_not(slug, done))
        return await asyncio.shield(task)

    def _opened_or_not(self, slug: Slug, task: asyncio.Task[Room]) -> None:
        del self._opening[slug]
        if not task.cancelled():
            task.exception()  # those who asked may all have gone; then nobody asks for it

    async def _opened(self, slug: Slug) -> Room:
        """Subscribe first, then read: what is committed between comes as a hint."""
        thread_id = await self._comments.thread(slug)
        room = Room(slug, thread_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await self._bus.subscribe(thread_id)
        try:
            room.begin(await self._comments.since(thread_id, protocol.MAX_INTEGER, 1))
        except BaseException:
            self._bus.unsubscribe(thread_id)
            raise
        room.empty_since = asyncio.get_running_loop().time()  # now: who asked has all of the linger to enter
        self._rooms[slug] = self._by_id[thread_id] = room
        self._wake.set()  # what was heard before the room stood in the list went by
        return room

    async def _level(self) -> None:
        """Look where every thread stands in the store, and repair the rooms that are behind, or ahead: a restore."""
        known = {room.id: room.ledger.version for room in self}
        if not known:
            return
        positions = await self._comments.positions(list(known))
        for room in self:
            if room.id not in known:
                continue
            if room.id not in positions:
                self._close(room)
                continue
            epoch, version = positions[room.id]
            if epoch != room.ledger.epoch or version > room.ledger.version or version < known[room.id]:
                with contextlib.suppress(NotFound):
                    await self._repair(room)

    async def _repair(self, room: Room) -> None:
        """Read what a room lacks, in steps, until it is level with the store; once for all who need it."""
        async with room.repairing:
            while True:
                after = room.ledger.version
                since = await self._comments.since(room.id, after, STEP)
                position = since.position
                if position.epoch != room.ledger.epoch or position.version < after:
                    room.begin(since)
                    return
                room.catch_up(since, after)
                if room.ledger.version >= position.version:
                    return

    async def _read(self, room: Room, after: int) -> tuple[Comment, ...] | None:
        """What changed since `after`, from the store and then the ring; None where that is too much, or unknown."""
        try:
            since = await self._comments.since(room.id, after, CATCH_UP + 1)
        except (Unavailable, NotFound):
            return None
        if since.position.epoch != room.ledger.epoch or since.reached < since.position.version:
            return None
        room.catch_up(since, after)
        newer = room.ledger.since(since.reached)
        if newer is None:
            return None
        replaced = {comment.no for comment in newer}
        return (*(comment for comment in since.comments if comment.no not in replaced), *newer)

    async def _beat(self) -> None:
        """One sweep a second over all readers, instead of a timer for each; they joined at random moments."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = asyncio.get_running_loop().time()
            for room in self:
                ping = protocol.frame(protocol.encode(Ping(room.ledger.epoch, room.ledger.version)))
                for reader in tuple(room.readers):
                    reader.beat(now, ping)

    async def _count(self) -> None:
        """Tell readers how many they are, site-wide, where that changed."""
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            rooms = {room.id: room for room in self}
            others = await self._crowd.exchange({room.id: len(room.readers) for room in rooms.values()})
            heed_cancellation()
            for room in rooms.values():
                room.others = others[room.id]
                if room.count != room.told and room.readers:
                    room.told = room.count
                    room.tell(protocol.encode(Readers(room.count)))

    def _sweep(self) -> None:
        """Close rooms that nobody has entered for a while."""
        now = asyncio.get_running_loop().time()
        for room in self:
            if not room.seats and now - room.empty_since > LINGER_SECONDS:
                self._close(room)

    def _close(self, room: Room) -> None:
        """Forget a room; readers of a thread that is gone are sent away, and learn so when they come back."""
        del self._rooms[room.slug], self._by_id[room.id]
        room.closed = True
        self._bus.unsubscribe(room.id)
        for reader in tuple(room.readers):
            reader.close(protocol.Close.SERVER_ERROR)
