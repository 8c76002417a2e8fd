"""Processes that must live: each is started again, after a growing pause, until nobody wants it any more."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import msgspec

from service import worker
from service.embedded import Postgres, Valkey
from service.errors import StartError
from service.settings import Settings

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


class WorkerProcess:
    """One worker. `ready` is set when any worker serves; before that, one that ends is a failed start."""

    def __init__(self, settings: Settings, listener: socket.socket, ready: asyncio.Event) -> None:
        self._settings = settings
        self._listener = listener
        self._ready = ready

    async def live(self) -> int:
        """Start it and return its exit status; cancelled, let it drain first. Raises `StartError`."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await self._start(theirs)
            try:
                await self._introduce(ours)
                status = await process.wait()
            finally:
                await _stop(process)
        if not self._ready.is_set():
            raise StartError("The first worker ended before it served; what it said stands above.")
        return status

    async def _start(self, lifeline: socket.socket) -> asyncio.subprocess.Process:
        files = (self._listener.fileno(), lifeline.fileno())
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "service",
            "work",
            *map(str, files),
            pass_fds=files,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops everything in order
        )

    async def _introduce(self, lifeline: socket.socket) -> None:
        """Tell the worker its settings, and wait until it serves or has ended."""
        loop = asyncio.get_running_loop()
        lifeline.setblocking(False)
        # One that ended with the settings unread answers with a reset or a broken pipe instead of an end.
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(lifeline, msgspec.json.encode(self._settings, enc_hook=str) + b"\n")
            if await loop.sock_recv(lifeline, len(worker.READY)) == worker.READY:
                self._ready.set()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        os.kill(process.pid, signal.SIGCONT)  # a stopped process hears nothing else
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
