"""The schema: numbered SQL files, forward only, each in a transaction of its own."""

import asyncio
import hashlib
from pathlib import Path

import asyncpg

from service.errors import StartError
from service.store.database import Connection, available

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x4166746572  # "After": one migrates, the others wait
_WAIT_SECONDS = 60

_LEDGER = """
CREATE TABLE migrations (
    number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz DEFAULT now()
)
"""


async def migrate(connection: Connection, serving: str | None = None) -> list[str]:
    """Apply what is missing and name it; let the role `serving` serve by it. Any number may do this at once.

    Raises `StartError` where the database is newer than this code, a file changed after it was applied, or something is
    missing and this role may not change it.
    """
    async with available(_WAIT_SECONDS + 600):
        await _lock(connection)
        try:
            if not await connection.fetchval("SELECT to_regclass('migrations')"):
                await connection.execute(_LEDGER)
            rows = await connection.fetch("SELECT number, checksum FROM migrations")
            done = await _apply(connection, {row["number"]: row["checksum"] for row in rows})
            if serving:
                await connection.execute("SELECT let_serve($1)", serving)
            return done  # noqa: TRY300
        except asyncpg.InsufficientPrivilegeError as error:
            raise StartError(
                f"The database lacks migrations, and this role may not make them ({error}): run "
                "`python -m service migrate` with AFTERWORD_OWNER_URL, the URL of the role that owns the tables."
            ) from None
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _lock(connection: Connection) -> None:
    """Take the lock by trying: a session that waits inside Postgres deadlocks with CREATE INDEX CONCURRENTLY."""
    async with asyncio.timeout(_WAIT_SECONDS):
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _apply(connection: Connection, applied: dict[int, str]) -> list[str]:
    done = []
    files = {int(path.name.split("_")[0]): path for path in sorted(_FOLDER.glob("*.sql"))}
    if newer := applied.keys() - files.keys():
        raise StartError(
            f"The database has migration {max(newer)}, which this release of Afterword does not know; run a newer one."
        )
    for number, path in files.items():
        text = path.read_text("utf-8")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if number in applied:
            if applied[number] != checksum:
                raise StartError(f"Migration {path.name} was changed after it was applied; restore the released file.")
            continue
        async with connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'")
            await connection.execute(text, timeout=600)
            await connection.execute(
                "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                number,
                path.name,
                checksum,
            )
        done.append(path.name)
    return done
