"""Authors: they post steadily, by socket, JSON or form, and repeat an act until it is answered."""

import asyncio
import contextlib
import json
import re
from abc import ABC, abstractmethod
from random import Random

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.acts import Act, Acts
from tests.faults.reader import BACKOFF, MAX_BACKOFF, PASSING, SILENCE
from tests.site import Message, op

ANSWER = 10.0  # seconds without an answer, after which an act is repeated
OUTSTANDING = 32  # acts that an author leaves open; then it waits
PADDING = 3000  # characters of a long comment, beyond any compression
LANDED = re.compile(r"\?around=(\d+)&seen=(\d+)#")


class Author(ABC):
    """One who posts every `interval` seconds while `talking` is set; `long` makes the comments 3 KB."""

    def __init__(self, name: str, acts: Acts, interval: float, random: Random, talking: asyncio.Event) -> None:
        self.long = False
        self.interval = interval
        self.acts = acts
        self.random = random
        self._name = name
        self._said = 0
        self._own: dict[str, Act] = {}
        self._talking = talking

    async def run(self) -> None:
        """Post until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            await self.begin(tasks)
            while True:
                await self._talking.wait()
                await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.interval)
                self._own = {op: act for op, act in self._own.items() if op in self.acts.pending}
                if self._talking.is_set() and len(self._own) < OUTSTANDING:
                    tasks.create_task(self.say())

    async def say(self) -> None:
        """Post something new."""
        act = Act(op(), self._text())
        self.acts.pending[act.op] = self._own[act.op] = act
        await self.post(act)

    def _text(self) -> str:
        """Words that nobody has said before, with the time."""
        self._said += 1
        words = f"{self._name} says {self._said} at {asyncio.get_running_loop().time():.6f}"
        return f"{words} {self.random.randbytes(PADDING // 2).hex()}" if self.long else words

    async def begin(self, tasks: asyncio.TaskGroup) -> None:  # noqa: B027 - most have nothing to set up
        """Set up what lives as long as the author."""

    @abstractmethod
    async def post(self, act: Act) -> None:
        """Bring one act to the site."""


class SocketAuthor(Author):
    """Posts over one WebSocket, and resends what is unanswered after every reconnect."""

    def __init__(
        self, url: str, slug: str, name: str, acts: Acts, interval: float, random: Random, talking: asyncio.Event
    ) -> None:
        super().__init__(name, acts, interval, random, talking)
        self._url = f"{url.replace('http', 'ws', 1)}/articles/{slug}/live"
        self._socket: ClientConnection | None = None

    @property
    def port(self) -> int:
        """The local port of the socket, while there is one."""
        return int(self._socket.local_address[1]) if self._socket else 0

    async def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Keep a socket open, and look for acts that are due again."""
        tasks.create_task(self._keep_connected())
        tasks.create_task(self._repeat())

    async def post(self, act: Act) -> None:
        """Send it, if there is a socket; else it goes when there is one."""
        if self._socket:
            act.due = asyncio.get_running_loop().time() + ANSWER
            with contextlib.suppress(*PASSING):
                await self._socket.send(json.dumps({"type": "post", "op": act.op, "text": act.text}))

    async def _repeat(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(BACKOFF / 4)
            for act in [act for act in self._own.values() if act.op in self.acts.pending and act.due <= clock()]:
                self.acts.repeated += bool(act.due)
                await self.post(act)

    async def _keep_connected(self) -> None:
        tries = 0
        while True:
            with contextlib.suppress(*PASSING):
                async with connect(
                    self._url,
                    open_timeout=SILENCE,
                    ping_interval=None,
                    close_timeout=1,
                    max_size=None,
                    compression=None,
                ) as socket:
                    tries = 0
                    await self._converse(socket)
            await asyncio.sleep(self.random.uniform(0, min(MAX_BACKOFF, BACKOFF * 2**tries)))
            tries += 1

    async def _converse(self, socket: ClientConnection) -> None:
        """Send what waits, then take answers, until the connection ends."""
        clock = asyncio.get_running_loop().time
        for act in self._own.values():
            act.due = min(act.due, clock())
        self._socket = socket
        try:
            async with asyncio.timeout(SILENCE) as silence:
                async for frame in socket:
                    silence.reschedule(clock() + SILENCE)
                    message = json.loads(frame)
                    if message["type"] == "bye":
                        return  # the acts under way are repeated elsewhere: that must be safe at any time
                    self._answer(message)
        finally:
            self._socket = None

    def _answer(self, message: Message) -> None:
        act = self._own.get(message.get("op") or "")
        if act is None:
            return
        if message["type"] == "accepted":
            self.acts.accept(act, message["no"], message["version"], message["state"])
        elif message["type"] == "refused" and message["code"] == "unavailable":
            self.acts.unavailable += 1
            act.due = asyncio.get_running_loop().time() + message.get("retry_after", 1)
        elif message["type"] == "refused":
            self.acts.refuse(act, message["code"])


class RequestAuthor(Author):
    """Posts JSON, or as a page without JavaScript does: a form. Every act is repeated until it is answered.

    `anew` opens a connection for each request, so that they go to all workers.
    """

    def __init__(
        self,
        url: str,
        slug: str,
        name: str,
        acts: Acts,
        interval: float,
        random: Random,
        talking: asyncio.Event,
        *,
        form: bool = False,
        anew: bool = False,
    ) -> None:
        super().__init__(name, acts, interval, random, talking)
        self._url = f"{url}/articles/{slug}/comments"
        self._form = form
        self._anew = anew
        self._http: aiohttp.ClientSession

    async def run(self) -> None:
        """Post until cancelled."""
        connector = aiohttp.TCPConnector(force_close=self._anew, limit=2 * OUTSTANDING)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(ANSWER)) as self._http:
            await super().run()

    async def post(self, act: Act) -> None:
        """Repeat the request until it is answered."""
        tries = 0
        while act.op in self.acts.pending:
            wait: float | None = None
            with contextlib.suppress(aiohttp.ClientError, *PASSING):
                wait = await self._ask(act)
            if wait is None:
                wait = self.random.uniform(0, min(MAX_BACKOFF, BACKOFF * 2**tries))
                tries += 1
            self.acts.repeated += act.op in self.acts.pending
            await asyncio.sleep(wait)

    async def _ask(self, act: Act) -> float:
        """Ask once; seconds until it may be asked again."""
        form = {"text": act.text} if self._form else None
        body = None if self._form else {"op": act.op, "text": act.text}
        async with self._http.post(self._url, allow_redirects=False, data=form, json=body) as response:
            match response.status:
                case 200 | 201:
                    told = await response.json()
                    self.acts.accept(act, told["no"], told["version"], told["state"])
                case 303 if landed := LANDED.search(response.headers["Location"]):
                    self.acts.accept(act, int(landed[1]), int(landed[2]))
                case 503:
                    self.acts.unavailable += 1
                    return float(response.headers.get("Retry-After", 1))
                case status:
                    self.acts.refuse(act, f"{status} {(await response.text())[:120] if not self._form else ''}")
        return 0.0
