"""The workers of a model: the real rooms, between a network that is careless with hints and a store."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from service import protocol
from service.bus import Bus
from service.crowd import Crowd
from service.protocol import Epoch, ThreadId
from service.rooms import Reader, Room, Rooms
from service.run import Run
from service.store.comments import Comments
from tests.model.store import Commit, Store


class Hint(NamedTuple):
    """A run on its way to a worker."""

    to: "Worker"
    thread: ThreadId
    epoch: Epoch
    payload: bytes


class Network:
    """Where hints are until somebody delivers them, or does not; and who counts whose readers."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.workers: list[Worker] = []
        self.counts: dict[Worker, Mapping[ThreadId, int]] = {}

    def deliver(self, hint: Hint) -> None:
        """Let a hint arrive, if there is still somebody."""
        if hint.to in self.workers:
            hint.to.hear(hint.thread, hint.epoch, Run.read(hint.payload))


class Station:
    """A worker's bus and crowd. `hearing`: whether it is connected; else nothing reaches it."""

    def __init__(self, network: Network, worker: "Worker") -> None:
        self._network = network
        self._worker = worker
        self._connected = asyncio.Event()
        self._connected.set()
        self.threads = set[ThreadId]()

    @property
    def hearing(self) -> bool:
        """Whether hints arrive."""
        return self._connected.is_set()

    @hearing.setter
    def hearing(self, hearing: bool) -> None:
        if hearing:
            self._connected.set()
        else:
            self._connected.clear()

    async def subscribe(self, thread: ThreadId) -> None:
        """Ask for hints, and wait for the confirmation."""
        self.threads.add(thread)
        await self._connected.wait()

    def unsubscribe(self, thread: ThreadId) -> None:
        """Ask no longer."""
        self.threads.discard(thread)

    def publish(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Send a hint to every worker that listens, oneself too."""
        payload = protocol.encode(run.message())
        for worker in self._network.workers:
            if worker.station.hearing and thread in worker.station.threads:
                self._network.hints.append(Hint(worker, thread, epoch, payload))

    async def exchange(self, counts: Mapping[ThreadId, int]) -> dict[ThreadId, int]:
        """Tell how many read here, and hear how many read elsewhere."""
        self._network.counts[self._worker] = counts
        others = [self._network.counts[worker] for worker in self._network.workers if worker is not self._worker]
        return {thread: sum(other.get(thread, 0) for other in others) for thread in counts}


class Worker:
    """A process, until it crashes. `unpublished`: commits whose answers are still on their way from the store."""

    def __init__(self, network: Network, store: Store) -> None:
        self._network = network
        self.station = Station(network, self)
        self.rooms = Rooms(cast("Comments", store), cast("Bus", self.station), cast("Crowd", self.station))
        self.unpublished: list[Commit] = []
        self.tasks = [asyncio.get_running_loop().create_task(self.rooms.run())]
        network.workers.append(self)
        network.counts[self] = {}

    def crash(self) -> None:
        """Be gone, with all that was only known here."""
        self._network.workers.remove(self)
        for task in self.tasks:
            task.cancel()

    def publish(self, commit: Commit) -> None:
        """Learn that a commit stands, and tell."""
        with self._vanishing(commit.thread):
            self.rooms.committed(*commit)

    def hear(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """A hint arrives."""
        with self._vanishing(thread):
            self.rooms.heard(thread, epoch, run)

    def connect(self, *, hearing: bool) -> None:
        """Lose the connection to the network, or have it again: then what was missed is looked for."""
        if hearing and not self.station.hearing:
            self.rooms.check()
        self.station.hearing = hearing

    @contextlib.contextmanager
    def _vanishing(self, thread: ThreadId) -> Iterator[None]:
        """What has to vanish is told at once to everybody whose line takes it."""
        rooms = [room for room in self.rooms if room.id == thread]
        before = [(room, room.ledger.version, _free(room)) for room in rooms]
        yield
        for room, version, readers in before:
            run = room.ledger.since(version)
            if run and any(entry.gone for entry in run.entries):
                late = [reader for reader in readers & _free(room) if reader.version != room.ledger.version]
                assert not late, "a removal waits"


def _free(room: Room) -> set[Reader]:
    return {reader for reader in room.readers if not reader.full and not reader.gone}
