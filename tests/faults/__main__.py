"""`make chaos`: hurt a running site in every known way, and print what came of it.

    python -m tests.faults [--short] [FAULT …]

CHAOS_SEED repeats the choices of an earlier run. The status is 1 where any promise was broken.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Sequence

import uvloop

from tests.faults.catalogue import FAULTS
from tests.faults.crowd import FULL, SHORT, Size
from tests.faults.setting import Setting, setting
from tests.faults.trial import attempt, slug
from tests.faults.verdict import Row

HEAD = f"{'fault':27} {'accepted':>8} {'lost':>5} {'doubled':>7} {'out of order':>12} {'converged':>9} {'grown':>7}"


def main() -> int:
    """Try the faults; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Hurt a running site.")
    parser.add_argument("--short", action="store_true", help="as `make test` does: fewer readers, shorter faults")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"all, or some of: {', '.join(FAULTS)}")
    given = parser.parse_args()
    if unknown := set(given.faults) - set(FAULTS):
        parser.error(f"there is no fault called {', '.join(unknown)}")
    seed = os.environ.get("CHAOS_SEED") or str(random.randrange(10**6))  # noqa: S311 - to be repeated
    begun = time.monotonic()
    _say(f"CHAOS_SEED={seed}\n\n{HEAD}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        broken = runner.run(_try(given.faults, SHORT if given.short else FULL, seed))
    _say(f"\n{broken or 'no'} broken, in {time.monotonic() - begun:.0f} s")
    return 1 if broken else 0


async def _try(named: Sequence[str], size: Size, seed: str) -> int:
    """Try faults on one site; after one that broke a promise, on a new one. How many did."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # as Ctrl-C does: nothing is left behind
    waiting, broken = list(dict.fromkeys(named or FAULTS)), 0
    while waiting:
        async with setting(map(slug, waiting)) as here:
            while waiting:
                name = waiting.pop(0)
                row = await attempt(name, FAULTS[name], here, size, seed)
                _say(_line(row))
                if row.complaints:
                    broken += 1
                    _complain(row, here)
                    break
    return broken


def _line(row: Row) -> str:
    if row.skipped:
        return f"{row.fault:27} skipped: {row.skipped}"
    return (
        f"{row.fault:27} {row.accepted:8} {row.lost:5} {row.doubled:7} {row.disordered:12} "
        f"{row.seconds:7.1f} s {row.growth:+4.0f} MB"
    )


def _complain(row: Row, here: Setting) -> None:
    """Say what was wrong, and the last of what the site said."""
    said = here.log.read_text().splitlines()[-5:]
    _say("\n".join([*(f"    ! {each}" for each in row.complaints), *(f"    | {line[:160]}" for line in said)]))


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
