"""Processes that must live: each is started again, after a growing pause, until nobody wants it any more."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

import msgspec

from service import worker
from service.embedded import Postgres, Valkey
from service.errors import StartError
from service.settings import Settings

READY_SECONDS = 60.0  # within which a successor must serve
STOP_SECONDS = 10.0  # for which a worker may drain
PAUSE, MAX_PAUSE = 0.1, 5.0  # seconds before the first restart, and at most
STEADY_SECONDS = 10.0  # who lived so long begins again with the shortest pause

log = logging.getLogger(__name__)


async def keep(name: str, live: Callable[[], Awaitable[int]]) -> None:
    """Run `live` again whenever it ends; it returns an exit status."""
    pause, clock = PAUSE, asyncio.get_running_loop().time
    while True:
        begun = clock()
        status = await live()
        if clock() - begun > STEADY_SECONDS:
            pause = PAUSE
        log.warning("%s ended with status %d, and is started again in %.1f s", name, status, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)


class StoreProcess:
    """A bundled store that runs already when its life begins."""

    def __init__(self, store: Postgres | Valkey) -> None:
        self._store = store

    async def live(self) -> int:
        """Return the exit status when it has ended; start it first where it does not run."""
        try:
            await self._store.start()
        except StartError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            return 1
        return await self._store.wait()


class Worker:
    """One of the workers: a process, another one when that ends, and a successor when it is to be replaced.

    `ready` is set when any worker serves; before that, one that ends is a failed start.
    """

    def __init__(self, settings: Settings, listener: socket.socket, ready: asyncio.Event) -> None:
        self._settings = settings
        self._listener = listener
        self._ready = ready
        self._process: WorkerProcess | None = None

    async def live(self) -> int:
        """Start a process; return its exit status, or its successor's. Cancelled, let it drain. Raises `StartError`."""
        self._process = await WorkerProcess.start(self._settings, self._listener)
        try:
            if self._process.serves:
                self._ready.set()
            status = await self._ended()
        finally:
            await self._process.stop()
        if not self._ready.is_set():
            raise StartError("The first worker ended before it served; what it said stands above.")
        return status

    async def replace(self) -> None:
        """Let the process go when a successor serves. Raises `OSError`: none does, and the process stays."""
        async with asyncio.timeout(READY_SECONDS):
            other = await WorkerProcess.start(self._settings, self._listener)
        try:
            if not other.serves:
                raise ChildProcessError("it ended, and what it said stands above")
            if self._process and self._process.alive:  # else `live` starts another one, which is as new
                self._process, other = other, self._process
            await other.stop()
        finally:
            await other.stop()  # again: the wait may have been cancelled

    async def _ended(self) -> int:
        """Wait for the end of a process whose place no successor has taken; its exit status."""
        while True:
            process = self._process
            assert process
            status = await process.wait()
            if process is self._process:
                return status


async def replace(workers: Sequence[Worker], asked: asyncio.Event) -> None:
    """Replace one worker after the other whenever it is asked for, and once more where it was asked meanwhile."""
    while True:
        await asked.wait()
        asked.clear()
        for number, each in enumerate(workers, 1):
            try:
                await each.replace()
            except OSError as error:
                reason = str(error) or "in time"
                log.error("worker %d stays: its successor does not serve (%s)", number, reason)  # noqa: TRY400 - the sentence says it all
                break
            log.warning("worker %d is replaced", number)


class WorkerProcess:
    """A process that serves, held by a lifeline. `serves` is false where it ended before it did."""

    def __init__(self, process: Process, lifeline: socket.socket) -> None:
        self._process = process
        self._lifeline = lifeline
        self.serves = False

    @classmethod
    async def start(cls, settings: Settings, listener: socket.socket) -> Self:
        """Start one, and return when it serves or has ended. Raises `OSError`."""
        async with contextlib.AsyncExitStack() as undo:
            ours, theirs = socket.socketpair()
            undo.enter_context(ours)
            with theirs:
                started = cls(await _spawn(listener, theirs), ours)
            undo.push_async_callback(started.stop)
            await started._introduce(settings)
            undo.pop_all()
        return started

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait for its end; its exit status."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Let it drain, and see that it ends in time; one that has ended is let go."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
                os.kill(self._process.pid, signal.SIGCONT)  # a stopped process hears nothing else
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._lifeline.close()

    async def _introduce(self, settings: Settings) -> None:
        """Tell it its settings, and wait until it serves or has ended."""
        loop = asyncio.get_running_loop()
        self._lifeline.setblocking(False)
        # One that ended with the settings unread answers with a reset or a broken pipe instead of an end.
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(self._lifeline, msgspec.json.encode(settings, enc_hook=str) + b"\n")
            self.serves = await loop.sock_recv(self._lifeline, len(worker.READY)) == worker.READY


async def _spawn(listener: socket.socket, lifeline: socket.socket) -> Process:
    """Start a worker's process on the two sockets, which it inherits."""
    files = (listener.fileno(), lifeline.fileno())
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service",
        "work",
        *map(str, files),
        pass_fds=files,
        env={name: text for name, text in os.environ.items() if not name.startswith("AFTERWORD_OWNER_URL")},
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the supervisor, which stops everything in order
    )
