"""What a store says, in a file that stays small."""

import os
from pathlib import Path

LARGEST = 1024 * 1024  # bytes
KEPT = 64 * 1024  # bytes that are left of a log that grew beyond
TELLING = ("FATAL:", "PANIC:"), ("error:", "could not")  # the first that is found tells the cause
HIDING = "the database system is"  # starting up: said to whoever asks too early


class Log:
    """The log of one store. The store gets it opened, so it need not be able to go there."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._start = 0

    def open(self) -> int:
        """Return a descriptor to append to, for a program that starts now. Raises OSError."""
        self.trim()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        log = os.open(self.file, flags, 0o600)
        self._start = os.fstat(log).st_size
        return log

    def trim(self) -> None:
        """Keep only the end of a log that grew too large. Raises OSError.

        The store goes on at the end, wherever that is (O_APPEND). What it says meanwhile is lost.
        """
        if not self.file.exists() or self.file.stat().st_size <= LARGEST:
            return
        with os.fdopen(os.open(self.file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b") as file:
            file.seek(-KEPT, os.SEEK_END)
            end = file.read()
            file.seek(0)
            file.truncate()
            file.write(end)
        self._start = 0

    def reason(self) -> str:
        """Return the line that tells best why the program ended, of those since its start."""
        with self.file.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._start, size - KEPT))
            lines = file.read(KEPT).decode(errors="replace").splitlines()
        spoken = [line.strip() for line in lines if line.strip() and HIDING not in line]
        telling = [line for words in TELLING for line in spoken if any(word in line for word in words)]
        line = (telling or spoken[-1:] or ["it said nothing"])[0]
        return line.partition("] ")[2] or line  # without the time and the process
