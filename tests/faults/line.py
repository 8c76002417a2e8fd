"""A line to a server, in which a fault can be set: it freezes, delays, narrows, or loses some of what it carries."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

PORTION = 64 * 1024  # bytes carried at once while the line is good
NARROW = 4 * 1024  # the same, and the kernel's buffer, where what waits is to wait in the server

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line:
    """A TCP port of its own, joined to `target`: the path of a Unix socket, or a TCP port of this machine.

    `sieve` may take something out of what the server says; it is called with every chunk and returns what passes.
    """

    def __init__(self, target: Path | int, *, narrow: bool = False) -> None:
        self.port = 0
        self.sieve: Callable[[bytes], bytes] | None = None
        self._target = target
        self._narrow = narrow
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._good = asyncio.Event()
        self._good.set()
        self._portion = 0
        self._pause = 0.0
        self._carriers: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator["Line"]:
        """Carry while inside."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.gather(*self._carriers, return_exceptions=True)

    def freeze(self) -> None:
        """Carry nothing more, in no direction; connections stay, and new ones are taken and not answered."""
        self._thawed.clear()

    def slow(self, pause: float, portion: int = 0) -> None:
        """Wait `pause` seconds before each chunk, of at most `portion` bytes where that is given."""
        self._pause, self._portion = pause, portion
        self._good.clear()

    def mend(self) -> None:
        """Be a good line again; what waited is carried at once."""
        self._pause, self._portion = 0.0, 0
        self.sieve = None
        self._good.set()
        self._thawed.set()

    def cut(self) -> None:
        """End every connection, and lose what they carried."""
        for carrier in self._carriers:
            carrier.cancel()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a new connection in a task of ours: asyncio complains of its own ones when they are cancelled."""
        carrier = asyncio.create_task(self._join(reader, writer))
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._thawed.wait()
            with contextlib.suppress(OSError):  # the server is away: the client sees its connection end
                far = await self._dial()
                try:
                    await self._converse((reader, writer), far)
                finally:
                    far[1].close()
        finally:
            writer.close()

    async def _dial(self) -> Ends:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        near = socket.socket()
        near.setblocking(False)
        if self._narrow:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        await asyncio.get_running_loop().sock_connect(near, ("127.0.0.1", self._target))
        return await asyncio.open_connection(sock=near, limit=NARROW if self._narrow else PORTION)

    async def _converse(self, near: Ends, far: Ends) -> None:
        """Carry in both directions until either end closes, as far as the line lets that be known."""
        directions = {
            asyncio.create_task(self._pump(near[0], far[1], heard=False)),
            asyncio.create_task(self._pump(far[0], near[1], heard=True)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, heard: bool) -> None:
        while data := await source.read(PORTION):
            if heard and self.sieve:
                data = self.sieve(data)
            await self._carry(data, sink)

    async def _carry(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        while data:
            if not self._good.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause):
                        await self._good.wait()
            await self._thawed.wait()
            size = self._portion or len(data)
            sink.write(data[:size])
            await sink.drain()
            data = data[size:]
