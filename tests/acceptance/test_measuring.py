import asyncio
import shutil
import sys
from asyncio import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.site import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="counts processor time in /proc"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="readers and the bare loop are programs in C"),
]


async def test_the_benchmark_measures_ours_beside_a_bare_loop_and_writes_what_it_found(tmp_path: Path) -> None:
    report = await measured(tmp_path, "delivery", "reconnect")
    ours, loop = (next(s for s in report["samples"] if s["server"] == name) for name in ("Afterword", "C"))
    assert ours["seen"]["marks"] == loop["seen"]["marks"] == 40 * ours["comments"]
    assert ours["seen"]["disorder"] == 0
    assert {line["row"] for line in report["lines"]} == {"delivery", "reconnect"}


async def test_the_benchmark_sees_removals_on_two_workers_and_what_a_flood_costs_readers_and_the_desk(
    tmp_path: Path,
) -> None:
    report = await measured(tmp_path, "removal", "flood")
    removed, flooded = report["samples"]
    assert sum(removed["readers"]) >= 40
    assert 0 < removed["p50_ms"] <= removed["p99_ms"] <= removed["max_ms"]
    assert [flooded[phase]["marks"] for phase in ("quiet", "onset", "flooded")] == [40 * 9, 40 * 5, 40 * 9]
    assert flooded["refused"] > 0.5
    assert flooded["desk_ms"] > 0
    assert {line["row"] for line in report["lines"]} == {"removal", "flood"}


async def measured(folder: Path, *rows: str) -> Any:
    """What the benchmark reports of some rows, at a fiftieth of their loads."""
    process = await subprocess.create_subprocess_exec(
        *(sys.executable, "-m", "bench", *rows),
        *("--rounds", "1", "--scale", "0.02", "--out", str(folder)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, out.decode()
    assert (folder / "report.txt").read_text() == out.decode()
    return msgspec.json.decode((folder / "report.json").read_bytes())
