"""How often one may try to sign in: from an address, and for a name, by whoever it is tried."""

import uuid

from redis.asyncio import Redis

from service.guard.limits import Limits

OF_ADDRESS, OF_NAME = 10, 10  # tries at once, and in a minute


class Tries:
    """Counts tries by address and by name, on all workers; by this worker alone while Redis is away."""

    def __init__(self, redis: Redis, site: str) -> None:
        self._of_address = Limits(redis, f"{site}:address", OF_ADDRESS)
        self._of_name = Limits(redis, f"{site}:name", OF_NAME)

    async def wait(self, visitor: str, name: str) -> float:
        """Seconds to wait before the next try; or 0, and it is counted. `name` is a keyed hash, as `visitor` is.

        Who has to wait as a visitor does not count against the name: nobody locks a moderator out from one address.
        """
        for limits, subject in ((self._of_address, visitor), (self._of_name, name)):
            if wait := await limits.wait(subject, uuid.uuid4()):
                return wait
        return 0.0
