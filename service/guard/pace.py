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
        wait = self.left(now)
        if not wait:
            self.count(now)
        return wait

    def left(self, now: float, number: int = 1) -> float:
        """Seconds that so many together must wait; of more than a burst, as long as a burst."""
        wait = max(self._arrival, now) + (min(number, self._burst) - self._burst) * self._cost - now
        return wait if wait >= LEAST_SECONDS else 0.0

    def count(self, now: float, number: int = 1) -> None:
        """So many came together."""
        self._arrival = max(self._arrival, now) + min(number, self._burst) * self._cost
