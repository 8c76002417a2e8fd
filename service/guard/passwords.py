"""Passwords as argon2id hashes (RFC 9106, its second recommended choice: 64 MiB, three passes, four lanes)."""

import asyncio
import base64
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY as PROFILE

from service.errors import TooMany

AT_ONCE = 2  # hashes are made: each takes 64 MiB, and a processor for a twentieth of a second
WAITING = 16  # that may wait for their turn; then who asks is told to come back
LEAST = 12  # characters of a new password


class Passwords:
    """Makes hashes and compares with them, in threads, a few at a time."""

    def __init__(self) -> None:
        assert PROFILE.type is Type.ID
        self._hasher = PasswordHasher.from_parameters(PROFILE)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._asking = 0

    async def hash(self, password: str) -> str:
        """A new hash, with its salt and parameters in it."""
        return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def match(self, known: str | None, password: str) -> bool:
        """Whether a password is the one of a hash. Raises `TooMany`.

        Where there is none to compare with, because nobody has the name, it takes as long: the time tells nothing.
        """
        if self._asking >= WAITING:
            raise TooMany(retry_after=1)
        self._asking += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._verify, known or NOBODY, password) and known is not None
        finally:
            self._asking -= 1

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    """A password as every keyboard writes it (NFC); whatever a form may hold is one."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _nobody() -> str:
    """A hash of the usual cost that no password is known for."""
    parts = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in (PROFILE.salt_len, PROFILE.hash_len))
    cost = f"m={PROFILE.memory_cost},t={PROFILE.time_cost},p={PROFILE.parallelism}"
    return "$".join(("", "argon2id", f"v={PROFILE.version}", cost, *parts))


NOBODY = _nobody()
