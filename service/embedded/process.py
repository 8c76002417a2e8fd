"""A program of the bundled stores: started by us, found again by whoever comes after us."""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from service.embedded.datadir import DataDir
from service.embedded.log import Log
from service.embedded.ps import find
from service.errors import StartError

TICK = 0.02  # seconds between two looks
TRIM = 60.0  # seconds between two looks at the size of the log


class Process:
    """The one process of a store that may run: its server, or a program that prepares for it.

    It inherits a lock on the file `<name>.lock`, and so do its descendants. The kernel frees that
    when the last of them is gone, whoever was killed in whatever order: the lock alone tells
    whether something is left of an earlier run. Whom to signal then is found by the command line,
    as numbers are used again: the first of `marks` is in that of the server, the others are in
    those of processes that may outlive it. `stopping` is the ladder of signals, each with the
    seconds that it is given.
    """

    def __init__(
        self, data: DataDir, name: str, *, marks: Sequence[str], stopping: Sequence[tuple[signal.Signals, float]]
    ) -> None:
        self._data = data
        self._name = name
        self._marks = marks
        self._stopping = stopping
        self._log = Log(data.path / f"{name}.log")
        self._popen: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Future[int] | None = None

    @property
    def alive(self) -> bool:
        """Whether what we started still runs."""
        return self._popen is not None and self._popen.poll() is None

    async def launch(self, *command: str | Path, stdin: str = "") -> None:
        """Start a program, when nothing of an earlier one is left. Raises OSError, StartError."""
        lock = self._open_lock()
        try:
            if not await self._quiet(lock):
                raise StartError(
                    f"Processes of an earlier {self._name} still use {self._data.home} "
                    "and don't end: end them, then start again."
                )
            self._spawn(command, stdin, lock)
        finally:
            os.close(lock)  # the program has inherited it

    async def run(self, *command: str | Path, stdin: str = "") -> None:
        """Run a program to its end. Raises OSError, StartError with what it complained of."""
        await self.launch(*command, stdin=stdin)
        if await self.wait():
            raise StartError(
                f"{Path(command[0]).name} could not prepare {self._data.home}: "
                f"{self._log.reason()}; mend that, then start again."
            )

    async def until(self, answers: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Return when the server answers. Raises StartError if it ends, or takes longer."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await answers():
            if not self.alive or asyncio.get_running_loop().time() > deadline:
                raise StartError(
                    f"The bundled {self._name} did not start: {self._log.reason()} "
                    f"(more in {self._log.file}); mend that, then start again."
                )
            await asyncio.sleep(TICK)

    async def wait(self) -> int:
        """Return the exit status of what we started last (negative: ended by that signal)."""
        if self._ended is None:
            raise RuntimeError("nothing was started")
        while True:
            # Not `wait_for`: the end is told once, several may wait for it, and each may be cancelled.
            ended, _ = await asyncio.wait([self._ended], timeout=TRIM)
            if ended:
                return self._ended.result()
            with contextlib.suppress(OSError):  # a log that can't be cut is no reason to stop
                self._log.trim()

    async def end(self) -> bool:
        """End what runs, whoever started it; whether nothing is left of it."""
        try:
            lock = self._open_lock()
        except OSError:  # the data dir was taken away: there is nothing to end cleanly
            if self._popen and self.alive:
                self._popen.kill()
                await self.wait()
            return True
        try:
            return await self._quiet(lock)
        finally:
            os.close(lock)

    def _open_lock(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._data.path / f"{self._name}.lock", flags, 0o600)

    async def _quiet(self, lock: int) -> bool:
        """Take the lock; where a process of the store has it, climb the ladder of signals."""
        if _taken(lock):
            return True
        if not self.alive:
            self._data.say(f"Stopping the {self._name} that an earlier run left behind …")
        for how, seconds in self._stopping:
            if await self._ends(lock, how, seconds):
                return True
        return False

    async def _ends(self, lock: int, how: signal.Signals, seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        told = False
        while asyncio.get_running_loop().time() < deadline:
            told = told or self._tell(how)  # again: a server is known by its mark a little late
            await asyncio.sleep(TICK)
            if _taken(lock):
                return True
        return False

    def _tell(self, how: signal.Signals) -> bool:
        """Signal the server, or what outlived it, if it is surely ours; whether there was any."""
        pids = [self._popen.pid] if self._popen and self.alive else []
        for mark in self._marks:
            pids = pids or find(mark, self._data.account.uid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        return bool(pids)

    def _spawn(self, command: Sequence[str | Path], stdin: str, lock: int) -> None:
        account = self._data.account
        log = self._log.open()
        try:
            popen = subprocess.Popen(  # noqa: S603 - programs of the wheels, arguments of ours
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._data.home,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops us in order
                umask=0o077,
                pass_fds=(lock,),
                user=account.user,
                group=account.group,
                extra_groups=account.groups,
            )
        except OSError as error:
            raise StartError(
                f"{command[0]} can't be run as {account.name} ({error.strerror}): use docker "
                "compose, or set AFTERWORD_DATABASE_URL and AFTERWORD_REDIS_URL."
            ) from error
        finally:
            os.close(log)
        if popen.stdin:
            with contextlib.suppress(BrokenPipeError), popen.stdin as pipe:
                pipe.write(stdin.encode())  # less than the 64 KiB of a pipe: it never blocks
        loop = asyncio.get_running_loop()
        self._popen, self._ended = popen, loop.create_future()
        # A thread: uvloop's own subprocesses can't change the user.
        threading.Thread(target=_watch, args=(popen, loop, self._ended), daemon=True).start()


def _environment() -> dict[str, str]:
    """Return our environment, without what steers Postgres and without our settings' secrets."""
    foreign = ("PG", "AFTERWORD_")
    kept = {key: text for key, text in os.environ.items() if not key.startswith(foreign)}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _taken(lock: int) -> bool:
    """Take a lock if nobody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _watch(popen: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, ended: asyncio.Future[int]) -> None:
    """Wait for the end of a process, in a thread of its own, and tell the loop."""
    status = popen.wait()
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
        loop.call_soon_threadsafe(ended.set_result, status)
