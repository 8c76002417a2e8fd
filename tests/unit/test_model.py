"""A model of several workers under every fault at once: whatever happens, no reader is shown what the log never had.

The rooms are the real ones; the store, the network, the lines, the clients and the time are doubles (tests/model).
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from service import run
from service.protocol import Thread
from service.rooms import Room, ledger, reader, room, rooms
from tests.model.client import Client, Line
from tests.model.clock import Clock, Loop
from tests.model.store import Change, Commit, Record, Store
from tests.model.worker import Network, Worker

WORKERS = 3
THREADS = 2
CLIENTS = 5
ALL = 1000  # frames
PATIENCE = 20  # seconds in which everybody is level again
LAG = 0.11  # seconds after which a reader who fell behind is tried again
TIRED = 1e-6  # seconds after which all that can happen at once has happened

# All limits are small, so that a few comments reach each of them.
LIMITS = {
    (run, "PIECE"): run.ENVELOPE + 450,
    (rooms, "PIECE"): 600,
    (rooms, "CATCH_UP"): 10,
    (ledger, "CATCH_UP"): 10,
    (room, "CATCH_UP"): 10,
    (ledger, "CATCH_UP_BYTES"): 3500,
    (room, "CATCH_UP_BYTES"): 3500,
    (ledger, "HELD"): 3,
    (reader, "FULL"): 1200,
    (reader, "MAX_BUFFER"): 5000,
    (reader, "PING_SECONDS"): 0.5,
    (rooms, "BEAT_SECONDS"): 0.25,
}

picks = st.integers(0, 30)
orders = st.lists(picks, min_size=1, max_size=6)
places = st.integers(0, WORKERS - 1)
stories = st.sampled_from([0, 0, 0, 1])
readers = st.integers(0, CLIENTS - 1)
costs = st.sampled_from([0.0, 0.01, 0.04])
sizes = st.sampled_from([1, 1, 1, 150, 700])
states = st.sampled_from([None, None, "open", "closed"])
batches = st.lists(sizes, min_size=1, max_size=5)
victims = st.lists(picks, min_size=1, max_size=3)
fates = st.sampled_from(["retracted", "removed", "held", "published"])


class Model(RuleBasedStateMachine):
    """A site: what its people do, and what befalls its machines."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.errors: list[Any] = []
        self.loop.set_exception_handler(lambda _loop, context: self.errors.append(context))
        self.patch = pytest.MonkeyPatch()
        for module in (room, rooms):
            self.patch.setattr(module, "time", self.clock)
        for (where, name), limit in LIMITS.items():
            self.patch.setattr(where, name, limit)
        self.patch.setattr("tests.model.client.PIECE", run.PIECE)
        self.store = Store(THREADS)
        self.network = Network()
        self.clients = [Client(self.store.records[number % THREADS if number > 2 else 0]) for number in range(CLIENTS)]
        self.tasks: list[asyncio.Task[None]] = []
        for _ in range(WORKERS):
            self._do(self._start)

    def _do(self, act: Callable[..., Any], *values: Any) -> None:
        """Do something inside the loop, and all that follows from it at once."""

        async def inside() -> None:
            act(*values)

        self.loop.run(inside())

    def _start(self) -> None:
        worker = Worker(self.network, self.store)
        self.tasks += worker.tasks

    # What people do

    @initialize(before=st.integers(0, 20), complete=st.booleans(), cost=costs, stuck=st.sets(readers, max_size=2))
    def open(self, before: int, complete: bool, cost: float, stuck: set[int]) -> None:
        """Some comments stand, and everybody comes."""
        for number in range(before):
            self.store.records[0].publish([700 if number % 7 == 3 else 1])
        for number in range(CLIENTS):
            self.arrive(number, complete)
        self.clock.cost = cost
        for number in stuck:
            self.take(number, 0)
        self._do(self._read)

    @rule(story=stories, place=places, texts=batches, at_once=st.booleans())
    def post(self, story: int, place: int, texts: list[int], at_once: bool) -> None:
        """A batch of comments is committed; the answer may be long on its way."""
        self._commit(story, place, lambda record: record.publish(texts), at_once=at_once)

    @rule(story=stories, place=places, state=states, texts=batches)
    def converse(self, story: int, place: int, state: Any, texts: list[int]) -> None:
        """Comments come as they should, here and there after the thread was opened or closed."""
        if state:
            self.decide(story, place, state)
        self.post(story, place, texts, True)
        self.deliver_all()

    @rule(story=stories, place=places, some=victims, to=fates, at_once=st.booleans())
    def moderate(self, story: int, place: int, some: list[int], to: Change, at_once: bool) -> None:
        """Comments vanish, or come back."""
        for pick in some:
            self._commit(story, place, partial(Record.change, pick=pick, to=to), at_once=at_once)

    @rule(story=stories, place=places, act=st.sampled_from(["hold", "release", "open", "closed", "held"]))
    def decide(self, story: int, place: int, act: Any) -> None:
        """A comment waits, and is published late; a thread is opened, closed or held."""
        match act:
            case "hold":
                self.store.records[story].hold()
            case "release":
                self._commit(story, place, Record.release)
            case _:
                self._commit(story, place, lambda record: record.set_state(Thread(act, record.version)))

    @rule(story=stories, texts=st.lists(sizes, min_size=1, max_size=15))
    def post_elsewhere(self, story: int, texts: list[int]) -> None:
        """Comments stand of which no worker hears: who committed them crashed before it could tell."""
        if self._takes(story):
            self.store.records[story].publish(texts)

    def _takes(self, story: int) -> bool:
        record = self.store.records[story]
        return not (record.rewound or record.hidden or self.store.away)

    def _commit(self, story: int, place: int, act: Callable[[Record], Commit], *, at_once: bool = True) -> None:
        worker = self.network.workers[place]
        if not self._takes(story):
            return
        commit = act(self.store.records[story])
        if at_once:
            self._do(worker.publish, commit)
        else:
            worker.unpublished.append(commit)

    # What readers do

    @rule(number=readers, complete=st.booleans())
    def arrive(self, number: int, complete: bool) -> None:
        """Somebody opens the page anew."""
        client = self.clients[number]
        client.hang_up()
        client.begin(self.store.seen(client.record.id) if complete and not client.record.hidden else None)
        self.join(number, number, number == 1, True)

    @rule(number=readers, place=places, stream=st.booleans(), at_once=st.sampled_from([True, True, False]))
    def join(self, number: int, place: int, stream: bool, at_once: bool) -> None:
        """Somebody connects, or connects again, and brings what it knows."""
        line = Line(self.clock, stream=stream)
        if at_once:
            line.shaken.set()
        self._do(self.clients[number].connect, self.network.workers[place % WORKERS], line)

    @rule(number=readers, place=places)
    def poll(self, number: int, place: int) -> None:
        """Somebody hangs up, and asks now and then."""
        if self.store.slow:
            self.clients[number].hang_up()
        else:
            self.loop.run(self.clients[number].poll(self.network.workers[place]))

    @rule(number=readers, frames=st.sampled_from([0, 0, 1, 2, 3, ALL]))
    def take(self, number: int, frames: int) -> None:
        """Somebody's network (after the handshake) takes so many frames and no more, or flows again."""
        if line := self.clients[number].line:
            line.shaken.set()
            line.take(frames)
            line.stuck = frames < ALL
            self.loop.wait(LAG)

    # What befalls machines

    @rule(order=orders, again=st.booleans())
    def deliver(self, order: list[int], again: bool) -> None:
        """Some hints arrive, in some order, and may come again."""
        for pick in order:
            if hints := self.network.hints:
                hint = hints.pop(pick % len(hints))
                hints += [hint] if again else []
                self._do(self.network.deliver, hint)

    @rule(again=st.booleans())
    def deliver_all(self, again: bool = False) -> None:
        """All hints arrive, in order; and the last of them will come again."""
        hints = self.network.hints
        self.network.hints = hints[-12:] if again else []
        for hint in hints:
            self._do(self.network.deliver, hint)

    @rule(order=orders)
    def lose(self, order: list[int]) -> None:
        """Some hints are lost."""
        for pick in order:
            if hints := self.network.hints:
                hints.pop(pick % len(hints))

    @rule(place=places, act=st.sampled_from(["crash", "drain", "deafen", "connect", "connect"]))
    def fail(self, place: int, act: str) -> None:
        """A worker is killed or leaves, and another starts in its place; or it loses the network, or has it again."""
        worker = self.network.workers[place]
        if act in {"deafen", "connect"}:
            worker.connect(hearing=act == "connect")
            self.loop.wait(TIRED)
            return
        if act == "drain":
            self.loop.run(worker.rooms.part(within=1.0))
            self._do(worker.rooms.dismiss)
        self._do(worker.crash)
        self._do(self._start)

    @rule(mode=st.sampled_from(["away", "slow", "slow", "well", "well", "well"]))
    def ail(self, mode: str) -> None:
        """The store is away, takes its time, or answers at once."""
        self.store.away, self.store.slow = mode == "away", mode == "slow"

    @rule(place=places, pick=picks, act=st.sampled_from(["run", "run", "answer", "answer", "lose"]))
    def answer(self, place: int, pick: int, act: str) -> None:
        """A statement runs, or its answer arrives, or never will; and the answer to a commit arrives."""
        if questions := self.store.questions:
            self._do(getattr(questions[pick % len(questions)], act))
        worker = self.network.workers[place]
        if commits := worker.unpublished:
            self._do(worker.publish, commits.pop(pick % len(commits)))

    @rule(story=stories, act=st.sampled_from(["restore", "fail over", "hide", "show", "show"]), back=st.integers(0, 5))
    def befall(self, story: int, act: str, back: int) -> None:
        """The store comes back from a backup; or a standby takes over, which lacks the last commits; or a thread goes.

        Where a backup has the epoch of what it replaced, some worker must know better, and nothing else may be on its
        way: versions that are used again before anybody looked can't be told from the old ones.
        """
        record = self.store.records[story]
        version = max(0, record.version - back)
        if act in {"hide", "show"}:
            if not record.rewound:
                record.hide(hidden=act == "hide")
        elif act == "fail over":
            record.version = version
            record.renew()
        elif not record.rewound and max(self._known(record), default=0) > version:
            record.version = version
            self.network.hints = [hint for hint in self.network.hints if hint.thread != record.id]
            for worker in self.network.workers:
                worker.unpublished = [commit for commit in worker.unpublished if commit.thread != record.id]

    def _known(self, record: Record) -> list[int]:
        rooms_ = [each for worker in self.network.workers for each in worker.rooms if each.id == record.id]
        return [each.ledger.version for each in rooms_ if each.ledger.epoch == record.epoch]

    @rule(cost=costs)
    def tire(self, cost: float) -> None:
        """Writing takes time, so that rooms gather what comes."""
        self.clock.cost = cost

    @rule(seconds=st.sampled_from([0.001, 0.01, 0.06, 0.11, 0.3]))
    def pause(self, seconds: float) -> None:
        """What was gathered or held goes out, or is asked for."""
        self.loop.wait(seconds)

    @rule(seconds=st.sampled_from([1.1, 2.1, 2.1, 6.0, 16.0]))
    def wait(self, seconds: float) -> None:
        """Looks are taken, pings sent, the stuck let go of, empty rooms closed."""
        self.loop.wait(seconds)

    # What holds all the time

    @invariant()
    def holds(self) -> None:
        """Each client saw what the log had; no room grows; nothing failed where nobody looks."""
        self._do(self._read)
        self._do(self._read)
        for worker in self.network.workers:
            for each in worker.rooms:
                self._is_bounded(each)
            assert not [task for task in worker.tasks if task.done() and not task.cancelled() and task.exception()]
            assert not worker.tasks[0].done()
        assert not self.errors

    def _read(self) -> None:
        for client in self.clients:
            client.read()
            if client.fetching and not client.asking:
                self.tasks.append(self.loop.create_task(client.fetch(self.store)))

    def _is_bounded(self, each: Room) -> None:
        known = each.ledger
        log = self.store.records[each.id - 1].logs[known.epoch]
        entries = list(known._ring.values())
        assert len(known._held) <= ledger.HELD
        assert known._size == sum(entry.size for entry in entries)
        assert [(entry.no, entry.version) for entry in entries] == [
            (comment.no, comment.version) for comment in log.between(known._base, known.version, known.version)
        ]
        assert (known.count, known.thread) == (log.at(known.version).count, log.at(known.version).thread)
        assert not [one for one in each.readers if one._transport.is_closing()]
        if each._timer is None:
            assert len(entries) <= ledger.CATCH_UP
            assert known._size <= ledger.CATCH_UP_BYTES

    # What holds in the end

    def teardown(self) -> None:
        """Faults stop: everybody who is connected, and everybody who comes, sees what stands."""
        try:
            if sys.exc_info()[0] is None:
                self._recover()
                self._converge()
        finally:
            tasks = [task for worker in self.network.workers for task in worker.tasks]
            self.loop.end([*tasks, *self.tasks])
            self.patch.undo()

    def _converge(self) -> None:
        for _ in range(PATIENCE):
            for number, client in enumerate(self.clients):
                if client.line is None:
                    self.join(number, number, False, True)
            self.loop.wait(1.0)
            self.holds()
            if all(map(level, self.clients)):
                break
        assert [vars(client) for client in self.clients if not level(client)] == []

    def _recover(self) -> None:
        self.clock.cost = 0.0
        self.store.away = self.store.slow = False
        for question in tuple(self.store.questions):
            question.answer()
        for record in self.store.records:
            record.hide(hidden=False)
        for worker in self.network.workers:
            worker.connect(hearing=True)
            for commit in worker.unpublished:
                self._do(worker.publish, commit)
        for number in range(CLIENTS):
            self.take(number, ALL)
        self.deliver_all()


def level(client: Client) -> bool:
    """Whether somebody is connected, and sees all that stands."""
    at = client.record.position
    shown = (client.epoch, client.version, client.horizon) == (at.epoch, at.version, at.version)
    return client.line is not None and not client.fetching and shown


def test_whatever_happens_every_reader_sees_the_log() -> None:
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=220,
            stateful_step_count=50,
            deadline=None,
            derandomize=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# What chance finds too rarely


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    made.open(before=0, complete=True, cost=0.0, stuck=set())
    yield made
    made.teardown()


def test_a_reader_whose_line_fills_midway_learns_how_the_thread_is(model: Model) -> None:
    slow = model.clients[0]
    model.take(0, 0)
    for state, texts in ((None, [700, 700]), ("closed", [150, 150, 150]), (None, [150, 150, 150])):
        model.converse(0, 0, state, texts)
        model.pause(0.01)
    model.take(0, 1)
    assert slow.line
    assert slow.line.reader
    assert slow.line.reader.version
    assert 3 <= slow.line.reader.version < slow.record.version, "the line filled after the change of the state"
    model.take(0, ALL)
    model.holds()
    assert (slow.version, slow.thread.state) == (slow.record.version, "closed")


def test_a_removal_that_waited_for_what_was_missing_waits_no_longer(model: Model) -> None:
    model.post(0, 0, [1, 1], True)
    model.post(0, 0, [1], True)
    model.moderate(0, 0, [0], "removed", True)
    first, second, removal = (hint for hint in model.network.hints if hint.to is model.network.workers[1])
    model.tire(0.04)
    model.network.hints = [first, removal, second]
    model.deliver_all()  # a worker asserts that removals are told at once
    model.holds()
    assert model.clients[1].shown[1].gone == "removed"


def test_a_late_hint_brings_nothing_back(model: Model) -> None:
    model.post(0, 0, [1, 1, 1], True)
    model.deliver_all(again=True)
    late = model.network.hints
    model.network.hints = []
    model.moderate(0, 0, [0], "removed", True)
    model.converse(0, 0, None, [1] * (ledger.CATCH_UP - 1))
    model.network.hints = late
    model.deliver_all()
    model.holds()
    model.join(1, 1, False, True)
    model.holds()
