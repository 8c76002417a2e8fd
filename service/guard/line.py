"""A connection that is written to, and whether its client takes what is written."""

import asyncio
import contextlib
import fcntl
import struct
import termios

STUCK_SECONDS = 10.0  # who takes nothing at all for so long, though something waits, is let go of


class Line:
    """A connection, as far as writing goes. `_written`: bytes, as far as who writes tells."""

    __slots__ = ("_taken", "_taking", "_transport", "_written")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written = 0
        self._taken = 0
        self._taking = asyncio.get_running_loop().time()

    @property
    def waiting(self) -> int:
        """Bytes that wait in the transport.

        None, where asyncio's for TLS was closed twice: it has let go of what would know (`asyncio.sslproto`).
        """
        with contextlib.suppress(AttributeError):
            return self._transport.get_write_buffer_size()
        return 0

    def stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for ten seconds; to be asked every second, or oftener.

        Where nobody tells what is written, something is taken when less waits than before.
        """
        waiting = self.waiting
        taken = self._written - waiting - _unacknowledged(self._transport) if waiting else self._written
        if waiting == 0 or taken > self._taken:
            self._taking = now
        self._taken = taken
        return now - self._taking > STUCK_SECONDS

    def cut(self) -> None:
        """Cut it off: only that frees a buffer that nobody reads; `close` would wait for it."""
        self._transport.abort()


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Bytes that the kernel has taken and the client has not (tcp(7), SIOCOUTQ): a slow line empties these first."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # the connection has ended, or is no socket's
        line = transport.get_extra_info("socket")
        return int(struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, bytes(4)))[0])
    return 0
