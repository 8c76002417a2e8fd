"""The bundled Postgres."""

import signal

import asyncpg

from service.embedded.cluster import OPTIONS, Cluster, folder, title
from service.embedded.datadir import DataDir, usable
from service.embedded.process import Process
from service.errors import StartError

PATIENCE = 300.0  # seconds: recovery reads up to max_wal_size, on whatever disk
STOPPING = (
    (signal.SIGINT, 8.0),  # fast: sessions are ended, everything is written
    # Immediate: recovers at the next start. Needed where one of its processes was just killed:
    # Postgres 18.6 waits for ever when told to stop fast while it recovers from that.
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)
NOT_NOW = (
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
)


class Postgres:
    """The Postgres of a data dir that is held."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._process = Process(
            data,
            "postgres",
            marks=(f"/postgres -D {folder(data)} ", f"postgres: {title(data)}: "),
            stopping=STOPPING,
        )
        self._cluster = Cluster(data, self._process)

    @property
    def url(self) -> str:
        """Where it answers, for asyncpg, to the role that serves. Complete when it was started once."""
        return self._data.record.urls.postgres

    @property
    def owner_url(self) -> str:
        """The same for the role that owns what is in it."""
        return self._data.record.urls.owner

    async def start(self) -> None:
        """Start it and return when it answers; nothing is done where it runs. Raises StartError.

        The first start makes the database. What an earlier run left behind is stopped before.
        """
        if self._process.alive:
            return
        with usable(self._data.path):
            await self._process.end()
            await self._cluster.prepare()
            await self._process.launch(
                self._data.programs.postgres,
                *("-D", self._cluster.folder),
                *("-c", f"cluster_name={title(self._data)}"),
                *("-c", f"unix_socket_directories={self._data.sockets}"),
                *OPTIONS,
            )
            await self._process.until(self._answers, PATIENCE)

    async def _answers(self) -> bool:
        return await answers(self.owner_url) and await answers(self.url)

    async def wait(self) -> int:
        """Return the exit status when it has ended (negative: by that signal)."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it, cleanly if it lets us; at any time, also after a start that failed."""
        await self._process.end()


async def answers(url: str) -> bool:
    """Whether a Postgres lets us in at `url`. Raises StartError where it knows another password."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except asyncpg.InvalidPasswordError:
        raise StartError(
            "The bundled Postgres has another password than stores.json: stop Afterword, remove "
            "that file from the data dir and start again; the stores get new passwords."
        ) from None
    except (OSError, *NOT_NOW):
        return False
    await connection.close()
    return True
