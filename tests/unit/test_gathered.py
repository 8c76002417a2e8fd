"""One question for all who ask at the same time."""

import asyncio
from collections.abc import Sequence

import pytest

from service import gathered
from service.gathered import Gathered


class Oracle:
    """Answers when it is let, with the double; to what is negative, not at all."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.let = asyncio.Event()

    async def ask(self, questions: Sequence[int]) -> list[int]:
        """Answer."""
        self.asked.append(list(questions))
        await self.let.wait()
        if min(questions) < 0:
            raise ValueError("negative")
        return [2 * each for each in questions]


async def test_who_asks_meanwhile_is_asked_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MOST", 3)
    oracle = Oracle()
    subject = Gathered(oracle.ask)
    tasks = [asyncio.create_task(subject.get(1))]
    while not oracle.asked:
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(subject.get(each)) for each in range(2, 7)]
    await asyncio.sleep(0)
    oracle.let.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10, 12]
    assert oracle.asked == [[1], [2, 3, 4], [5, 6]]


async def test_the_first_waits_a_moment_for_others() -> None:
    oracle = Oracle()
    oracle.let.set()
    subject = Gathered(oracle.ask, pause=0.05)
    first = asyncio.create_task(subject.get(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [*await asyncio.gather(first, subject.get(2))] == [2, 4]
    assert oracle.asked == [[1, 2]]


async def test_who_is_gone_disturbs_nobody_and_an_error_is_told_to_all_of_that_question() -> None:
    oracle = Oracle()
    subject = Gathered(oracle.ask)
    first, second = asyncio.create_task(subject.get(1)), asyncio.create_task(subject.get(-2))
    while not oracle.asked:
        await asyncio.sleep(0)
    third = asyncio.create_task(subject.get(3))
    first.cancel()
    await asyncio.sleep(0)
    oracle.let.set()
    with pytest.raises(ValueError, match="negative"):
        await second
    assert await third == 6
    assert await subject.get(4) == 8
