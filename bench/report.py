"""What was measured: medians and spread over the rounds, ratios of what was measured side by side, and budgets."""

import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from bench.process import LOAD, pin
from bench.servers import Server

S = TypeVar("S", bound=msgspec.Struct)
V = TypeVar("V", bound=Server)
HEAD = f"{'row':10} {'what':58} {'median':>9} {'from':>9} {'to':>9}  budget"


class Budget(NamedTuple):
    """What a median has to keep to: at most, or at least, so much."""

    limit: float
    most: bool = True

    def __str__(self) -> str:
        """As a table shows it."""
        return f"{'≤' if self.most else '≥'} {self.limit:g}"

    def holds(self, value: float) -> bool:
        """Whether a value keeps to it."""
        return value <= self.limit if self.most else value >= self.limit


class Line(msgspec.Struct, frozen=True):
    """A figure, once a round."""

    row: str
    what: str
    values: list[float]
    budget: Budget | None = None

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        """Whether its budget, if any, is kept."""
        return self.budget is None or self.budget.holds(self.median)

    def __str__(self) -> str:
        """A line of the table."""
        figures = " ".join(f"{each:9.4g}" for each in (self.median, min(self.values), max(self.values)))
        budget = f"  {self.budget}{'' if self.holds else ', not kept'}" if self.budget else ""
        return f"{self.row:10} {self.what:58} {figures}{budget}"


class Point(NamedTuple):
    """A place on a plot's line."""

    x: float
    y: float


class Plot(msgspec.Struct, frozen=True):
    """Lines to be drawn; `x` is logarithmic."""

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[Point]]


class Report:
    """A run of the benchmark: every row adds what it found. `scale` makes all loads smaller, to try it out."""

    def __init__(self, rounds: int, scale: float, say: Callable[[str], None]) -> None:
        self.rounds = rounds
        self.scale = scale
        self.lines: list[Line] = []
        self.plots: list[Plot] = []
        self.broken: list[str] = []
        self._samples: list[dict[str, object]] = []
        self._say = say
        pin(LOAD)  # and so every program that makes it

    def scaled(self, size: float) -> int:
        """A number of readers or comments, as this run has it."""
        return max(1, round(size * self.scale))

    def side_by_side(
        self, row: str, servers: Mapping[str, Callable[[], V]], measure: Callable[[V], S]
    ) -> list[dict[str, S]]:
        """What each server does, one after another, round after round."""
        rounds = []
        for _ in range(self.rounds):
            samples = {}
            for name, start in servers.items():
                server = start()
                try:
                    samples[name] = measure(server)
                finally:
                    server.stop()
                self._samples.append({"row": row, "server": name, **msgspec.to_builtins(samples[name])})
            rounds.append(samples)
        return rounds

    def add(self, row: str, what: str, values: Sequence[float], budget: Budget | None = None) -> Line:
        """Take a figure and show it."""
        line = Line(row, what, list(values), budget)
        self.lines.append(line)
        self._say(str(line))
        return line

    def json(self) -> bytes:
        """All of it, with what it was measured on."""
        machine = {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "python": sys.version.split()[0],
        }
        whole = {
            "machine": machine,
            "rounds": self.rounds,
            "scale": self.scale,
            "lines": [msgspec.to_builtins(line) | {"median": line.median, "holds": line.holds} for line in self.lines],
            "plots": self.plots,
            "broken": self.broken,
            "samples": self._samples,
        }
        return msgspec.json.format(msgspec.json.encode(whole), indent=1)

    def table(self) -> str:
        """The figures for people."""
        return "\n".join([HEAD, *map(str, self.lines), *self.broken]) + "\n"
