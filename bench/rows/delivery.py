"""What it costs to bring a comment to its readers, and how long it takes."""

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from bench import author
from bench.crowd import Crowd, Seen
from bench.process import TICK, Broken
from bench.report import Budget, Line, Plot, Point, Report
from bench.servers import Afterword, Server, peers

SETTLE = 1.0  # seconds before and after readers come
COST = {"C": Budget(1.15), "Nchan": Budget(0.9), "Bun": Budget(1.05)}  # of a delivery, beside a peer's
PER_SECOND = 40_000  # deliveries in the rows that grow, so that size alone changes


class Delivery(msgspec.Struct, frozen=True):
    """Comments brought to readers. `cpu_us`: of the server and its stores, for each of them; `kib`: for each reader."""

    rate: float
    comments: int
    cpu_us: float
    kib: float
    seen: Seen

    @property
    def per_cpu_second(self) -> float:
        """Deliveries for a second of the server's processor."""
        return 1e6 / self.cpu_us


Rounds = Sequence[Mapping[str, Delivery]]


def deliver(server: Server, readers: int, rate: float, comments: int, paths: Sequence[str] = ()) -> Delivery:
    """Bring comments to all readers of some threads. Raises `Broken` where one is lost, doubled or out of order."""
    there = paths or [server.path]
    Crowd(server.port, there, len(there)).seen()  # what the first reader alone costs is no reader's
    time.sleep(SETTLE)
    empty = server.memory()
    crowd = Crowd(server.port, there, readers, marks=comments // len(there), seconds=3 * comments / rate + 20)
    time.sleep(SETTLE)
    full, before = server.memory(), server.cpu()
    author.write(server, rate, comments, there)
    seen = crowd.seen()
    used = max(server.cpu() - before, TICK)
    expected = readers * (comments // len(there))
    if seen.marks != expected or seen.disorder or seen.closed:
        raise Broken(f"{seen.marks} of {expected} came, {seen.disorder} out of order; {seen.closed} readers lost")
    return Delivery(rate, comments, used * 1e6 / expected, (full - empty) / readers / 1024, seen)


def delivery(report: Report) -> None:
    """2,000 readers of one thread, 20 comments a second."""
    rounds = _beside("delivery", report, 2000, 20, 200, {"Afterword": Afterword, **peers()})
    for peer in peers():
        _ratio("delivery", "processor for a delivery", peer, rounds, report, COST.get(peer))
    report.add("delivery", "until a reader has it, p99, ms", [r["Afterword"].seen.p99_ms for r in rounds], Budget(40))
    for peer in peers():
        report.add("delivery", f"the same of {peer}", [r[peer].seen.p99_ms for r in rounds])
    report.add("delivery", "memory of an idle reader, KiB", [r["Afterword"].kib for r in rounds], Budget(4))


def burst(report: Report) -> None:
    """2,000 readers of one thread, 200 comments a second."""
    here = {name: start for name, start in peers().items() if name in {"C", "Nchan", "Bun"}}
    rounds = _beside("burst", report, 2000, 200, 1000, {"Afterword": Afterword, **here})
    for peer in here:
        ratios = [r["Afterword"].per_cpu_second / r[peer].per_cpu_second for r in rounds]
        budget = Budget(5, most=False) if peer == "Bun" else None
        report.add("burst", f"deliveries for a second of processor, / {peer}", ratios, budget)
    report.add("burst", "until a reader has it, p99, ms", [r["Afterword"].seen.p99_ms for r in rounds], Budget(150))


def readers(report: Report) -> None:
    """From 200 readers to 10,000, as many deliveries a second."""
    cost, memory = {}, {}
    for size in (200, 500, 1000, 2000, 4000, 8000, 10_000):
        rate = PER_SECOND / size
        rounds = _beside("readers", report, size, rate, max(10, round(5 * rate)), _with_c())
        line = _ratio("readers", f"processor for a delivery, {size:,} readers", "C", rounds, report)
        kib = report.add("readers", f"memory of a reader, KiB, {size:,} readers", [r["Afterword"].kib for r in rounds])
        cost[size], memory[size] = line, kib.median
    flat = [ratio / cost[2000].median for size in (200, 8000) for ratio in cost[size].values]
    report.add("readers", "the ratio to C at 200 and 8,000, / at 2,000", flat, Budget(1.15))
    points = [Point(size, line.median) for size, line in cost.items()]
    report.plots += [
        Plot(
            "readers", "Processor for a delivered comment", "readers", "beside a bare loop in C", {"Afterword": points}
        ),
        Plot(
            "memory", "Memory of a reader", "readers", "KiB", {"Afterword": [Point(*each) for each in memory.items()]}
        ),
    ]


def rates(report: Report) -> None:
    """From one comment a second to 200, 2,000 readers."""
    lines: dict[str, list[Point]] = {"Afterword": [], "C": []}
    for rate in (1, 5, 20, 50, 100, 200):
        rounds = _beside("rates", report, 2000, rate, max(5, 5 * rate), _with_c())
        for name, points in lines.items():
            costs = [r[name].cpu_us for r in rounds]
            line = report.add("rates", f"µs of processor for a delivery, {rate} comments/s, {name}", costs)
            points.append(Point(rate, line.median))
    title = "Processor for a delivered comment, 2,000 readers"
    report.plots.append(Plot("rates", title, "comments a second", "µs", lines))


def threads(report: Report) -> None:
    """1,000 threads with ten readers each, beside one thread with ten: 400 comments a second on all together."""
    many = [f"measured-{number}" for number in range(report.scaled(1000))]
    paths = [f"/articles/{slug}/live" for slug in many]
    comments = 4 * len(many)
    spread = report.side_by_side(
        "threads", {"many": lambda: Afterword(many)}, lambda s: deliver(s, 10 * len(many), 400, comments, paths)
    )
    single = report.side_by_side("threads", {"one": Afterword}, lambda s: deliver(s, 10, 400, comments))
    ratios = [m["many"].cpu_us / o["one"].cpu_us for m, o in zip(spread, single, strict=True)]
    report.add("threads", f"processor for a delivery, {len(many):,} threads / one", ratios)
    report.add("threads", "until a reader has it, p99, ms", [r["many"].seen.p99_ms for r in spread])


def _with_c() -> dict[str, Callable[[], Server]]:
    return {"Afterword": Afterword, "C": peers()["C"]}


def _beside(
    row: str, report: Report, size: int, rate: float, comments: int, servers: Mapping[str, Callable[[], Server]]
) -> list[dict[str, Delivery]]:
    crowd, said = report.scaled(size), max(5, report.scaled(comments))
    return report.side_by_side(row, servers, lambda server: deliver(server, crowd, rate, said))


def _ratio(row: str, what: str, peer: str, rounds: Rounds, report: Report, budget: Budget | None = None) -> Line:
    """The processor that a delivery takes, beside a peer's."""
    ratios = [each["Afterword"].cpu_us / each[peer].cpu_us for each in rounds]
    return report.add(row, f"{what}, / {peer}", ratios, budget)
