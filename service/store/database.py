"""Connections to Postgres: how they are opened, and how the driver's errors become ours."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from service.errors import Unavailable

if TYPE_CHECKING:  # generic for the type checker only
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection, Pool = asyncpg.Connection, asyncpg.Pool

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 5.0

# Told to every session: accepted means on disk; and neither a lock nor a lost client holds anything for long.
_SESSION = {
    "application_name": "afterword",
    "synchronous_commit": "on",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "2s",
    "tcp_user_timeout": "5s",
    "timezone": "UTC",
    "jit": "off",
}

# What passes when one waits or tries another connection. Everything else is a mistake of ours and stays loud.
_AWAY = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says of a connection that the server ended while it was idle
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # shutdown, crash, statement timeout
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a standby has no timeline of its own to write
    asyncpg.PostgresIOError,
    asyncpg.InternalServerError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


@contextlib.asynccontextmanager
async def available(seconds: float = CONNECT_SECONDS + STATEMENT_SECONDS) -> AsyncIterator[None]:
    """Raise `Unavailable` where the database is away, as far as one can tell in that time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except _AWAY as error:
        raise Unavailable(retry_after=2) from error


async def connect(url: str) -> Connection:
    """One connection to the primary among the hosts of `url`. Raises `Unavailable`."""
    async with available():
        return await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS + 1,
            server_settings=_SESSION,
            target_session_attrs=SessionAttribute.primary,
        )


async def role(connection: Connection) -> str:
    """As whom a connection works."""
    return str(await connection.fetchval("SELECT current_user"))


class _Shared(Connection):
    """A connection of a pool: no query leaves anything in its session, so nothing is asked to clean up after each."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        """None."""
        return ""


def pool(url: str, size: int) -> Pool:
    """A pool to be opened by `await`; it connects when asked, not before."""
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS + 1,
        server_settings=_SESSION,
        target_session_attrs=SessionAttribute.primary,
        connection_class=_Shared,
    )
