"""Readers by the thousand: what `crowd.c` sees, as values."""

import subprocess
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from bench import tools
from bench.process import Broken

Mode = Literal["listen", "join", "return", "removals"]


class Seen(msgspec.Struct, frozen=True):
    """What all readers saw. Latencies in milliseconds, from the author's sending to the reader's reading."""

    readers: int
    frames: int
    marks: int
    disorder: int
    closed: int
    opened_s: float
    back_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float


class Removal(NamedTuple):
    """A comment's number, and when one reader learnt that it was removed, in nanoseconds of `time.monotonic_ns`."""

    no: int
    moment: int


class Removals(msgspec.Struct, frozen=True):
    """What readers of the mode `removals` saw, all of them together."""

    marks: int
    disorder: int
    closed: int
    removals: list[Removal]


class Crowd:
    """Readers who are there once this is made; each waits for so many `marks`, at most for some seconds."""

    def __init__(
        self,
        port: int,
        paths: Sequence[str],
        readers: int,
        *,
        marks: int = 0,
        seconds: float = 0.2,
        mode: Mode = "listen",
    ) -> None:
        program = str(tools.compiled("crowd"))
        self._process = subprocess.Popen(
            [program, str(port), str(readers), str(marks), str(seconds), mode, *paths],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self.seen()

    def seen(self) -> Seen:
        """Wait for its end. Raises `Broken`."""
        return msgspec.json.decode(self._end(), type=Seen)

    def removals(self) -> Removals:
        """The same for the mode `removals`."""
        return msgspec.json.decode(self._end(), type=Removals)

    def _end(self) -> bytes:
        with self._process as process:
            assert process.stdout is not None
            assert process.stderr is not None
            out, errors = process.stdout.read(), process.stderr.read()
        if process.returncode:
            raise Broken(f"readers were lost: {errors.decode()}")
        return out
