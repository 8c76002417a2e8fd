"""All rooms of one worker: opened, kept level with the store and with other workers, and closed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from weakref import WeakValueDictionary

from service.bus import Bus, heed_cancellation
from service.crowd import Crowd
from service.errors import NotFound, Unavailable
from service.protocol import MAX_INTEGER, Close, Epoch, Slug, ThreadId
from service.rooms.ledger import CATCH_UP
from service.rooms.reader import Reader
from service.rooms.room import Room, bye
from service.run import PIECE, Run
from service.store.comments import Comments
from service.store.database import available

JOIN_SECONDS = 5.0  # for all that joining takes,
SUBSCRIBE_SECONDS = 1.0  # of which so long for hints to come: without them a reader relies on the quick look
CHECK_SECONDS = 2.0  # between two looks at the versions in the store: the tail of a thread has no successor
QUICK_SECONDS = 0.5  # the same while hints don't come
HOLD_SECONDS = 0.05  # for which a missing hint is waited for: those of two workers overtake each other
BEAT_SECONDS = 1.0
COUNT_SECONDS = 2.0  # between two messages about the number of readers
LINGER_SECONDS = 5.0  # a room without readers is kept this long: they may be reconnecting
SLICE = 200  # readers who are sent away at a time


class Rooms:
    """All rooms of this worker."""

    def __init__(self, comments: Comments, bus: Bus, crowd: Crowd) -> None:
        self._comments = comments
        self._bus = bus
        self._crowd = crowd
        self._rooms: dict[Slug, Room] = {}
        self._by_id: dict[ThreadId, Room] = {}
        self._opening: WeakValueDictionary[Slug, asyncio.Lock] = WeakValueDictionary()
        self._wake = asyncio.Event()
        self._parting: float | None = None

    def __iter__(self) -> Iterator[Room]:
        """Every room, as they are now."""
        return iter(tuple(self._rooms.values()))

    @property
    def readers(self) -> list[Reader]:
        """Everybody who reads here."""
        return [reader for room in self for reader in room.readers]

    @contextlib.asynccontextmanager
    async def enter(self, slug: Slug, epoch: str | None = None, after: int | None = None) -> AsyncIterator[Room]:
        """The room of a thread, kept while inside, and ready for someone who is at `epoch` and `after`.

        Raises `NotFound`, and `Unavailable` where it can't be had in time.
        """
        async with available(JOIN_SECONDS):
            room = await self._find(slug)
        room.entering += 1
        try:
            if epoch == room.ledger.epoch and after is not None:
                async with available(JOIN_SECONDS):
                    await self._reach(room, after)
            yield room
        finally:
            room.entering -= 1
            room.empty_since = time.monotonic()

    def committed(self, thread_id: ThreadId, epoch: Epoch, run: Run) -> None:
        """This worker committed something: its readers learn it next, other workers by the bus."""
        self.heard(thread_id, epoch, run)
        for piece in run.pieces():
            # Large hints can exceed a subscriber's output buffer, and cut off every worker: those only tell where
            # the thread stands.
            hint = piece if piece.size < PIECE else Run(piece.to, piece.to, piece.count)
            self._bus.publish(thread_id, epoch, hint)

    def heard(self, thread_id: ThreadId, epoch: Epoch, run: Run) -> None:
        """Learn what was committed here or elsewhere; what is missing before it is mended from the store."""
        room = self._by_id.get(thread_id)
        if room is None:
            return
        if epoch != room.ledger.epoch:
            self.check()
            return
        room.learn(run)
        if room.ledger.gap and not room.waiting:
            room.waiting = True
            asyncio.get_running_loop().call_later(HOLD_SECONDS, self._waited, room)

    def check(self) -> None:
        """Compare every room with the store, soon: hints may have been lost."""
        self._wake.set()

    async def part(self, within: float) -> None:
        """Tell every reader, and who still comes, to be elsewhere at a random moment `within` some seconds."""
        self._parting = within
        for room in self:
            room.parting = within
        for number, reader in enumerate(self.readers, 1):
            reader.send(bye(within))
            if number % SLICE == 0:
                await asyncio.sleep(0)

    def dismiss(self) -> None:
        """Close whoever is still there."""
        for reader in self.readers:
            reader.close(Close.DRAIN)

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
                await self.level()

    async def _find(self, slug: Slug) -> Room:
        """The room of a thread, opened once for all who ask at the same time."""
        if room := self._rooms.get(slug):
            return room
        async with self._opening.setdefault(slug, asyncio.Lock()):
            return self._rooms.get(slug) or await self._open(slug)

    async def _open(self, slug: Slug) -> Room:
        """Subscribe first, then read: what is committed between comes as a hint."""
        thread_id = await self._comments.thread(slug)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBE_SECONDS):
                    await self._bus.subscribe(thread_id)
            since = await self._comments.since(thread_id, MAX_INTEGER, 1)
        except BaseException:
            self._bus.unsubscribe(thread_id)
            raise
        room = self._rooms[slug] = self._by_id[thread_id] = Room(slug, thread_id, since.position)
        room.parting = self._parting
        self.check()  # what was heard before the room stood in the list went by
        return room

    async def _reach(self, room: Room, after: int) -> None:
        """See that the room knows the version that someone is at: it may be behind another worker, or young."""
        if after > room.ledger.version:
            await self._repair(room)
        async with room.reading:
            if after < room.ledger.version and room.ledger.since(after) is None and not room.ledger.full:
                await self._read(room, 0)

    async def level(self) -> None:
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
            ledger = room.ledger
            if epoch != ledger.epoch or version > ledger.version or version < known[room.id] or ledger.gap:
                with contextlib.suppress(NotFound):
                    await self._repair(room)

    async def _repair(self, room: Room) -> None:
        """Bring a room level with the store: one read for all who asked before it began."""
        asked = time.monotonic()
        async with room.reading:
            if room.read_at < asked:
                await self._read(room, room.ledger.version)

    async def _read(self, room: Room, after: int) -> None:
        """Read what changed after a version, as far back as anything is kept."""
        begun, epoch, version = time.monotonic(), room.ledger.epoch, room.ledger.version
        room.ledger.expect()
        since = await self._comments.since(room.id, after, CATCH_UP + 1)
        if since.position.epoch == epoch and since.position.version < version:  # the store was restored
            await self._comments.renew(room.id, epoch, version)
            since = await self._comments.since(room.id, after, CATCH_UP + 1)
        room.level(since)
        room.read_at = begun

    def _waited(self, room: Room) -> None:
        room.waiting = False
        if room.ledger.gap:
            self.check()

    async def _beat(self) -> None:
        """One sweep a second over all readers, instead of a timer for each; they joined at random moments."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = asyncio.get_running_loop().time()
            for room in self:
                room.beat(now)

    async def _count(self) -> None:
        """Tell other workers each second that this one lives and who reads here; and readers how many they are."""
        told = 0.0
        while True:
            rooms = {room.id: room for room in self}
            others = await self._crowd.exchange({room.id: len(room.readers) for room in rooms.values()})
            heed_cancellation()
            for room in rooms.values():
                room.others = others[room.id]
            if time.monotonic() - told >= COUNT_SECONDS:
                told = time.monotonic()
                for room in rooms.values():
                    room.tell_count()
            await asyncio.sleep(BEAT_SECONDS)

    def _sweep(self) -> None:
        """Close rooms that nobody has entered for a while."""
        for room in self:
            if room.empty and time.monotonic() - room.empty_since > LINGER_SECONDS:
                self._close(room)

    def _close(self, room: Room) -> None:
        del self._rooms[room.slug], self._by_id[room.id]
        self._bus.unsubscribe(room.id)
        room.close()
