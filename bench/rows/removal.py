"""How long a removed comment still stands before its readers."""

import time

import msgspec

from bench import author
from bench.crowd import Crowd
from bench.desk import Desk
from bench.process import Broken
from bench.report import Budget, Report
from bench.servers import Afterword

READERS = 2000
COMMENTS, REMOVALS = 40, 20
APART = 0.5  # seconds between two removals
SETTLE = 1.0  # seconds after readers came


class Removed(msgspec.Struct, frozen=True):
    """Milliseconds from the moderator's sending to a reader's reading. `readers`: how many each worker had."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    readers: list[int]


def removal(report: Report) -> None:
    """A moderator removes one comment after another before 2,000 readers on two workers."""
    readers, removals = report.scaled(READERS), max(3, report.scaled(REMOVALS))
    rounds = report.side_by_side(
        "removal", {"Afterword": lambda: Afterword(WORKERS="2")}, lambda s: _remove(s, readers, removals)
    )
    removed = [r["Afterword"] for r in rounds]
    report.add("removal", "until a reader on either of two workers has it, p50, ms", [r.p50_ms for r in removed])
    report.add("removal", "the same, p99", [r.p99_ms for r in removed], Budget(200))
    report.add("removal", "the same, the slowest", [r.max_ms for r in removed])


def _remove(server: Afterword, readers: int, removals: int) -> Removed:
    author.write(server, 100, max(COMMENTS, removals), [server.path])
    window = msgspec.json.decode(server.get(f"{server.path.removesuffix('/live')}/comments?limit=200"))
    desk, before = Desk(server), server.sockets(" work ")
    crowd = Crowd(server.port, [server.path], readers, marks=removals, seconds=removals * APART + 20, mode="removals")
    time.sleep(SETTLE)
    spread = [now - before.get(pid, 0) for pid, now in server.sockets(" work ").items()]
    if len(spread) != 2 or min(spread) < readers / 20:
        raise Broken(f"the readers are not spread over two workers: {spread}")
    sent = {}
    for comment in window["comments"][:removals]:
        sent[comment["no"]] = time.monotonic_ns()
        desk.post("/desk/comments", f"remove {comment['no']}")
        time.sleep(APART)
    seen = crowd.removals()
    if seen.marks != readers * removals or seen.disorder or seen.closed:
        raise Broken(
            f"{seen.marks} of {readers * removals} came, {seen.disorder} out of order; {seen.closed} readers lost"
        )
    ms = sorted((each.moment - sent[each.no]) / 1e6 for each in seen.removals)
    return Removed(ms[len(ms) // 2], ms[len(ms) * 99 // 100], ms[-1], spread)
