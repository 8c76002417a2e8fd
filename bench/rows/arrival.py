"""How fast readers come, and come back after their worker was killed."""

import os
import signal
import time
from collections.abc import Callable

import msgspec

from bench import author
from bench.crowd import Crowd
from bench.process import Broken
from bench.report import Budget, Report
from bench.servers import Afterword, Server, bare

READERS = 3000
RETURNING = 5000
MISSED = 20  # comments
SLACK = 1.5


class Came(msgspec.Struct, frozen=True):
    """Readers who came one after another, and how many did in a second."""

    readers: int
    per_second: float


def join(report: Report) -> None:
    """Handshakes until `joined`, one after another, beside aiohttp's own WebSocketResponse."""
    count = report.scaled(READERS)
    servers: dict[str, Callable[[], Server]] = {"Afterword": Afterword, "aiohttp": bare}
    rounds = report.side_by_side("join", servers, lambda s: _come(s, count))
    ratios = [r["Afterword"].per_second / r["aiohttp"].per_second for r in rounds]
    report.add("join", "handshakes a second, / aiohttp", ratios, Budget(1, most=False))


def reconnect(report: Report) -> None:
    """The worker of 5,000 readers is killed; all come back and get what they missed."""
    count = report.scaled(RETURNING)
    back = report.side_by_side("reconnect", {"Afterword": Afterword}, lambda s: _come_back(s, count))
    came = report.side_by_side("reconnect", {"aiohttp": bare}, lambda s: _come(s, count))
    ratios = [c["aiohttp"].per_second / b["Afterword"].per_second for b, c in zip(back, came, strict=True)]
    report.add("reconnect", f"time for {count:,} to be back, / aiohttp's handshakes", ratios, Budget(SLACK))


def _come(server: Server, count: int) -> Came:
    Crowd(server.port, [server.path], count, mode="join").seen()  # the second time all is warm
    seen = Crowd(server.port, [server.path], count, mode="join").seen()
    return Came(count, count / seen.opened_s)


def _come_back(server: Server, count: int) -> Came:
    crowd = Crowd(server.port, [server.path], count, seconds=60, mode="return")
    author.write(server, 100, MISSED, [server.path])
    time.sleep(0.5)
    for pid in server.pids(" work "):
        os.kill(pid, signal.SIGKILL)
    seen = crowd.seen()
    if seen.closed < count:
        raise Broken(f"{seen.closed} of {count} readers noticed that their worker died")
    return Came(count, count / seen.back_s)
