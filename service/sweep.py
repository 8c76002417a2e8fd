"""The sweep: what is kept for a time only is erased when that is over, and what is open for a time only is closed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service.errors import Unavailable
from service.store.retention import Retention

EVERY_SECONDS = 3600.0
RETRY_SECONDS = 60.0  # while the database is away
TURN_SECONDS = 0.2  # while another worker sweeps

log = logging.getLogger(__name__)


class Sweep:
    """Erases in small steps, one worker at a time, so that nobody who posts waits for long.

    `close` closes what has been open for long enough, and says how much that was; `swept` is called when all is erased,
    by this worker or another.
    """

    def __init__(
        self,
        retention: Retention,
        close: Callable[[], Awaitable[int]] | None = None,
        swept: Callable[[], None] | None = None,
    ) -> None:
        self._retention = retention
        self._close = close
        self._swept = swept

    async def once(self) -> int:
        """Erase all that is due; of how many comments. Raises `Unavailable`."""
        total = 0
        while (erased := await self._retention.step()) != 0:
            if erased is None:
                await asyncio.sleep(TURN_SECONDS)
            else:
                total += erased
        return total

    async def run(self) -> None:
        """Sweep at once and every hour, until cancelled."""
        while True:
            try:
                if erased := await self.once():
                    log.info("what was kept for long enough is erased", extra={"comments": erased})
                if self._swept:
                    self._swept()
                if self._close and (closed := await self._close()):
                    log.info("what was open for long enough is closed", extra={"threads": closed})
                pause = EVERY_SECONDS
            except Unavailable:
                pause = RETRY_SECONDS
            await asyncio.sleep(pause)
