import asyncio
import shutil
import sys
from asyncio import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.site import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processor time in /proc")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="readers and the bare loop are programs in C")
async def test_the_benchmark_measures_ours_beside_a_bare_loop_and_writes_what_it_found(tmp_path: Path) -> None:
    process = await subprocess.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "delivery", "reconnect"),
        *("--rounds", "1", "--scale", "0.02", "--out", str(tmp_path)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, out.decode()
    assert (tmp_path / "report.txt").read_text() == out.decode()
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes())
    ours, loop = (next(s for s in report["samples"] if s["server"] == name) for name in ("Afterword", "C"))
    assert ours["seen"]["marks"] == loop["seen"]["marks"] == 40 * ours["comments"]
    assert ours["seen"]["disorder"] == 0
    assert {line["row"] for line in report["lines"]} == {"delivery", "reconnect"}
