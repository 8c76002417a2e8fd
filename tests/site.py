"""A running site, as an operator starts it: supervisor, workers, real stores."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import uuid
from asyncio import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from service import press, roster
from service.keyring import Keyring
from service.store import database
from service.store.articles import Articles
from tests.ground import USUAL, Ground

ROOT = Path(__file__).parents[1]
PATIENCE = 15.0  # seconds that any condition may take on a busy machine

Message = dict[str, Any]


class Site:
    """A running site and what tests do with it."""

    def __init__(self, process: subprocess.Process, url: str, environ: dict[str, str], ground: Ground) -> None:
        self.process = process
        self.url = url.rstrip("/").replace("http:", "https:" if ground.trust else "http:")
        self.environ = environ
        self.trust = ground.trust
        self.http = aiohttp.ClientSession(self.url, connector=aiohttp.TCPConnector(ssl=ground.trust or True))

    async def load(self, folder: Path, *slugs: str, **fields: str) -> None:
        """Publish small articles by the command line, beside the running service."""
        write(folder, *slugs, **fields)
        status, _, errors = await command(self.environ, "articles", "load", str(folder))
        assert status == 0, errors

    def socket(self, slug: str, query: str = "", **options: Any) -> connect:
        """A foreign WebSocket client on a thread."""
        return connect(
            f"{self.url.replace('http', 'ws', 1)}/articles/{slug}/live{query}",
            max_size=None,
            ssl=self.trust,
            **options,
        )

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which a test speaks for itself."""
        url = urlsplit(self.url)
        return await asyncio.open_connection(url.hostname, url.port, ssl=self.trust)

    async def workers(self) -> list[int]:
        """The process ids of the workers."""
        found = []
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with contextlib.suppress(OSError):  # it has just ended
                if b"work" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    found.append(int(pid))
        return found

    async def stop(self) -> int:
        """End it as an operator does."""
        await self.http.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


async def command(environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run a command of the service; its status and what it printed."""
    process = await subprocess.create_subprocess_exec(
        sys.executable, "-m", "service", *arguments, cwd=ROOT, env=environ, stdout=-1, stderr=-1
    )
    out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


@contextlib.asynccontextmanager
async def serving(
    log: Path, ground: Ground = USUAL, /, *, by: Sequence[str] = (), **settings: str
) -> AsyncIterator[Site]:
    """A site with these settings, on a port from the kernel; started `by` another command, say."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")}
    environ |= {f"AFTERWORD_{name}": value for name, value in settings.items()} | ground.environ
    with log.open("ab") as errors:
        process = await subprocess.create_subprocess_exec(
            *by,
            sys.executable,
            "-m",
            "service",
            cwd=ROOT,
            env=environ | {"AFTERWORD_PORT": settings.get("PORT", "0")},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    url = None
    while url is None:
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert line, log.read_text()
        if " is ready: " in line:
            url = line.split(" is ready: ")[1].split()[0]
    site = Site(process, url, environ, ground)
    try:
        yield site
    finally:
        await site.stop()


@contextlib.asynccontextmanager
async def telling(
    folder: Path,
    database_url: str,
    redis_url: str,
    ground: Ground = USUAL,
    /,
    *,
    by: Sequence[str] = (),
    **settings: str,
) -> AsyncIterator[Site]:
    """Serve by two workers, both of them there, with one open thread `story`; articles and log lie in `folder`."""
    stores = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SECRET": secrets.token_hex(16), "WORKERS": "2"}
    given = stores | settings
    await _publish(folder / "stories", database_url)
    async with serving(folder / "log", ground, by=by, **given) as running, Redis.from_url(redis_url) as redis:
        roll = roster.workers(Keyring(given["SECRET"]).site)

        async def complete() -> bool:
            return bool(await redis.zcard(roll) == int(given["WORKERS"]))

        await eventually(complete)
        yield running


async def _publish(folder: Path, database_url: str) -> None:
    """Publish `story`, past the command line, which would take a second."""
    folder.mkdir()
    write(folder, "story")
    async with database.pool(database_url, 1) as pool:
        complaints: list[str] = []
        await press.load(Articles(pool), [folder], ZoneInfo("UTC"), lambda _line: None, complaints.append)
    assert complaints == []


def write(folder: Path, *slugs: str, **fields: str) -> None:
    """Write the files of small articles."""
    for slug in slugs:
        front = {"title": f"A story called {slug}", "date": "2026-01-01T12:00:00Z"} | fields
        lines = "\n".join(f"{name}: {value}" for name, value in front.items())
        (folder / f"{slug}.md").write_text(f"---\n{lines}\n---\nOne paragraph.\n")


def op() -> str:
    """A new op."""
    return str(uuid.uuid4())


async def send(socket: ClientConnection, kind: str, **fields: object) -> None:
    """Send a message."""
    await socket.send(json.dumps({"type": kind, **fields}))


async def receive(socket: ClientConnection, *kinds: str) -> Message:
    """The next message of one of these types, others skipped."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message: Message = json.loads(await socket.recv())
            if message["type"] in kinds:
                return message


async def eventually(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Wait until a condition holds, and return what it returned."""
    async with asyncio.timeout(patience):
        while not (result := await condition() if asyncio.iscoroutinefunction(condition) else condition()):
            await asyncio.sleep(0.02)
        return result
