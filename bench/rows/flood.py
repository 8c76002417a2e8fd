"""What readers and moderators notice of a flood."""

import asyncio
import time
from collections.abc import Iterator, Sequence

import msgspec

from bench import author, poster
from bench.crowd import Crowd, Seen
from bench.desk import Desk
from bench.poster import Poster
from bench.process import Broken
from bench.report import Budget, Report
from bench.servers import Afterword

READERS = 2000
RATE, COMMENTS = 20, 400  # of ordinary authors, a second and in all
WARM = 40  # comments before them, not measured: the first ones on a connection cost the kernel half as much again
FLOOD, ADDRESSES = 500, 200  # posts a second, and where they come from
ONSET = 60  # comments of ordinary authors while the flood begins
WAITING = 300  # held comments
LOOKS = 20  # at the desk
SETTLE = 1.0  # seconds after readers came
# One comment a minute of each address, so that the flood adds next to nothing to what readers get: what is measured is
# what refusing costs. No other limit: where a thread asks more of everybody, its authors are held up.
SETTINGS = {"WORKERS": "2", "POSTS_PER_MINUTE": "1", "THREAD_POSTS_PER_MINUTE": "0", "SURGE_POSTS_PER_MINUTE": "0"}


class Flooded(msgspec.Struct, frozen=True):
    """Ordinary comments brought to readers, and milliseconds that the desk took at most, before and in a flood."""

    quiet: Seen
    onset: Seen
    flooded: Seen
    quiet_desk_ms: float
    desk_ms: float
    per_second: float
    refused: float

    @property
    def ratio(self) -> float:
        """The p99 of readers in the flood, beside that before."""
        return self.flooded.p99_ms / self.quiet.p99_ms


def flood(report: Report) -> None:
    """2,000 readers of one thread, 20 comments a second: quiet, then the same in a flood of 500 posts a second."""
    start = {"Afterword": lambda: Afterword(["measured", "waiting"], **SETTINGS)}
    rounds = report.side_by_side("flood", start, lambda server: asyncio.run(_measure(server, report)))
    found = [r["Afterword"] for r in rounds]
    report.add("flood", "until a reader has it, p99, in the flood / quiet", [f.ratio for f in found], Budget(1.5))
    report.add("flood", "the same in ms, quiet", [f.quiet.p99_ms for f in found])
    report.add("flood", "the same, in the flood", [f.flooded.p99_ms for f in found])
    report.add("flood", "the same, while it begins, with one comment of each", [f.onset.p99_ms for f in found])
    report.add("flood", f"the desk, the slowest of {LOOKS}, ms, quiet", [f.quiet_desk_ms for f in found])
    report.add("flood", "the same, in the flood", [f.desk_ms for f in found])
    report.add("flood", "posts of the flood a second", [f.per_second for f in found])
    report.add("flood", "of them refused, once each address is at its limit", [f.refused for f in found])


async def _measure(server: Afterword, report: Report) -> Flooded:
    steady, onset, rate = (max(5, report.scaled(each)) for each in (WARM + COMMENTS, ONSET, FLOOD))
    thread, desk = server.path.removesuffix("/live"), Desk(server)
    await _fill(server, desk, max(5, report.scaled(WAITING)))
    readers = report.scaled(READERS)
    with poster.posters(server.port, thread, 1, 2 * steady + onset) as authors:
        quiet, quiet_desk = await _steady(server, readers, authors[:steady], desk)
        crowd = await _readers(server, readers, onset)
        with poster.posters(server.port, thread, 2, report.scaled(ADDRESSES)) as flooders:
            begun = time.monotonic()
            async with poster.flooding(flooders, rate):
                first = await _heard(crowd, authors[steady:-steady])
                await poster.refused(flooders)
                before = poster.answered(flooders)
                flooded, flooded_desk = await _steady(server, readers, authors[-steady:], desk)
                answers = poster.answered(flooders)
                per_second = answers.total() / (time.monotonic() - begun)
    if per_second < 0.9 * rate:
        raise Broken(f"the flood was one of {per_second:.0f} posts a second instead of {rate}")
    since = answers - before
    return Flooded(quiet, first, flooded, quiet_desk, flooded_desk, per_second, 1 - since[201] / since.total())


async def _fill(server: Afterword, desk: Desk, count: int) -> None:
    """Let the comments of another thread wait at the desk."""
    desk.post("/desk/threads", "hold waiting")
    with poster.posters(server.port, "/articles/waiting", 3, count) as authors:
        await _say(authors, poster.texts(), rate=1000)


async def _readers(server: Afterword, count: int, comments: int) -> Crowd:
    seconds = 3 * comments / RATE + 20
    crowd = await asyncio.to_thread(Crowd, server.port, [server.path], count, marks=comments, seconds=seconds)
    await asyncio.sleep(SETTLE)
    return crowd


async def _steady(server: Afterword, readers: int, authors: Sequence[Poster], desk: Desk) -> tuple[Seen, float]:
    """How ordinary comments come to readers who have heard some, and how long the desk takes meanwhile."""
    warm = len(authors) * WARM // (WARM + COMMENTS)
    comments = len(authors) - warm
    crowd = await _readers(server, readers, comments)
    await _say(authors[:warm], iter(poster.unlike, ""))
    return await asyncio.gather(_heard(crowd, authors[warm:]), _look(desk, comments))


async def _heard(crowd: Crowd, authors: Sequence[Poster]) -> Seen:
    """Have each say an ordinary comment; how they came to the readers.

    Of their order nothing is known: each has its own way in.
    """
    await _say(authors, poster.texts())
    seen = await asyncio.to_thread(crowd.seen)
    if seen.marks != seen.readers * len(authors) or seen.closed:
        raise Broken(f"{seen.marks} of {seen.readers * len(authors)} came; {seen.closed} readers lost")
    return seen


async def _say(authors: Sequence[Poster], texts: Iterator[str], rate: float = RATE) -> None:
    """Have each say something, and wait until all of it stands."""
    await author.paced(rate, len(authors), [each.say for each in authors], texts)
    await poster.stand(authors)


async def _look(desk: Desk, comments: int) -> float:
    """Look at the desk now and then while so many comments come: the most milliseconds that it took."""
    slowest = 0.0
    for _ in range(LOOKS):
        begun = time.perf_counter()
        await asyncio.to_thread(desk.get)
        slowest = max(slowest, time.perf_counter() - begun)
        await asyncio.sleep(comments / RATE / LOOKS)
    return slowest * 1000
