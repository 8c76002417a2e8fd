"""What a page says of a window: how much stands before it, and who answers whom."""

import datetime

import pytest

from service.paper import Parts
from service.protocol import Comment, CommentNo, Epoch, Thread, Version, Window
from service.store.articles import Article

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ARTICLE = Article(*[None] * len(Article._fields))  # type: ignore[arg-type]  # nothing of it matters here


def comment(no: int, *quotes: int) -> Comment:
    return Comment(CommentNo(no), Version(no), AT, by="Anonymous", html="", quotes=quotes)


def gone(no: int) -> Comment:
    return Comment(CommentNo(no), Version(no), AT, gone="removed")


def parts(*comments: Comment, count: int = 0, earlier: bool = False, later: bool = False) -> Parts:
    return Parts(ARTICLE, Window(Epoch("e"), Version(9), count, Thread("open"), comments, earlier, later))


@pytest.mark.parametrize(
    ("earlier", "later", "before"),
    [(True, False, 98), (False, False, 0), (False, True, 0), (True, True, None)],
)
def test_what_stands_before_is_known_where_the_window_reaches_an_end(
    *, earlier: bool, later: bool, before: int | None
) -> None:
    assert parts(comment(5), gone(6), comment(7), count=100, earlier=earlier, later=later).earlier == before


def test_nothing_stands_before_where_there_is_no_thread() -> None:
    assert Parts(ARTICLE, None).earlier is None
    assert Parts(ARTICLE, None).answers == {}


def test_the_answers_to_a_comment_are_those_that_quote_it() -> None:
    window = parts(comment(5), comment(6, 5, 3), gone(7), comment(8, 5), comment(9))
    assert window.answers == {5: [6, 8], 3: [6]}
