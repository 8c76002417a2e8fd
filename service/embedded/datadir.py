"""The data dir: one folder for all that a laptop's Afterword keeps, used by one at a time."""

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from service.embedded.account import Account
from service.embedded.home import settle, sockets
from service.embedded.programs import Programs, programs
from service.embedded.record import Record, password, recall, remember
from service.errors import StartError

Say = Callable[[str], None]


class InUseError(StartError):
    """Another Afterword uses the data dir."""


@dataclass(slots=True)
class DataDir:
    """A data dir that we hold, and what the stores in it are run with.

    `home` belongs to `account`, which is not us where root started us; `say` takes a line for
    the person who waits.
    """

    path: Path
    account: Account
    programs: Programs
    home: Path
    record: Record
    say: Say

    @property
    def sockets(self) -> Path:
        """The folder of both sockets."""
        return Path(self.record.sockets)

    def keep_passwords(self, postgres: str, service: str) -> None:
        """Remember the passwords that the database has now. Raises OSError."""
        self.record = msgspec.structs.replace(self.record, postgres=postgres, service=service)
        remember(self.path, self.record)


@contextlib.asynccontextmanager
async def hold(path: Path, say: Say) -> AsyncIterator[DataDir]:
    """Hold the data dir at `path`, made where there is none. Raises InUseError, StartError.

    The lock is the kernel's: it ends with the process that took it, however that ends, and with
    those forked from it that run no other program.
    """
    with usable(path):
        lock = _lock(path)
    try:
        with usable(path):
            data = _open(path, say)
        try:
            yield data
        finally:
            if data.sockets != data.home:
                with contextlib.suppress(OSError):  # a store that still runs has its socket there
                    data.sockets.rmdir()
    finally:
        os.close(lock)


@contextlib.contextmanager
def usable(path: Path) -> Iterator[None]:
    """Turn what the system says of the data dir at `path` into a StartError."""
    try:
        yield
    except OSError as error:
        where = "" if error.filename in {None, str(path)} else f": {error.filename}"
        raise StartError(
            f"The data dir {path} can't be used ({error.strerror}{where}): mend that, "
            "or set AFTERWORD_DATA_DIR to a folder that Afterword may write to."
        ) from error


def _lock(path: Path) -> int:
    """Take the lock of a data dir, made where there is none."""
    if not path.exists():
        path.mkdir(parents=True)
        # Root's stores run as somebody else, who must be able to pass to their folder. Nothing
        # in there is for others to read.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise InUseError(
            f"Another Afterword is using {path}: stop it, or set AFTERWORD_DATA_DIR to another folder."
        ) from None
    except OSError:
        os.close(lock)
        raise
    return lock


def _open(path: Path, say: Say) -> DataDir:
    """Settle who runs the stores, where, from which programs, and write that down."""
    path = path.resolve()
    before = recall(path)
    account, home = settle(path, before.home if before else None, say)
    record = Record(
        home=str(home),
        sockets=str(sockets(home, account)),
        valkey=before.valkey if before else password(),
        postgres=before.postgres if before else None,
        service=before.service if before else None,
    )
    if record != before:
        remember(path, record)
    return DataDir(path, account, programs(account, say), home, record, say)
