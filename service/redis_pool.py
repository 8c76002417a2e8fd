"""Connections to Redis that let a task be cancelled while it sends.

redis-py 8.1 sends under `asyncio.wait_for`, which up to Python 3.11 forgets that it was cancelled where what it waited
for was done in the same moment (python/cpython#86296): the task then goes on, and whoever cancelled it waits for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio import ConnectionPool


def make(url: str, **options: Any) -> ConnectionPool:  # noqa: ANN401 - redis-py's own
    """Return a pool of such connections; it connects when asked, not before.

    They don't tell Redis which library they are: for that redis-py opens a file for each of them, which fails where
    file descriptors are used up.
    """
    pool = ConnectionPool.from_url(url, driver_info=None, **options)

    class Connection(pool.connection_class):  # type: ignore[name-defined, misc]
        """A connection of the kind that the URL asks for."""

        async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
            """Send, and end as cancelled if that was asked for meanwhile; then nobody will read the answer."""
            task = asyncio.current_task()
            before = task.cancelling() if task else 0
            try:
                await super().send_packed_command(command, check_health)
            finally:  # where it failed in that moment, too
                if task and task.cancelling() > before:
                    await self.disconnect(nowait=True)  # else the next to use it would take that answer for its own
                    raise asyncio.CancelledError

    pool.connection_class = Connection
    return pool
