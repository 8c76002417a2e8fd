"""The pace of one socket or address: a burst, then one at a time."""

import pytest

from service.guard.pace import Pace


def let_through(pace: Pace, now: float, tries: int) -> int:
    return sum(not pace.wait(now) for _ in range(tries))


def test_a_burst_passes_whole_and_then_one_at_a_time() -> None:
    pace = Pace(0.1, 100)
    assert let_through(pace, 1000.0, 500) == 100
    assert pace.wait(1000.0) == pytest.approx(0.1)
    assert pace.wait(1000.05) == pytest.approx(0.05)
    assert let_through(pace, 1000.1, 5) == 1
    assert let_through(pace, 1001.1, 50) == 10
    assert let_through(pace, 2000.0, 500) == 100


def test_who_keeps_the_pace_never_waits() -> None:
    pace = Pace(0.1, 1)
    assert not any(pace.wait(1000 + number * 0.1) for number in range(1000))


def test_being_refused_costs_nothing() -> None:
    pace = Pace(1, 1)
    pace.wait(0.0)
    assert [pace.wait(0.5) for _ in range(3)] == [0.5] * 3
    assert pace.wait(1.0) == 0


def test_a_cost_of_zero_is_no_limit() -> None:
    assert let_through(Pace(0, 1), 0.0, 10_000) == 10_000
