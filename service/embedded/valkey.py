"""The bundled Valkey: hints, limits and counts, all in memory; it may be lost at any time."""

import signal

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.embedded.datadir import DataDir, usable
from service.embedded.process import Process

PATIENCE = 10.0  # seconds: there is nothing to load
STOPPING = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
CONFIGURATION = """\
port 0
unixsocket {sockets}/valkey.sock
unixsocketperm 700
requirepass {password}
save ""
appendonly no
maxmemory 128mb
maxmemory-policy volatile-ttl
client-output-buffer-limit pubsub 64mb 32mb 30
slowlog-log-slower-than -1
hide-user-data-from-log yes
loglevel warning
"""


class Valkey:
    """The Valkey of a data dir that is held."""

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._process = Process(
            data,
            "valkey",
            marks=[f"/valkey-server unixsocket:{data.sockets}/valkey.sock "],
            stopping=STOPPING,
        )

    @property
    def url(self) -> str:
        """Where it answers, for redis-py."""
        return self._data.record.urls.valkey

    async def start(self) -> None:
        """Start it and return when it answers; nothing is done where it runs. Raises StartError.

        What an earlier run left behind is stopped before.
        """
        if self._process.alive:
            return
        # By standard input: everyone can read a command line, and a file would have to be guarded.
        configuration = CONFIGURATION.format(sockets=self._data.sockets, password=self._data.record.valkey)
        with usable(self._data.path):
            await self._process.launch(self._data.programs.valkey, "-", stdin=configuration)
            await self._process.until(lambda: answers(self.url), PATIENCE)

    async def wait(self) -> int:
        """Return the exit status when it has ended (negative: by that signal)."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it; at any time, also after a start that failed."""
        await self._process.end()


async def answers(url: str) -> bool:
    """Whether a Valkey lets us in at `url`."""
    once = Retry(NoBackoff(), 0)
    async with redis.Redis.from_url(url, retry=once, socket_timeout=5) as client:
        try:
            return bool(await client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
