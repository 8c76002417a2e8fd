"""Where the faults strike: a site of four workers on stores of its own, with a line to each store."""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.clock import Clock, worn
from tests.faults.line import Line
from tests.faults.stores import Stores, stores
from tests.site import Site, eventually, serving

WORKERS = 4


class EndedError(Exception):
    """The supervisor ended, and the site with it."""


@dataclass(slots=True)
class Setting:
    """A running site and everything that can be done to it. `clock` is None where none could be made."""

    site: Site
    stores: Stores
    to_postgres: Line
    to_redis: Line
    clock: Clock | None
    log: Path

    async def whole(self) -> bool:
        """Whether all workers run, and each listens for hints."""
        async with self.stores.redis as client:
            listening = await client.pubsub_channels("afterword:*:worker:*")
        return len(await self.site.workers()) == len(listening) == WORKERS


@contextlib.asynccontextmanager
async def setting(slugs: Iterable[str]) -> AsyncIterator[Setting]:
    """A site with an open thread of each slug."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name, worn() as clock:
        folder = Path(name)
        async with (
            stores() as own,
            Line(own.sockets / ".s.PGSQL.5432").laid() as to_postgres,
            Line(own.sockets / "valkey.sock").laid() as to_redis,
            serving(
                folder / "log",
                DATABASE_URL=own.postgres_url(to_postgres.port),
                REDIS_URL=own.redis_url(to_redis.port),
                SECRET=secrets.token_hex(16),
                WORKERS=str(WORKERS),
                POSTS_PER_MINUTE="0",
                CONNECTIONS_PER_ADDRESS="0",
            ) as site,
        ):
            running = Setting(site, own, to_postgres, to_redis, clock, folder / "log")
            (folder / "articles").mkdir()
            await site.load(folder / "articles", *slugs)
            await eventually(running.whole, 60)
            try:
                yield running
            finally:  # no worker can leave in order while its stores hang
                to_postgres.mend()
                to_redis.mend()


def resident(pids: Iterable[int]) -> int:
    """The memory of these processes, in bytes, as far as they still run."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return total


def serves(pids: Iterable[int], port: int) -> int:
    """Which of these processes holds the other end of a TCP connection from a local port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].split(":")[1], 16) == port:
            inodes.add(f"socket:[{fields[9]}]")
    return next(pid for pid in pids if inodes & _sockets(pid))


def _sockets(pid: int) -> set[str]:
    """What the descriptors of a process stand for, as far as they still do."""
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(file.readlink()))
    return found


async def replaced(site: Site, old: set[int]) -> None:
    """Return when the supervisor has started other workers instead of these. Raises TimeoutError, `EndedError`."""

    async def full_again() -> bool:
        if site.process.returncode is not None:
            raise EndedError
        workers = await site.workers()
        return len(workers) == WORKERS and not old & set(workers)

    await eventually(full_again, 30)
