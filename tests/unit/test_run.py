"""Runs: each comment encoded once, and a long run cut so that every message is small and none is missing."""

import datetime
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from service import protocol
from service.protocol import MAX_INTEGER, Comment, Epoch, Joined, Mode, Thread
from service.run import ENVELOPE, PIECE, Entry, Run

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CLOSED = Thread("closed", MAX_INTEGER)
MODES: tuple[Mode, ...] = ("live", "catchup", "reset")


def shown(no: int, version: int, size: int = 1) -> Comment:
    return Comment(no, version, AT, by="Anonymous", html="x" * size, quotes=())


def gone(no: int, version: int) -> Comment:
    return Comment(no, version, AT, gone="retracted")


def joined(run: Run, mode: Mode = "catchup") -> Joined:
    """The longest `joined` that there is, with a run's comments."""
    return Joined(Epoch("e" * 40), MAX_INTEGER, MAX_INTEGER, mode, run.comments, CLOSED, MAX_INTEGER)


class Told:
    """A run as it happened: the versions and counts of all its steps, of which some changed only the state."""

    def __init__(self, start: int, count: int, steps: list[int | None], thread: Thread | UnsetType) -> None:
        """`steps`: the size of a new comment, -1 for the retraction of one known before, None for another change."""
        growth = [0 if step is None else -1 if step < 0 else 1 for step in steps]
        self.counts = dict(enumerate(accumulate(growth, initial=count), start))
        comments = [
            gone(version, version) if step < 0 else shown(version, version, step)
            for version, step in enumerate(steps, start + 1)
            if step is not None
        ]
        end = start + len(steps)
        self.run = Run.of(start, end, self.counts[end], comments, thread)


sizes = st.integers(0, 300) | st.integers(0, 9000) | st.sampled_from([PIECE - 700, PIECE, 2 * PIECE])
threads = st.sampled_from([UNSET, CLOSED])


def told(steps: st.SearchStrategy[int | None]) -> st.SearchStrategy[Told]:
    return st.builds(Told, st.integers(0, 10**6), st.integers(60, 10**6), st.lists(steps, max_size=60), threads)


# What a run is


def test_an_entry_tells_of_its_comment_what_workers_need() -> None:
    here, away = Entry.of(shown(7, 12)), Entry.of(gone(8, 13))
    assert (here.no, here.version, here.gone) == (7, 12, False)
    assert (away.no, away.version, away.gone) == (8, 13, True)
    assert here.json == protocol.encode(shown(7, 12))
    assert here.size == len(here.json) + 1


def test_a_message_holds_the_comments_as_they_are_encoded() -> None:
    run = Run.of(11, 13, 5, [shown(7, 12), gone(8, 13)], Thread("held"))
    first, second = protocol.encode(shown(7, 12)).decode(), protocol.encode(gone(8, 13)).decode()
    assert protocol.encode(run.message()).decode() == (
        f'{{"type":"changes","from":11,"to":13,"count":5,"comments":[{first},{second}],'
        '"thread":{"state":"held","slow":0}}'
    )
    assert run.size == len(first) + len(second) + 2


def test_a_log_line_of_a_run_holds_its_versions_alone() -> None:
    assert f"{Run.of(11, 13, 5, [shown(7, 12)])}" == "(11, 13]"


# To other workers and back


@settings(deadline=None)
@given(told(st.none() | st.integers(-1, 300)))
def test_what_another_worker_reads_is_what_was_written(case: Told) -> None:
    assert Run.read(protocol.encode(case.run.message())) == case.run


def test_a_run_is_read_whatever_else_it_holds() -> None:
    comment = b'{"no":1,"later":[{}],"version":1,"gone":"a word of a later release"}'
    run = Run.read(
        b'{"later":[1],"type":"changes","from":0,"to":1,"count":0,"comments":[' + comment + b'],"thread":'
        b'{"state":"open","slow":3,"later":null}}'
    )
    assert run == Run(0, 1, 0, (Entry(1, 1, gone=True, json=comment),), Thread("open", 3))
    assert comment in protocol.encode(run.message()), "and is passed on with it"


HEAD = b'{"type":"changes","from":0,"to":1,"count":0,'


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"not json",
        HEAD + b'"comments":[]',
        HEAD + b'"comments":[]} trailing',
        HEAD + b'"comments":null}',
        HEAD + b'"comments":[1]}',
        HEAD + b'"comments":[null]}',
        HEAD + b'"comments":[{"no":1}]}',
        HEAD + b'"comments":[{"no":0,"version":1}]}',
        HEAD + b'"comments":[{"no":1,"version":-1}]}',
        HEAD + b'"comments":[{"no":"1","version":1}]}',
        HEAD + b'"comments":[{"no":1,"version":1,"gone":null}]}',
        HEAD + b'"comments":[],"thread":{"state":"ajar"}}',
        b'{"type":"changes","from":-1,"to":1,"count":0,"comments":[]}',
        b'{"type":"changes","from":0,"to":9007199254740992,"count":0,"comments":[]}',
        b'{"type":"changes","from":0,"to":1,"comments":[]}',
        b'{"type":"ping","epoch":"e.1","version":1}',
    ],
    ids=lambda junk: repr(junk[-40:]),
)
def test_what_is_no_run_is_not_read(junk: bytes) -> None:
    with pytest.raises(msgspec.DecodeError) as refused:
        Run.read(junk)
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize("nested", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000], ids=["open", "closed"])
def test_what_is_nested_too_deeply_is_not_read(nested: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        Run.read(HEAD + b'"x":' + nested + b',"comments":[]}')


# Pieces


@pytest.mark.parametrize("run", [Run(3, 3, 9), Run(3, 9, 2, (), CLOSED), Run.of(3, 4, 1, [shown(1, 4)])], ids=str)
def test_a_short_run_is_one_piece_as_it_is(run: Run) -> None:
    assert run.pieces() == [run]


def test_a_comment_that_is_larger_than_a_piece_goes_alone() -> None:
    run = Run.of(0, 4, 4, [shown(1, 1), shown(2, 2, 2 * PIECE), shown(3, 3), shown(4, 4)])
    assert [[entry.no for entry in piece.entries] for piece in run.pieces()] == [[1], [2], [3, 4]]


@settings(deadline=None)
@given(told(st.none() | st.just(-1) | sizes))
def test_pieces_continue_each_other_and_miss_nothing(case: Told) -> None:
    run, pieces = case.run, case.run.pieces()
    assert (pieces[0].from_, pieces[-1].to) == (run.from_, run.to)
    assert all(before.to == after.from_ for before, after in pairwise(pieces))
    assert tuple(entry for piece in pieces for entry in piece.entries) == run.entries
    assert all(piece.from_ < entry.version <= piece.to for piece in pieces for entry in piece.entries)
    assert all(piece.entries for piece in pieces) or pieces == [run]


@settings(deadline=None)
@given(told(st.none() | st.just(-1) | sizes))
def test_a_piece_fits_its_message_whatever_kind_that_is_and_is_as_large_as_may_be(case: Told) -> None:
    pieces = case.run.pieces()
    for piece in pieces:
        messages = [piece.message(), *(joined(piece, mode) for mode in MODES)]
        assert len(piece.entries) <= 1 or max(len(protocol.encode(message)) for message in messages) <= PIECE
    for piece, after in pairwise(pieces):
        assert piece.size + after.entries[0].size > PIECE - ENVELOPE, "the next comment did not fit"


def test_the_longest_envelopes_are_within_their_allowance() -> None:
    nothing = Run(MAX_INTEGER, MAX_INTEGER, MAX_INTEGER, (), CLOSED)
    for message in (nothing.message(), *(joined(nothing, mode) for mode in MODES)):
        assert len(protocol.encode(message)) < ENVELOPE


@settings(deadline=None)
@given(told(sizes) | told(st.none() | st.just(-1) | sizes))
def test_each_piece_tells_the_count_at_its_end(case: Told) -> None:
    """Where each comment changed once in the run: published, or retracted when it had been published before."""
    for piece in case.run.pieces():
        assert piece.count == case.counts[piece.to]


@settings(deadline=None)
@given(told(st.none() | st.just(-1) | sizes))
def test_the_threads_state_comes_with_every_piece(case: Told) -> None:
    assert {piece.thread for piece in case.run.pieces()} == {case.run.thread}


def test_a_comment_that_came_and_went_in_one_run_leaves_the_last_count_right() -> None:
    """Between, it may be counted a little too early: readers who never saw it see it as gone."""
    run = Run.of(0, 4, 2, [shown(1, 1, PIECE), shown(3, 3, PIECE), gone(2, 4)])
    assert [piece.count for piece in run.pieces()][-1] == 2
    assert all(piece.count >= 0 for piece in run.pieces())
