"""What a million readers of one thread take: a simulation with costs that were measured, `python -m bench.million`.

Comments come at random moments (Poisson). The worker that commits one publishes it; Redis passes it on to one worker
after another; each worker writes it to its readers, one after another, and then pauses as `service.rooms.room` does:
what came meanwhile goes out together.
"""

import random
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.rooms.room import SOON_SECONDS, pause

READERS = 1_000_000
SECONDS = 60.0


class Costs(NamedTuple):
    """Seconds and bytes, from docs/performance.md."""

    delivery: float = 8.5e-6  # of a worker, for a write to one reader
    comment: float = 1.4e-3  # of a worker, for a comment however many read it
    commit: float = 3e-3  # from the author's sending until a worker has it committed
    hint: float = 20e-6  # of Redis, to pass a hint on to one worker
    size: int = 360  # bytes on the wire for a comment


class Worker(NamedTuple):
    """How one worker fares: busy part of its time, frames for each comment, latencies of its readers."""

    busy: float
    frames: float
    latencies: list[float]


def arrivals(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    """Moments at which comments are sent."""
    moment = chance.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += chance.expovariate(rate)


def work(sent: Sequence[float], delay: float, readers: int, costs: Costs, seconds: float = SECONDS) -> Worker:
    """One worker, `delay` seconds after the authors, with so many readers."""
    latencies, busy, frames, free, quiet, place = [], 0.0, 0, 0.0, 0.0, 0
    while place < len(sent):
        start = max(sent[place] + delay + SOON_SECONDS, free, quiet)
        first = place
        while place < len(sent) and sent[place] + delay <= start:
            place += 1
        prepared = start + (place - first) * costs.comment
        took = readers * costs.delivery
        free = prepared + took
        quiet = free + pause(took, place - first)
        busy += free - start
        frames += 1
        for moment in sent[first:place]:
            latencies += [prepared + took * part / 20 - moment for part in range(1, 21)]
    return Worker(busy / seconds, frames / max(1, len(sent)), latencies)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which so many hundredths lie."""
    return statistics.quantiles(values, n=100)[round(part) - 1]


def main() -> None:
    """Print a table: comments a second, readers on a worker, what it takes."""
    costs = Costs()
    print("comments/s  readers/worker  workers  busy  p50 ms  p99 ms  Redis busy  Gbit/s in all  of a worker")
    for rate in (1, 5, 20, 50):
        sent = list(arrivals(rate, SECONDS, random.Random(1)))  # noqa: S311 - to be repeated
        for readers in (2000, 5000, 10_000, 20_000):
            workers = READERS // readers
            last = work(sent, costs.commit + workers * costs.hint, readers, costs)
            gigabits = len(sent) / SECONDS * READERS * costs.size * 8 / 1e9
            print(
                f"{rate:10} {readers:15,} {workers:8} {last.busy:5.0%} {percentile(last.latencies, 50) * 1e3:7.0f}"
                f" {percentile(last.latencies, 99) * 1e3:7.0f} {rate * workers * costs.hint:11.1%}"
                f" {gigabits:14.1f} {gigabits / workers:12.2f}"
            )


if __name__ == "__main__":
    main()
