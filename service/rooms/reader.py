"""One who reads along: an open line to a client, written to without ever waiting."""

import asyncio
import random
from abc import ABC, abstractmethod

from service.frame import Frame
from service.guard.line import Line
from service.protocol import Close

FULL = 64 * 1024  # bytes that a client has not taken yet, beyond which it gets nothing but answers to its own acts,
MAX_BUFFER = 256 * 1024  # and beyond which it is let go of
PING_SECONDS = 15.0
CLOSING_SECONDS = 2.0  # for which a client may take its time to hang up


class Reader(Line, ABC):
    """A reader and its line. `version`: the last one written to it; None: it has to begin anew."""

    __slots__ = ("_next_ping", "closed", "version")

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        chance = random.uniform(0, PING_SECONDS)  # noqa: S311 - so that a storm does not beat in step
        self._next_ping = self._taking + chance
        self.closed = False
        self.version: int | None = None

    @property
    def full(self) -> bool:
        """Whether the client has too much to take already."""
        return self.waiting > FULL

    @property
    def gone(self) -> bool:
        """Whether nothing reaches the client any more."""
        return self.closed or self._transport.is_closing()

    @abstractmethod
    def send(self, frame: Frame) -> bool:
        """Write a message, as this kind of line frames it; False, and nothing is written, where the line is full."""

    def push(self, data: bytes) -> bool:
        """Write what is framed already, unless the line is full."""
        if self.full:
            return False
        self.write(data)
        return True

    def write(self, data: bytes) -> None:
        """Write what is framed already, full or not."""
        if self.gone:
            return
        waiting = self.waiting
        if waiting and waiting + len(data) > MAX_BUFFER:
            self.drop(Close.TOO_SLOW)
        else:
            self._written += len(data)
            self._transport.write(data)

    def beat(self, now: float) -> bool:
        """Whether it is time for a ping; to be asked every second. Lets go of who takes nothing."""
        if self.stuck(now):
            self.drop(Close.TOO_SLOW)
        if self.gone or now < self._next_ping or self.full:
            return False
        self._next_ping = now + PING_SECONDS
        return True

    def close(self, code: Close | int) -> None:
        """Say goodbye once; whoever does not answer is cut off."""
        if not self.gone:
            self._part(code)
            asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._transport.abort)
        self.closed = True

    def drop(self, code: Close) -> None:
        """Say goodbye, and cut off at once."""
        self.close(code)
        self.cut()

    @abstractmethod
    def _part(self, code: Close | int) -> None:
        """Say on this kind of line that it ends, and why."""
