"""Postgres and Valkey of the suite's own, to be killed, frozen, filled up and started again."""

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis

from service import embedded
from service.embedded import DataDir, Postgres, Valkey
from service.embedded.account import Account
from tests.site import PATIENCE, eventually

if TYPE_CHECKING:
    Session = asyncpg.Connection[asyncpg.Record]
else:
    Session = asyncpg.Connection

SIZE = 640  # MiB of the disk: enough for every fault, and filled in a moment
MEBIBYTE = bytes(1024 * 1024)
NOT_YET = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # what a Postgres says that is just starting


class Stores:
    """Both stores, as an operator's: `sql` and `redis` reach them past every line."""

    def __init__(self, folder: Path, data: DataDir, *, mounted: bool) -> None:
        self.postgres = Postgres(data)
        self.valkey = Valkey(data)
        self.sockets = data.sockets
        self._folder = folder
        self._cluster = data.home / "postgres"
        self._mounted = mounted
        self._account = data.account

    @property
    def redis(self) -> Redis:
        """A client of Valkey itself."""
        return Redis.from_url(self.valkey.url)

    @contextlib.asynccontextmanager
    async def sql(self) -> AsyncIterator[Session]:
        """A session of Postgres itself."""
        connection = await asyncpg.connect(self.postgres.owner_url, timeout=PATIENCE)
        try:
            yield connection
        finally:
            await connection.close(timeout=2)

    def postgres_url(self, port: int) -> str:
        """The address of Postgres at the other end of a line."""
        password = urlsplit(self.postgres.owner_url).password
        return f"postgresql://afterword:{password}@127.0.0.1:{port}/afterword?sslmode=disable"

    def redis_url(self, port: int) -> str:
        """The address of Valkey at the other end of a line."""
        return f"redis://:{urlsplit(self.valkey.url).password}@127.0.0.1:{port}"

    def postmaster(self) -> int:
        """The process id of Postgres."""
        return int((self._cluster / "postmaster.pid").read_text().split()[0])

    async def valkey_pid(self) -> int:
        """The process id of Valkey."""
        async with self.redis as client:
            return int((await client.info("server"))["process_id"])

    async def start_postgres(self) -> None:
        """Start Postgres where it does not run, and return when it takes statements."""
        await self.postgres.start()

        async def answers() -> bool:
            with contextlib.suppress(*NOT_YET):
                async with self.sql() as session:
                    return bool(await session.fetchval("SELECT true"))
            return False

        await eventually(answers, 60)

    @contextlib.asynccontextmanager
    async def full_disk(self) -> AsyncIterator[None]:
        """Leave Postgres no byte to write, while inside.

        Where no disk could be mounted its processes may write no file any more (RLIMIT_FSIZE), which is harsher: the
        log of transactions can't be written either, so Postgres panics and stays down.
        """
        if self._mounted:
            ballast = self._folder / "ballast"
            try:
                await asyncio.to_thread(_fill, ballast)
                yield
            finally:
                ballast.unlink()
        else:
            self._limit("0:")
            try:
                yield
            finally:
                self._limit("unlimited:")
        await self.start_postgres()

    def _limit(self, size: str) -> None:
        """Limit what Postgres may write, in its account's own name; if it is down, the next one has no limit."""
        with contextlib.suppress(OSError):
            pid = self.postmaster()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for each in (str(pid), *children):
                _runs("prlimit", "--pid", each, f"--fsize={size}", account=self._account)


@contextlib.asynccontextmanager
async def stores() -> AsyncIterator[Stores]:
    """Both stores, running, in a new folder; where root runs us that is a small disk in memory."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)
    with _disk(folder) as mounted:
        async with embedded.hold(folder, lambda _line: None) as data:
            running = Stores(folder, data, mounted=mounted)
            try:
                await running.postgres.start()
                await running.valkey.start()
                yield running
            finally:
                await asyncio.gather(running.postgres.stop(), running.valkey.stop())


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[bool]:
    """Mount a disk there, if that may be; whether it was. The folder is removed at the end."""
    options = f"size={SIZE}m,mode=0755"
    mounted = os.geteuid() == 0 and _runs("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            _runs("umount", "-l", str(folder))
        shutil.rmtree(folder)


def _runs(*command: str, account: Account | None = None) -> bool:
    """Whether a command does what it is told; a container may not mount, even as root."""
    user, group = (account.user, account.group) if account else (None, None)
    return subprocess.run(command, check=False, capture_output=True, user=user, group=group).returncode == 0


def _fill(ballast: Path) -> None:
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, MEBIBYTE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)
