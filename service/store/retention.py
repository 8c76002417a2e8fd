"""What is kept for a time only, in Postgres: the hashes of who wrote, and text that was removed."""

import datetime
from typing import cast

from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("retention")
LIFTED = datetime.timedelta(days=1)  # for so long the lifting of a ban can be undone
STEP = 500  # comments whose threads are locked at a time: some milliseconds


class Retention:
    """How long that is, in days: for the hashes, from when a comment was accepted; for a text, from its removal."""

    def __init__(self, pool: Pool, address_days: int, removed_days: int) -> None:
        self._pool = pool
        self._address = datetime.timedelta(days=address_days)
        self._removed = datetime.timedelta(days=removed_days)

    async def step(self) -> int | None:
        """Erase some of what is due; how much. None while another worker does. Raises `Unavailable`."""
        async with available():
            await self._pool.execute(SQL["forget_lifted"], LIFTED)
            return cast("int | None", await self._pool.fetchval(SQL["sweep"], self._address, self._removed, STEP))
