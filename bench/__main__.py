"""`make bench`: measure, and print what came of it.

    python -m bench [ROW …] [--rounds 3] [--scale 1] [--out var/bench]

Writes report.txt, report.json and the plots. The status is 1 where a measurement was broken (a comment lost, doubled
or out of order, a server that did not start), not where a budget is missed.
"""

import argparse
import sys
from pathlib import Path

from bench import plot
from bench.process import Broken
from bench.report import HEAD, Report
from bench.rows import ROWS


def main() -> int:
    """Ask the questions; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Afterword beside its peers.")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured, in turn (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="of all loads: 0.02 tries the benchmark itself out")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="where the report goes (var/bench)")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all, or some of: {', '.join(ROWS)}")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"there is no row called {', '.join(unknown)}")
    if sys.platform != "linux":
        parser.error("the benchmark counts processor time in /proc, which only Linux has")
    report = Report(given.rounds, given.scale, _say)
    _say(HEAD)
    try:
        for name in given.rows or ROWS:
            try:
                ROWS[name](report)
            except Broken as broken:
                report.broken.append(f"{name}: BROKEN: {broken}")
                _say(report.broken[-1])
    finally:
        _write(report, given.out)
    return 1 if report.broken else 0


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.txt").write_text(report.table())
    (folder / "report.json").write_bytes(report.json())
    for each in report.plots:
        (folder / f"{each.name}.svg").write_text(plot.draw(each))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
