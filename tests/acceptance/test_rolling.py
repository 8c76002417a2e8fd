"""Workers that are replaced and drained while people read and write: none loses a word."""

import asyncio
import contextlib
import itertools
import os
import re
import signal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp
import asyncpg
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from service.worker import LOOK_SECONDS
from tests.site import Message, Site, eventually, op, receive, send, telling

COMMENTS = "/articles/story/comments"
STOPPED = 10.0  # seconds after which the supervisor kills a worker: no stop may take so long


class Crowd:
    """People who write until it is over, and what was accepted of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.said: list[str] = []
        self.over = False
        self._numbers = itertools.count()

    def text(self) -> str:
        """Something new to say."""
        return f"No. {next(self._numbers)} of many"

    async def note(self, text: str) -> None:
        """Note what was accepted, and breathe."""
        self.said.append(text)
        await asyncio.sleep(0.1)

    async def post_json(self) -> None:
        """Post as scripts do."""
        while not self.over:
            text = self.text()
            async with self.site.http.post(COMMENTS, json={"op": op(), "text": text}) as response:
                assert response.status == 201
            await self.note(text)

    async def post_forms(self, fresh: bool) -> None:
        """Post as browsers without a script do: once, on a connection that is `fresh` or was used before."""
        connector = aiohttp.TCPConnector(force_close=fresh)
        async with aiohttp.ClientSession(self.site.url, connector=connector) as http:
            while not self.over:
                text = self.text()
                async with http.post(COMMENTS, data={"text": text}, allow_redirects=False) as response:
                    assert response.status == 303
                await self.note(text)


class Visitor:
    """One who reads and writes on a socket, across all farewells; what came, by version, and what is unanswered."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._op, self._place = op(), ""
        self.unanswered: str | None = crowd.text()
        self.texts: dict[int, str] = {}
        self.version = 0
        self.visits = 0

    async def run(self) -> None:
        """Follow the thread until cancelled, coming back by epoch and version when sent away."""
        while True:
            with contextlib.suppress(ConnectionClosed, TimeoutError):
                async with asyncio.timeout(None) as stay, self._crowd.site.socket("story", self._place) as socket:
                    await self._visit(socket, stay)

    async def _visit(self, socket: ClientConnection, stay: asyncio.Timeout) -> None:
        """Read and write, after `bye` for as long as it says."""
        self.visits += 1
        while True:
            message = await receive(socket, "joined", "changes", "accepted", "bye")
            match message["type"]:
                case "joined":
                    assert message["mode"] in {"live", "catchup"}
                    epoch = message["epoch"]
                    self._take(epoch, message["version"], message["comments"])
                    await self._post(socket)
                case "changes":
                    assert message["from"] <= self.version
                    self._take(epoch, message["to"], message["comments"])
                case "accepted" if self.unanswered and message["op"] == self._op:
                    await self._go_on(self.unanswered, socket)
                case "bye":
                    stay.reschedule(asyncio.get_running_loop().time() + message["retry"] / 1000)

    async def _post(self, socket: ClientConnection) -> None:
        """Say it, or repeat it."""
        if self.unanswered:
            await send(socket, "post", op=self._op, text=self.unanswered)

    async def _go_on(self, said: str, socket: ClientConnection) -> None:
        """Say the next thing, since the last one stands."""
        self._op, self.unanswered = op(), None if self._crowd.over else self._crowd.text()
        await self._crowd.note(said)
        await self._post(socket)

    def _take(self, epoch: str, version: int, comments: list[Message]) -> None:
        self.texts |= {comment["version"]: re.sub("<.*?>", "", comment["html"]) for comment in comments}
        self.version = version
        self._place = f"?epoch={epoch}&after={version}"


class Caller:
    """A connection whose bytes the test sends by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, site: Site, first: bytes = b"") -> "Caller":
        """Connect, and send something."""
        caller = cls(*await asyncio.open_connection(urlsplit(site.url).hostname, urlsplit(site.url).port))
        caller.writer.write(first)
        return caller

    async def ends(self) -> bytes:
        """What comes until the other side closes."""
        everything = await asyncio.wait_for(self.reader.read(), STOPPED)
        self.writer.close()
        return everything


def form(text: str) -> bytes:
    """A comment as a form, as bytes on the wire."""
    body = urlencode({"text": text})
    return (
        f"POST {COMMENTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def log(folder: Path) -> str:
    """What the site logged."""
    return (folder / "log").read_text()


async def workers(site: Site, count: int) -> list[int]:
    """The workers, as soon as there are so many."""

    async def found() -> list[int]:
        pids = await site.workers()
        return pids if len(pids) == count else []

    return list(await eventually(found))


async def replaced(folder: Path, times: int) -> None:
    """Wait until so many workers were replaced."""
    await eventually(lambda: log(folder).count("is replaced") == times, 60)


async def end(site: Site) -> None:
    """Stop the site; it ends well and in time, and so does every worker."""
    pids = await site.workers()
    site.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(site.process.wait(), STOPPED) == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def test_four_workers_are_replaced_under_load(tmp_path: Path, database_url: str, redis_url: str) -> None:
    async with telling(tmp_path, database_url, redis_url, POSTS_PER_MINUTE="0", WORKERS="4") as site:
        before = await workers(site, 4)
        crowd = Crowd(site)
        visitors = [Visitor(crowd) for _ in range(6)]
        async with asyncio.TaskGroup() as people:
            visits = [people.create_task(visitor.run()) for visitor in visitors]
            posting = [people.create_task(crowd.post_forms(fresh)) for fresh in (True, True, False, False, False)]
            posting += [people.create_task(crowd.post_json()) for _ in range(2)]
            await eventually(lambda: len(crowd.said) > 50)
            site.process.send_signal(signal.SIGHUP)
            await replaced(tmp_path, 4)
            crowd.over = True
            await asyncio.wait(posting)
            await eventually(lambda: all(each.version == len(crowd.said) and not each.unanswered for each in visitors))
            for visit in visits:
                visit.cancel()
        assert len({*before, *await site.workers()}) == 8
        connection = await asyncpg.connect(database_url)
        kept = [text for (text,) in await connection.fetch("SELECT text FROM comments ORDER BY version")]
        await connection.close()
        assert sorted(kept) == sorted(crowd.said)
        for visitor in visitors:
            first = min(visitor.texts)
            assert visitor.texts == dict(enumerate(kept[first - 1 :], first))
            assert visitor.visits > 1
        assert log(tmp_path).count("\n") == 4, log(tmp_path)


async def test_who_was_accepted_is_answered_while_the_only_worker_drains(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url, WORKERS="1") as site:
        (old,) = await site.workers()
        slow = form("Half of it comes late.")
        half, silent, lost = await Caller.dial(site, slow[:-9]), await Caller.dial(site), await Caller.dial(site)
        idle = await Caller.dial(site, b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"Connection: close" not in await idle.reader.readuntil(b"\r\n\r\n")
        async with site.socket("story") as reader:
            site.process.send_signal(signal.SIGHUP)
            await receive(reader, "bye")
        with pytest.raises(TimeoutError):  # while they are slow: nobody hangs up, though the last reader has left
            await asyncio.wait_for(silent.reader.read(1), 10 * LOOK_SECONDS)
        half.writer.write(slow[-9:])
        silent.writer.write(form("I was still thinking."))
        idle.writer.write(form("And another thing."))
        for caller in (half, silent, idle):
            answer = await caller.ends()
            assert answer.startswith(b"HTTP/1.1 303 ")
            assert b"\r\nConnection: close\r\n" in answer
        assert old in await site.workers()
        assert await lost.ends() == b""
        await replaced(tmp_path, 1)
        assert old not in await site.workers()


async def test_a_successor_that_cannot_start_leaves_the_old_one_serving(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, sys\nif 'work' in sys.orig_argv and os.path.exists({str(broken)!r}):\n    os._exit(3)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    async with telling(tmp_path, database_url, redis_url) as site:
        before = await workers(site, 2)
        broken.touch()
        site.process.send_signal(signal.SIGHUP)
        await eventually(lambda: "worker 1 stays: its successor does not serve" in log(tmp_path))
        assert log(tmp_path).count('"level": "error"') == 1
        assert await site.workers() == before
        async with site.http.post(COMMENTS, json={"op": op(), "text": "Still here."}) as response:
            assert response.status == 201
        broken.unlink()
        site.process.send_signal(signal.SIGHUP)
        await replaced(tmp_path, 2)


async def test_a_stop_while_a_successor_starts_ends_everything(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url) as site:
        await workers(site, 2)
        site.process.send_signal(signal.SIGHUP)
        await workers(site, 3)
        await end(site)


async def test_a_stop_while_an_old_one_drains_ends_everything_in_time(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url, WORKERS="1") as site:
        endless = await Caller.dial(site, form("That is not all.")[:-1])
        async with site.socket("story") as reader:
            site.process.send_signal(signal.SIGHUP)
            await receive(reader, "bye")
            assert len(await site.workers()) == 2
            await end(site)
        assert await endless.ends() == b""


async def test_a_terminal_that_hangs_up_stops_the_site_and_kill_does_not(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    ours, theirs = os.openpty()
    heeding = ("env", "--default-signal=HUP")  # whatever runs the tests, nohup say, ignores
    within = (*heeding, "/bin/sh", "-c", f'exec setsid --ctty "$@" <{os.ttyname(theirs)}', "sh")
    async with telling(tmp_path, database_url, redis_url, by=within, WORKERS="1") as site:
        (old,) = await site.workers()
        site.process.send_signal(signal.SIGHUP)
        await replaced(tmp_path, 1)
        assert old not in await site.workers()
        os.close(theirs)
        os.close(ours)
        assert await asyncio.wait_for(site.process.wait(), STOPPED) == 0
