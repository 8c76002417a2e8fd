"""The ledger: whatever is heard, in whatever order, each change is taken once and in order."""

import datetime
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from service import ledger
from service.ledger import RING, Gap, Ledger
from service.protocol import Changes, Comment, Epoch, Thread

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
OPEN = Thread("open")


def comment(no: int, version: int) -> Comment:
    return Comment(no, version, AT, by="Anonymous", html=f"<p>{version}</p>", quotes=())


class History:
    """A thread as the store has it: every version changed one comment, or only the thread's state."""

    def __init__(self, changed: list[int | None]) -> None:
        self.changed = changed  # the number that each version from 1 on changed
        self.version = len(changed)

    def between(self, from_: int, to: int) -> Changes:
        """What happened in (from, to], as a hint or a read of the store tells it."""
        latest: dict[int, Comment] = {}
        state: Thread | None = None
        for version in range(from_ + 1, to + 1):
            no = self.changed[version - 1]
            if no is None:
                state = Thread("open", version)
            else:
                latest.pop(no, None)
                latest[no] = comment(no, version)
        return Changes(from_, to, len(self.numbers(to)), tuple(latest.values()), state or UNSET)

    def numbers(self, to: int) -> set[int]:
        """The comments that exist at a version."""
        return {no for no in self.changed[:to] if no is not None}

    def thread(self, to: int) -> Thread:
        """The thread's state at a version."""
        states = [version for version in range(1, to + 1) if self.changed[version - 1] is None]
        return Thread("open", states[-1]) if states else OPEN


def new(version: int = 0) -> Ledger:
    return Ledger(Epoch("e.1"), version, 0, OPEN)


def test_what_follows_is_taken_as_it_is() -> None:
    known, changes = new(), Changes(0, 1, 1, (comment(1, 1),))
    assert known.apply(changes) is changes
    assert (known.version, known.count) == (1, 1)


def test_what_is_known_is_dropped() -> None:
    known = new()
    known.apply(Changes(0, 2, 2, (comment(1, 1), comment(2, 2))))
    assert known.apply(Changes(0, 2, 2, (comment(1, 1), comment(2, 2)))) is None
    assert known.apply(Changes(0, 1, 99, (comment(1, 1),))) is None
    assert known.apply(Changes(2, 2, 99, ())) is None
    assert (known.version, known.count) == (2, 2)


def test_of_what_overlaps_only_the_new_part_is_taken() -> None:
    known = new()
    known.apply(Changes(0, 2, 2, (comment(1, 1), comment(2, 2))))
    taken = known.apply(Changes(1, 3, 3, (comment(2, 2), comment(3, 3)), Thread("held")))
    assert taken == Changes(2, 3, 3, (comment(3, 3),), Thread("held"))
    assert known.thread == Thread("held")


def test_a_gap_is_said_and_nothing_is_taken() -> None:
    known = new()
    with pytest.raises(Gap):
        known.apply(Changes(1, 2, 2, (comment(2, 2),)))
    assert (known.version, known.count, known.since(0)) == (0, 0, ())


def test_a_state_that_is_not_told_stays() -> None:
    known = new()
    known.apply(Changes(0, 1, 0, (), Thread("closed")))
    known.apply(Changes(1, 2, 0, ()))
    assert known.thread == Thread("closed")


def test_since_gives_each_comment_once_in_its_latest_state() -> None:
    known = new()
    known.apply(Changes(0, 2, 2, (comment(1, 1), comment(2, 2))))
    known.apply(Changes(2, 3, 2, (comment(1, 3),)))
    assert known.since(0) == (comment(2, 2), comment(1, 3))
    assert known.since(2) == (comment(1, 3),)
    assert known.since(3) == ()


def test_since_knows_what_it_can_not_know() -> None:
    known = new(10)
    assert known.since(9) is None
    assert known.since(11) is None
    assert known.since(10) == ()


def test_the_ring_forgets_the_oldest_and_says_so() -> None:
    known = new()
    for version in range(1, RING + 6):
        known.apply(Changes(version - 1, version, version, (comment(version, version),)))
    assert known.since(4) is None
    assert known.since(5) == tuple(comment(version, version) for version in range(6, RING + 6))


def test_the_ring_holds_comments_not_versions() -> None:
    known = new()
    for version in range(1, 5 * RING):
        known.apply(Changes(version - 1, version, 1, (comment(1, version),)))
    assert known.since(0) == (comment(1, 5 * RING - 1),)


def test_a_change_larger_than_the_ring_is_taken_whole() -> None:
    known = new()
    changes = Changes(0, 3 * RING, 1, tuple(comment(version, version) for version in range(1, 3 * RING + 1)))
    assert known.apply(changes) is changes
    assert known.since(2 * RING) == changes.comments[2 * RING :]
    assert known.since(2 * RING - 1) is None


histories = st.lists(st.none() | st.integers(1, 8), min_size=1, max_size=30).map(History)


@st.composite
def heard(draw: st.DrawFn) -> tuple[History, list[tuple[int, int]]]:
    """A history, and hints of it in any order, doubled, overlapping, or missing."""
    history = draw(histories)
    bound = st.integers(0, history.version)
    hints = draw(st.lists(st.tuples(bound, bound).map(lambda pair: (min(pair), max(pair))), max_size=40))
    return history, hints


def run(history: History, hints: list[tuple[int, int]], known: Ledger) -> Iterator[Changes]:
    """Hear every hint, with a repair at each gap and one at the end; what a reader gets."""
    for from_, to in [*hints, (history.version + 1, history.version + 1)]:
        try:
            hint = history.between(from_, to) if to <= history.version else Changes(from_, to + 1, 0, ())
            taken = known.apply(hint)
        except Gap:
            taken = known.apply(history.between(known.version, max(known.version, min(to, history.version))))
        if taken is not None:
            yield taken


@settings(max_examples=300)
@given(heard(), st.integers(0, 30), st.sampled_from([1, 3, RING]))
def test_any_hints_with_repairs_converge(case: tuple[History, list[tuple[int, int]]], start: int, ring: int) -> None:
    history, hints = case
    start = min(start, history.version)
    known = Ledger(Epoch("e.1"), start, len(history.numbers(start)), history.thread(start))
    page = {no: version for version, no in enumerate(history.changed[:start], 1) if no is not None}
    told, seen = start, set[tuple[int, int]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "RING", ring)
        for taken in run(history, hints, known):
            assert taken.from_ == told < taken.to, "a contiguous run"
            versions = [item.version for item in taken.comments]
            assert versions == sorted(set(versions)), "in order, each once"
            assert all(taken.from_ < version <= taken.to for version in versions)
            for item in taken.comments:
                assert (item.no, item.version) not in seen
                seen.add((item.no, item.version))
                page[item.no] = item.version
            told = taken.to
    assert told == known.version == history.version
    assert page == {no: version for version, no in enumerate(history.changed, 1) if no is not None}
    assert known.count == len(history.numbers(history.version))
    assert known.thread == history.thread(history.version)
    for version in range(history.version + 1):
        missed = known.since(version)
        if missed is not None:
            assert missed == history.between(version, history.version).comments
    assert known.since(history.version) == ()
