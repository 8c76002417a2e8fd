"""How fast something may come: GCRA, the generic cell rate algorithm (ITU-T I.371), by a clock that its user reads."""

LEAST_SECONDS = 0.001  # a shorter wait is none


class Pace:
    """`burst` at once, then one every `cost` seconds; a cost of 0 is no limit."""

    __slots__ = ("_arrival", "_burst", "_cost")

    def __init__(self, cost: float, burst: int) -> None:
        self._cost = cost
        self._burst = burst
        self._arrival = 0.0

    def wait(self, now: float) -> float:
        """Seconds that the next one must wait; or 0, and it is counted."""
        arrival = max(self._arrival, now)
        wait = arrival + self._cost - self._burst * self._cost - now
        if wait >= LEAST_SECONDS:
            return wait
        self._arrival = arrival + self._cost
        return 0.0
