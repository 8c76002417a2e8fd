"""A server under measure, with every process that belongs to it, on a core of its own."""

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

SERVER, LOAD = 0, 1  # cores
CORES = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()  # before any is chosen
PATIENCE = 60.0  # seconds that a server may take to start
TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds: as fine as the kernel counts
ROOT = Path(__file__).parents[1]


class Broken(Exception):
    """A measurement that means nothing; it says why."""


class Process:
    """A server and its family, in a folder that goes with it. `path` answers once it serves."""

    def __init__(
        self,
        command: Callable[[Path, int], Sequence[str]],
        environ: Callable[[Path, int], Mapping[str, str]],
        path: str,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="afterword-bench-"))
        self.folder.chmod(0o755)  # the stores may run as another user
        self.port = _free_port()
        self._mark = f"AFTERWORD_BENCH_{secrets.token_hex(8)}".encode()
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command(self.folder, self.port),
                cwd=ROOT,
                env={**os.environ, **environ(self.folder, self.port), "MARK": self._mark.decode()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: pin(SERVER),
            )
        try:
            self._wait(path)
        except BaseException:
            self.stop()
            raise

    def run(self, command: Sequence[str], environ: Mapping[str, str], said: bytes = b"") -> None:
        """Run a command that belongs to it, to its end; `said` is what it reads."""
        subprocess.run(
            command, check=True, cwd=ROOT, env={**os.environ, **environ}, input=said, stdout=subprocess.DEVNULL
        )

    def get(self, path: str) -> bytes:
        """What it answers. Raises OSError and `HTTPException` where it does not, or not with 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200:
                raise http.client.HTTPException(f"{path}: {answer.status}")
            return answer.read()

    def pids(self, name: str = "") -> list[int]:
        """Its processes, those whose command line holds `name`: who carry its mark or name its folder, and theirs.

        Postgres and nginx write over their environment, and a postmaster leaves the tree that it was born in.
        """
        parents, family = {}, set()
        for pid in _all_pids():
            with contextlib.suppress(OSError):
                parents[pid] = int(_stat(pid)[1])
                if self._mark in _read(pid, "environ") or os.fsencode(self.folder) in _read(pid, "cmdline"):
                    family.add(pid)
        for pid in parents:
            line = [pid]
            while line[-1] in parents and line[-1] not in family:
                line.append(parents[line[-1]])
            if line[-1] in family:
                family.update(line)
        return sorted(pid for pid in family if name.encode() in _read(pid, "cmdline").replace(b"\0", b" "))

    def cpu(self) -> float:
        """Seconds of processor time that its living processes have taken."""
        return sum(_cpu(pid) for pid in self.pids())

    def memory(self) -> int:
        """Bytes resident, of all its processes."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(int((_read(pid, "statm").split() or [b"0", b"0"])[1]) * page for pid in self.pids())

    def sockets(self, name: str) -> dict[int, int]:
        """How many sockets each process has open whose command line holds `name`."""
        return {pid: _sockets(pid) for pid in self.pids(name)}

    def stop(self) -> None:
        """End it, and whatever of it does not end by itself."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, path: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.get(path)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise Broken(f"a server did not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")


def pin(core: int) -> None:
    """Keep this process on a core, where there are two."""
    if {SERVER, LOAD} <= CORES:
        os.sched_setaffinity(0, {core})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _all_pids() -> Iterator[int]:
    return (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _stat(pid: int) -> list[str]:
    """The fields of proc(5), stat, from the state on: the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _sockets(pid: int) -> int:
    count = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            count += str(each.readlink()).startswith("socket:")
    return count


def _cpu(pid: int) -> float:
    try:
        fields = _stat(pid)
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK
