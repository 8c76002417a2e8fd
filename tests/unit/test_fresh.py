"""A fresh value: read once for all who ask, kept for a moment, and marked when it is old."""

import asyncio

import pytest

from service import fresh as fresh_module
from service.errors import NotFound, Unavailable
from service.fresh import Fresh, Seen


class Source:
    """Something to read: it answers when let go, and notes how often it was asked."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def read(self) -> object:
        """Give the next answer; the last one stays."""
        self.asked += 1
        await self.let_go.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_value_is_read_once_while_it_is_fresh() -> None:
    source = Source("one")
    fresh = Fresh(source.read, 3600)
    assert [await fresh.get() for _ in range(5)] == [Seen("one", stale=False)] * 5
    assert source.asked == 1


async def test_an_old_value_is_read_again() -> None:
    source = Source("one", "two")
    fresh = Fresh(source.read, 0)
    assert (await fresh.get()).value == "one"
    assert (await fresh.get()).value == "two"


async def test_who_asks_meanwhile_shares_the_read() -> None:
    source = Source("one")
    source.let_go.clear()
    fresh = Fresh(source.read, 3600)
    asking = [asyncio.create_task(fresh.get()) for _ in range(10)]
    while not source.asked:
        await asyncio.sleep(0)
    source.let_go.set()
    assert await asyncio.gather(*asking) == [Seen("one", stale=False)] * 10
    assert source.asked == 1


async def test_now_means_a_read_that_begins_after_the_question() -> None:
    source = Source("before", "after")
    source.let_go.clear()
    fresh = Fresh(source.read, 3600)
    first = asyncio.create_task(fresh.get())
    while not source.asked:
        await asyncio.sleep(0)
    second = asyncio.create_task(fresh.get(now=True))
    await asyncio.sleep(0)
    source.let_go.set()
    assert (await first).value == "before"
    assert (await second).value == "after"
    assert source.asked == 2


async def test_many_who_ask_for_now_share_a_read() -> None:
    source = Source("before", "after", "later", "never")
    fresh = Fresh(source.read, 3600)
    await fresh.get()
    source.let_go.clear()
    first = asyncio.create_task(fresh.get(now=True))
    while source.asked < 2:
        await asyncio.sleep(0)
    others = [asyncio.create_task(fresh.get(now=True)) for _ in range(9)]
    await asyncio.sleep(0)
    source.let_go.set()
    assert (await first).value == "after"
    assert {(await other).value for other in others} == {"later"}
    assert source.asked == 3


async def test_an_equal_value_stays_the_same_object() -> None:
    source = Source(["a"], ["a"], ["b"])
    fresh = Fresh(source.read, 0)
    first, second, third = (await fresh.get()).value, (await fresh.get()).value, (await fresh.get()).value
    assert second is first
    assert third == ["b"]


async def test_while_the_store_is_away_the_old_value_is_marked() -> None:
    source = Source("one", Unavailable(), Unavailable(), "one", "two")
    fresh = Fresh(source.read, 0)
    assert await fresh.get() == Seen("one", stale=False)
    assert await fresh.get() == Seen("one", stale=True)
    assert await fresh.get() == Seen("one", stale=True)
    assert await fresh.get() == Seen("one", stale=False)
    assert await fresh.get() == Seen("two", stale=False)


async def test_while_the_store_is_away_it_is_not_asked_more_often() -> None:
    source = Source("one", Unavailable())
    fresh = Fresh(source.read, 3600)
    await fresh.get()
    await fresh.get(now=True)
    assert (await fresh.get()).stale
    assert source.asked == 2


async def test_without_an_old_value_the_refusal_goes_through() -> None:
    fresh = Fresh(Source(Unavailable(), NotFound(), "one").read, 3600)
    with pytest.raises(Unavailable):
        await fresh.get()
    with pytest.raises(NotFound):
        await fresh.get()
    assert (await fresh.get()).value == "one"


async def test_any_other_refusal_goes_through_although_a_value_is_known() -> None:
    fresh = Fresh(Source("one", NotFound()).read, 0)
    await fresh.get()
    with pytest.raises(NotFound):
        await fresh.get()


async def test_who_goes_away_while_it_is_read_leaves_the_others_served() -> None:
    source = Source("one")
    source.let_go.clear()
    fresh = Fresh(source.read, 3600)
    first, second = asyncio.create_task(fresh.get()), asyncio.create_task(fresh.get())
    while not source.asked:
        await asyncio.sleep(0)
    first.cancel()
    source.let_go.set()
    assert (await second).value == "one"


async def test_a_store_that_does_not_answer_is_waited_for_only_where_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fresh_module, "PATIENCE", 0.01)
    source = Source("one", "two")
    fresh = Fresh(source.read, 0)
    source.let_go.clear()
    first = asyncio.create_task(fresh.get())
    while not source.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert not first.done()
    source.let_go.set()
    assert await first == Seen("one", stale=False)
    source.let_go.clear()
    assert await fresh.get() == Seen("one", stale=True)
    source.let_go.set()
    assert await fresh.get() == Seen("two", stale=False)
