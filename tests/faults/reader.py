"""A reader as the contract wants one: it keeps its place, notices what is missing, and comes back by itself."""

import asyncio
import contextlib
import json
import re
from random import Random

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.faults.hearing import Complaints, Hearing
from tests.site import Message

SILENCE = 20.0  # seconds without a word, after which a connection is given up
BACKOFF, MAX_BACKOFF = 0.5, 4.0  # seconds
WINDOW = 200  # comments that a reset fetches
AWAY = {1002, 1003, 1007, 1009, *range(4500, 5000)}  # close codes after which a client does not come back by itself
SAID_AT = re.compile(r" at ([0-9.]+)")
PASSING = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake)  # what ends a connection, and not the harness


class RejoinError(ConnectionError):
    """The reader's place and the connection's do not fit: a new connection mends that."""


class Reader:
    """One browser on a thread. `shown` is what its page would hold: the version of each comment, by number.

    It shows all from the number `begin`. `level` is the version that it has reached; `latencies` are pairs of when a
    comment came and how long it was on its way, taken while `samples` is set.
    """

    def __init__(self, url: str, slug: str, start: Message, random: Random, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.slug = slug
        self.random = random
        self.http = http
        self.epoch: str = start["epoch"]
        self.level: int = start["version"]
        self.shown: dict[int, int] = {}
        self.begin = 0
        self.complaints = Complaints()
        self.connections = 0
        self.resets = 0
        self.joins = 0
        self.held: list[Message] | None = None
        self.latencies: list[tuple[float, float]] = []
        self.samples = False
        self._tries = 0
        self._heir: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                conversation = self._heir or asyncio.create_task(self._converse(None))
                self._heir = None
                try:
                    await conversation
                except PASSING:
                    pass
                finally:
                    await _end(conversation)
                if self._heir is None:
                    await asyncio.sleep(self._wait())
        finally:
            await _end(self._heir)

    @property
    def live(self) -> bool:
        """Whether what is said comes to it: it has joined, and knows what it missed."""
        return self.joins > 0 and self.held is None

    def joined(self) -> None:
        """Note that a connection has joined: the next backoff begins anew."""
        self.joins += 1
        self._tries = 0

    def apply(self, message: Message) -> None:
        """Apply `changes`, or the comments of a `joined`, by the rule of the contract. Raises `RejoinError`."""
        begin, end = message["from"], message["to"]
        if end <= self.level:
            return
        if begin > self.level:
            raise RejoinError
        for comment in message["comments"]:
            if comment["version"] > self.level:
                self.shown[comment["no"]] = comment["version"]
                if self.samples:
                    self._time(comment["html"])
        self.level = end

    def begin_anew(self, window: Message) -> None:
        """Show this window instead of everything, then what was held back. Raises `RejoinError`."""
        if window["epoch"] == self.epoch and window["version"] < self.level:
            self.complaints.disorder(f"after a reset the thread was at {window['version']}, before at {self.level}")
        comments = window["comments"]
        self.shown = {comment["no"]: comment["version"] for comment in comments}
        self.begin = comments[0]["no"] if comments and window["earlier"] else 0
        self.epoch, self.level = window["epoch"], window["version"]
        held, self.held = self.held or [], None
        for message in held:
            self.apply(message)

    def follow(self, retry: int, old: ClientConnection) -> None:
        """Open the next connection in `retry` milliseconds, and close the old one when it has joined."""
        if self._heir is None:
            self._heir = asyncio.create_task(self._converse(old, retry / 1000))

    async def _converse(self, old: ClientConnection | None, delay: float = 0.0) -> None:
        await asyncio.sleep(delay)
        hearing = Hearing(self.epoch, self.level, self.complaints)
        url = f"{self.url.replace('http', 'ws', 1)}/articles/{self.slug}/live?epoch={self.epoch}&after={self.level}"
        try:
            async with connect(
                url, open_timeout=SILENCE, ping_interval=None, close_timeout=1, max_size=None, compression=None
            ) as socket:
                self.connections += 1
                await Conversation(self, socket, hearing, old).run()
        except InvalidStatus as refused:
            if refused.response.status_code not in {429, 503}:
                self.complaints.disorder(f"a handshake was answered {refused.response.status_code}")
            raise
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code in AWAY:
                self.complaints.disorder(f"a connection was closed with {closed.rcvd.code}")
            raise

    def _wait(self) -> float:
        """Seconds before the next connection: full jitter."""
        longest = min(MAX_BACKOFF, BACKOFF * 2**self._tries)
        self._tries += 1
        return self.random.uniform(0, longest)

    def _time(self, html: str) -> None:
        """Note how long a comment was on its way; its author wrote the time into it."""
        now, said = asyncio.get_running_loop().time(), SAID_AT.search(html)
        if said:
            self.latencies.append((now, now - float(said[1])))


class Conversation:
    """One connection of a reader, from its handshake to its end."""

    def __init__(
        self, reader: Reader, socket: ClientConnection, hearing: Hearing, old: ClientConnection | None
    ) -> None:
        self._reader = reader
        self._socket = socket
        self._hearing = hearing
        self._old = old
        self._mending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Take in what comes, until either side ends it or it falls silent."""
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(SILENCE) as silence:
                async for frame in self._socket:
                    silence.reschedule(clock() + SILENCE)
                    await self._take(json.loads(frame))
        finally:
            self._reader.joins -= self._hearing.joined
            if self._mending and not self._mending.done():
                self._reader.held = None
                await _end(self._mending)

    async def _take(self, message: Message) -> None:
        before, seated = self._hearing.at, self._hearing.joined
        self._hearing.judge(message)
        if self._hearing.joined and not seated:
            self._reader.joined()
        match message["type"]:
            case "joined":
                await self._join(message, before)
            case "changes" if self._reader.held is not None:
                self._reader.held.append(message)
            case "changes":
                self._reader.apply(message)
            case "ping":
                await self._socket.send('{"type":"pong"}')
                self._weigh(message)
            case "bye":
                self._reader.follow(message["retry"], self._socket)

    async def _join(self, message: Message, before: int) -> None:
        reader = self._reader
        if message["mode"] == "reset":
            reader.resets += 1
            reader.held = []
            await _end(self._mending)
            self._mending = asyncio.create_task(self._mend())
        else:
            changes = {"from": before, "to": message["version"], "comments": message["comments"]}
            if reader.held is not None:
                reader.held.append(changes)
            elif message["epoch"] != reader.epoch:
                raise RejoinError
            else:
                reader.apply(changes)
        if self._old:
            await self._old.close()
            self._old = None

    def _weigh(self, ping: Message) -> None:
        """Rejoin where a ping shows that something is missing."""
        reader = self._reader
        if reader.held is None and (ping["epoch"] != reader.epoch or ping["version"] > reader.level):
            raise RejoinError

    async def _mend(self) -> None:
        """Fetch the present window, again with backoff, and go on from it."""
        reader, pause = self._reader, BACKOFF
        while True:
            with contextlib.suppress(*PASSING, aiohttp.ClientError):
                path = f"/articles/{reader.slug}/comments?limit={WINDOW}"
                async with reader.http.get(path, timeout=aiohttp.ClientTimeout(10)) as response:
                    if response.status == 200:
                        window = await response.json()
                        break
            await asyncio.sleep(reader.random.uniform(0, pause))
            pause = min(MAX_BACKOFF, 2 * pause)
        try:
            if window["epoch"] != self._hearing.epoch:
                raise RejoinError
            reader.begin_anew(window)
        except RejoinError:
            await self._socket.close()


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is over. Raises what it raised, unless that is how connections end."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, PASSING):
        raise error
