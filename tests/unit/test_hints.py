"""Hints: what a worker tells the others of a commit, so small that no subscriber is cut off for it."""

import datetime
from itertools import pairwise
from typing import cast

import pytest

from service import protocol
from service.bus import Bus
from service.crowd import Crowd
from service.protocol import Comment, Epoch, Thread, ThreadId
from service.rooms import Rooms
from service.run import PIECE, Run
from service.store.comments import Comments

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
EPOCH, THREAD = Epoch("e.1"), ThreadId(1)


class Told(list[tuple[ThreadId, Epoch, Run]]):
    """A bus that takes down what it is to tell."""

    def publish(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Take it down."""
        self.append((thread, epoch, run))


def hints(run: Run) -> list[Run]:
    """What others are told of a run, when it was committed here."""
    told = Told()
    Rooms(cast("Comments", None), cast("Bus", told), cast("Crowd", None)).committed(THREAD, EPOCH, run)
    assert {(thread, epoch) for thread, epoch, _ in told} == {(THREAD, EPOCH)}
    return [run for _, _, run in told]


def posted(from_: int, *sizes: int) -> Run:
    comments = [
        Comment(no, no, AT, by="Anonymous", html="x" * size, quotes=()) for no, size in enumerate(sizes, from_ + 1)
    ]
    return Run.of(from_, from_ + len(sizes), from_ + len(sizes), comments)


@pytest.mark.parametrize(
    "run", [posted(7, 10), posted(7, 10, 20, 30), Run(7, 7, 3), Run(7, 8, 3, (), Thread("closed"))], ids=str
)
def test_others_are_told_all_of_a_commit(run: Run) -> None:
    assert hints(run) == [run]


def test_a_large_commit_is_told_in_pieces_that_continue_each_other() -> None:
    run = posted(7, *(3000,) * 40)
    told = hints(run)
    assert told == run.pieces()
    assert (told[0].from_, told[-1].to) == (7, 47)
    assert all(before.to == after.from_ for before, after in pairwise(told))
    assert max(len(protocol.encode(hint.message())) for hint in told) <= PIECE


@pytest.mark.parametrize("size", [PIECE, 100_000])
def test_of_a_comment_larger_than_a_piece_only_the_position_is_told(size: int) -> None:
    assert hints(posted(7, 10, size, 10)) == [posted(7, 10), Run(9, 9, 9), posted(9, 10)]


@pytest.mark.parametrize("size", [PIECE - 1000, PIECE - 200])
def test_no_hint_is_much_larger_than_a_piece(size: int) -> None:
    (hint,) = hints(posted(7, size))
    assert hint == posted(7, size)
    assert len(protocol.encode(hint.message())) < PIECE + 512
