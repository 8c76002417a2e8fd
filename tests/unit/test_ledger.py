"""The ledger: whatever is heard, in whatever order, each version is taken once, in order, and nothing wrong is told."""

import datetime
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from service.protocol import Comment, Epoch, Thread
from service.rooms import ledger
from service.rooms.ledger import CATCH_UP, CATCH_UP_BYTES, HELD, Ledger
from service.run import Run

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
EPOCH = Epoch("e.1")
OPEN, CLOSED = Thread("open"), Thread("closed")


def comment(no: int, version: int, size: int = 1) -> Comment:
    return Comment(no, version, AT, by="Anonymous", html="x" * size, quotes=())


def gone(no: int, version: int) -> Comment:
    return Comment(no, version, AT, gone="removed")


def changed(from_: int, to: int, count: int, *changes: tuple[int, int], thread: Thread | UnsetType = UNSET) -> Run:
    """A run of comments, each given by its number and version."""
    return Run.of(from_, to, count, [comment(no, version) for no, version in changes], thread)


def posted(version: int, size: int = 1) -> Run:
    """A new comment, as its commit tells it."""
    return Run.of(version - 1, version, version, [comment(version, version, size)])


def new(version: int = 0, count: int = 0) -> Ledger:
    return Ledger(EPOCH, version, count, OPEN)


def numbers(run: Run | None) -> list[tuple[int, int]]:
    assert run is not None
    return [(entry.no, entry.version) for entry in run.entries]


# What is taken


def test_what_follows_is_taken() -> None:
    known, run = new(), changed(0, 2, 2, (1, 1), (2, 2))
    known.apply(run)
    assert (known.version, known.count) == (2, 2)
    assert known.since(0) == run


def test_what_is_known_is_dropped() -> None:
    known, run = new(), changed(0, 2, 2, (1, 1), (2, 2))
    for each in (run, run, changed(0, 1, 99, (1, 1)), Run(2, 2, 99), Run(0, 0, 99), Run(1, 2, 99, (), CLOSED)):
        known.apply(each)
    assert known.since(0) == run
    assert (known.version, known.count, known.thread, known.gap) == (2, 2, OPEN, False)


def test_of_what_overlaps_only_the_new_part_is_taken() -> None:
    known = new()
    known.apply(changed(0, 2, 2, (1, 1), (2, 2)))
    known.apply(changed(1, 3, 3, (2, 2), (3, 3), thread=CLOSED))
    assert known.since(2) == changed(2, 3, 3, (3, 3), thread=CLOSED)
    assert numbers(known.since(0)) == [(1, 1), (2, 2), (3, 3)]
    assert known.thread == CLOSED


def test_versions_without_comments_are_taken_too() -> None:
    known = new()
    known.apply(Run(0, 3, 0))
    assert known.since(1) == Run(1, 3, 0)


def test_a_state_that_is_not_told_stays() -> None:
    known = new()
    known.apply(Run(0, 1, 0, (), CLOSED))
    known.apply(posted(2))
    assert known.thread == CLOSED


# Gaps


def test_what_lies_beyond_a_gap_waits_and_is_not_told() -> None:
    known = new()
    known.apply(posted(2))
    assert (known.version, known.count, known.gap) == (0, 0, True)
    assert known.since(0) == Run(0, 0, 0)


def test_what_waited_is_taken_when_the_gap_closes() -> None:
    known = new()
    for version in (5, 3, 2, 4):
        known.apply(posted(version))
    known.apply(posted(1))
    assert (known.version, known.count, known.gap) == (5, 5, False)
    assert numbers(known.since(0)) == [(version, version) for version in range(1, 6)]


def test_of_what_waited_only_what_follows_is_taken() -> None:
    known = new()
    for version in (2, 4):
        known.apply(posted(version))
    known.apply(posted(1))
    assert (known.version, known.gap) == (2, True)
    known.apply(posted(3))
    assert (known.version, known.gap) == (4, False)


def test_what_waited_and_was_overtaken_by_a_read_is_forgotten() -> None:
    known = new()
    known.apply(changed(2, 4, 2, (1, 3), (2, 4)))
    known.apply(changed(0, 5, 2, (2, 4), (1, 5)))
    assert (known.version, known.gap) == (5, False)
    assert numbers(known.since(0)) == [(2, 4), (1, 5)]


@pytest.mark.parametrize("known_to", [4, 5])
def test_a_position_alone_shows_that_something_is_missing(known_to: int) -> None:
    known = new(known_to)
    known.apply(Run(5, 5, 9))
    assert known.gap is (known_to == 4)
    assert (known.version, known.count) == (known_to, 0)


def test_a_position_that_was_reached_is_no_gap_any_more() -> None:
    known = new()
    known.apply(Run(2, 2, 2))
    known.apply(posted(1))
    assert (known.version, known.gap) == (1, True)
    known.apply(posted(2))
    assert (known.version, known.gap) == (2, False)


def test_what_waits_is_bounded_and_the_rest_is_left_to_a_read() -> None:
    known = new()
    for version in range(HELD + 20, 1, -1):
        known.apply(posted(version))
    known.apply(posted(1))
    assert (known.version, known.gap) == (1, True)
    known.apply(changed(1, 20, 20, *((version, version) for version in range(2, 21))))
    assert (known.version, known.gap) == (HELD + 20, False)


def test_a_read_that_begins_has_to_bring_what_waited() -> None:
    known = new()
    known.apply(posted(3))
    known.expect()
    assert (known.version, known.gap) == (0, False)
    known.apply(posted(4))  # while it reads
    assert (known.version, known.gap) == (0, True)
    known.apply(changed(0, 3, 3, (1, 1), (2, 2), (3, 3)))
    assert (known.version, known.gap) == (4, False)


def test_what_was_never_true_is_forgotten_by_a_read() -> None:
    known = new(3)
    known.apply(Run(10**9, 10**9, 0))
    known.expect()
    known.apply(Run(3, 3, 0))
    assert not known.gap


# What is told


def test_since_gives_each_comment_once_in_its_latest_state() -> None:
    known = new()
    known.apply(changed(0, 2, 2, (1, 1), (2, 2)))
    known.apply(Run.of(2, 3, 1, [gone(1, 3)]))
    assert known.since(0) == Run.of(0, 3, 1, [comment(2, 2), gone(1, 3)])
    assert known.since(2) == Run.of(2, 3, 1, [gone(1, 3)])
    assert known.since(3) == Run(3, 3, 1)


def test_what_is_too_long_ago_or_to_come_is_not_told() -> None:
    known = new(10)
    assert [known.since(version) for version in (-1, 0, 9, 11)] == [None] * 4
    assert known.since(10) == Run(10, 10, 0)


def test_the_state_is_told_only_to_whom_it_is_new() -> None:
    known = Ledger(EPOCH, 4, 0, OPEN, state_version=3)
    known.apply(Run(1, 4, 0, (), OPEN))
    known.apply(posted(5))
    told = {version: run.thread for version in range(1, 6) if (run := known.since(version))}
    assert told == {1: OPEN, 2: OPEN, 3: UNSET, 4: UNSET, 5: UNSET}
    known.apply(Run(5, 6, 1, (), CLOSED))
    told = {version: run.thread for version in range(1, 7) if (run := known.since(version))}
    assert told == dict.fromkeys(range(1, 6), CLOSED) | {6: UNSET}


# Further back


def test_a_run_that_reaches_further_back_makes_more_known() -> None:
    known = new(4, 3)
    known.apply(changed(4, 5, 3, (1, 5)))
    known.apply(changed(1, 4, 3, (1, 2), (3, 3), (2, 4)))
    assert numbers(known.since(1)) == [(3, 3), (2, 4), (1, 5)], "each comment in its latest state"
    assert known.since(0) is None
    assert (known.version, known.count) == (5, 3)


def test_a_run_that_reaches_further_in_both_directions_is_taken_whole() -> None:
    known = new(4, 3)
    known.apply(posted(5))
    run = changed(2, 6, 6, (3, 3), (4, 4), (5, 5), (6, 6))
    known.apply(run)
    assert known.since(2) == run


def test_a_run_that_ends_before_what_is_known_makes_nothing_known() -> None:
    known = new(4)
    known.apply(changed(0, 3, 3, (1, 1), (2, 2), (3, 3)))
    assert [known.since(version) for version in range(4)] == [None] * 4
    assert not known.gap


# What is forgotten


def test_the_oldest_changes_are_forgotten_beyond_a_number() -> None:
    known = new()
    for version in range(1, CATCH_UP + 1):
        known.apply(posted(version))
        known.trim()
    assert (len(numbers(known.since(0))), known.full) == (CATCH_UP, False)
    known.apply(posted(CATCH_UP + 1))
    assert known.since(0) is not None, "until every reader has it"
    known.trim()
    assert known.full
    assert known.since(0) is None
    assert len(numbers(known.since(1))) == CATCH_UP


def test_comments_count_not_versions() -> None:
    known = new()
    for version in range(1, 5 * CATCH_UP):
        known.apply(changed(version - 1, version, 1, (1, version)))
        known.trim()
    assert numbers(known.since(0)) == [(1, 5 * CATCH_UP - 1)]
    assert not known.full


def test_the_oldest_changes_are_forgotten_beyond_a_size() -> None:
    known = new()
    size = posted(10, 1000).size
    for version in range(1, 201):
        known.apply(posted(version, 1000))
        known.trim()
    oldest = next(version for version in range(201) if known.since(version))
    kept = known.since(oldest)
    assert kept
    assert CATCH_UP_BYTES - 2 * size < kept.size <= CATCH_UP_BYTES
    assert known.full


def test_size_is_that_of_the_latest_states() -> None:
    known = new()
    for version in range(1, 1000):
        known.apply(Run.of(version - 1, version, 1, [comment(1, version, 50_000)]))
        known.trim()
    known.apply(Run.of(999, 1000, 0, [gone(1, 1000)]))
    assert numbers(known.since(0)) == [(1, 1000)]
    assert not known.full


def test_what_is_larger_than_all_that_may_be_kept_is_told_and_then_forgotten() -> None:
    known, run = new(), posted(1, 2 * CATCH_UP_BYTES)
    known.apply(run)
    assert known.since(0) == run
    known.trim()
    assert known.since(0) is None
    assert known.since(1) == Run(1, 1, 1)
    known.apply(posted(2))
    assert known.since(1) == posted(2)


def test_what_was_forgotten_can_be_read_again() -> None:
    known = new()
    for version in range(1, CATCH_UP + 11):
        known.apply(posted(version))
    known.trim()
    known.apply(changed(5, CATCH_UP, CATCH_UP, *((version, version) for version in range(6, CATCH_UP + 1))))
    assert numbers(known.since(5)) == [(version, version) for version in range(6, CATCH_UP + 11)]
    known.trim()
    assert known.since(9) is None
    assert known.since(10) is not None


# Any history, heard in any way


class History:
    """A thread as the store has it: every version published one comment, took it away, or changed only the state."""

    def __init__(self, changed: list[int | None]) -> None:
        self.changed = changed  # the number that each version from 1 on published or took away
        self.version = len(changed)
        self.between = cache(self._between)

    def _between(self, from_: int, to: int) -> Run:
        """What happened in (from, to], as a hint or a read of the store tells it."""
        latest = {no: version for version, no in enumerate(self.changed[:to], 1) if no is not None and version > from_}
        comments = [self.comment(no, version) for no, version in sorted(latest.items(), key=lambda item: item[1])]
        thread = self.thread(to) if None in self.changed[from_:to] else UNSET
        return Run.of(from_, to, self.count(to), comments, thread)

    def comment(self, no: int, version: int) -> Comment:
        """A comment as it is at a version: there after each odd change."""
        there = self.changed[:version].count(no) % 2
        return comment(no, version) if there else gone(no, version)

    def count(self, to: int) -> int:
        """How many comments are there at a version."""
        return sum(times % 2 for no, times in Counter(self.changed[:to]).items() if no is not None)

    def state_version(self, to: int) -> int:
        """The version up to another at which the state last changed."""
        return max((version for version in range(1, to + 1) if self.changed[version - 1] is None), default=0)

    def thread(self, to: int) -> Thread:
        """The thread's state at a version."""
        return Thread("open", self.state_version(to))

    def ledger(self, at: int) -> Ledger:
        """What a room begins with."""
        return Ledger(EPOCH, at, self.count(at), self.thread(at), self.state_version(at))


TRIM, EXPECT = "trim", "expect"
Step = tuple[int, int] | str

histories = st.lists(st.none() | st.integers(1, 8), min_size=1, max_size=20).map(History)


@st.composite
def cases(draw: st.DrawFn) -> tuple[History, int, list[Step]]:
    """A history, where a ledger begins in it, and runs of it in any order, doubled, overlapping, or missing."""
    history = draw(histories)
    bound = st.integers(0, history.version)
    runs = st.tuples(bound, bound).map(lambda pair: (min(pair), max(pair)))
    next_ = st.integers(1, history.version).map(lambda version: (version - 1, version))
    steps = draw(st.lists(runs | next_ | next_ | st.sampled_from([TRIM, EXPECT]), max_size=50))
    return history, draw(bound), steps


@st.composite
def complete(draw: st.DrawFn) -> tuple[History, int, list[Step]]:
    """The same, where all that is needed comes at some time."""
    history, at, steps = draw(cases())
    cuts = draw(st.sets(st.integers(at + 1, history.version), max_size=20)) if at < history.version else set[int]()
    bounds = sorted({at, *cuts, history.version})
    needed = list(pairwise(bounds))
    others = [step for step in steps if step != EXPECT][: HELD - len(needed)]
    return history, at, draw(st.permutations([*needed, *others]))


def take(known: Ledger, history: History, step: Step) -> None:
    match step:
        case "trim":
            known.trim()
        case "expect":
            known.expect()
        case (int(from_), int(to)):
            known.apply(history.between(from_, to))


def check(known: Ledger, history: History) -> int:
    """All that a ledger answers is true of the history; the oldest version that it answers."""
    assert known.count == history.count(known.version)
    assert known.thread == history.thread(known.version)
    runs = {version: run for version in range(-1, history.version + 2) if (run := known.since(version))}
    oldest = min(runs)
    assert list(runs) == list(range(oldest, known.version + 1)), "every version from the oldest to now"
    for version, run in runs.items():
        truth = history.between(version, known.version)
        assert (run.from_, run.to, run.count, run.entries) == (version, truth.to, truth.count, truth.entries)
        assert run.thread in ({known.thread} if truth.thread is not UNSET else {known.thread, UNSET})
    assert runs[known.version].thread is UNSET
    return oldest


entries = st.sampled_from([0, 1, 3, CATCH_UP])
sizes = st.sampled_from([0, 150, 400, CATCH_UP_BYTES])


@settings(max_examples=400, deadline=None)
@given(cases(), entries, sizes, st.sampled_from([0, 1, 3, HELD]))
def test_whatever_is_heard_nothing_wrong_is_told(
    case: tuple[History, int, list[Step]], kept: int, size: int, held: int
) -> None:
    history, at, steps = case
    known, heard, full = history.ledger(at), list[int](), False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "CATCH_UP", kept)
        patch.setattr(ledger, "CATCH_UP_BYTES", size)
        patch.setattr(ledger, "HELD", held)
        oldest = check(known, history)
        for step in steps:
            version = known.version
            take(known, history, step)
            before, oldest = oldest, check(known, history)
            assert known.version >= version
            match step:
                case "trim":
                    full |= oldest > before
                    left = known.since(oldest)
                    assert left is not None
                    assert len(left.entries) <= kept
                    assert left.size <= size
                    assert known.version == version
                case "expect":
                    heard.clear()
                    assert (known.version, oldest) == (version, before)
                case (int(from_), int(to)):
                    heard.append(from_)
                    assert from_ > version or known.version >= to, "what continues is taken"
                    assert oldest == (from_ if from_ < before <= to else before), "as far back as it was told"
            beyond = [from_ for from_ in heard if from_ > known.version]
            assert known.gap == bool(beyond) if held == HELD else beyond or not known.gap
            assert known.full == full
        known.expect()
        known.apply(history.between(known.version, history.version))
        check(known, history)
    assert (known.version, known.gap) == (history.version, False)


@settings(max_examples=300, deadline=None)
@given(complete(), entries, sizes)
def test_all_that_is_needed_is_enough_in_any_order(case: tuple[History, int, list[Step]], kept: int, size: int) -> None:
    history, at, steps = case
    known = history.ledger(at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "CATCH_UP", kept)
        patch.setattr(ledger, "CATCH_UP_BYTES", size)
        for step in steps:
            take(known, history, step)
    check(known, history)
    assert (known.version, known.gap) == (history.version, False)


@settings(max_examples=200, deadline=None)
@given(complete())
def test_a_ledger_that_forgets_nothing_tells_all_since_it_began(case: tuple[History, int, list[Step]]) -> None:
    history, at, steps = case
    known = history.ledger(at)
    for step in steps:
        take(known, history, step)
    assert check(known, history) <= at
