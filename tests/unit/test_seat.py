"""A seat on a real transport: what is written past it and what waits in it arrives whole and in order."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop
from websockets.frames import Opcode

from service.frame import Frame
from service.protocol import Close, Readers, Refused
from service.rooms.reader import FULL
from service.web.seat import UNFINISHED_SECONDS, Seat
from tests.line import PONG, Line, framed, seat, unframed

PATIENCE = 5.0
NewLoop = Callable[[], asyncio.AbstractEventLoop]
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[Seat, socket.socket]]:
    """A seat, and its client's end, of which nothing is read by itself."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
    made = seat(transport)
    try:
        yield made, theirs
    finally:
        transport.abort()
        theirs.close()


async def received(client: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = b""
    async with asyncio.timeout(PATIENCE):
        while len(data) < size:
            data += await asyncio.get_running_loop().sock_recv(client, 1 << 16)
    return data


def large(number: int, size: int) -> Frame:
    return Frame(Refused(None, "malformed", f"{number} " + "x" * size))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [10, 3000, 50_000])
def test_all_arrives_in_order_however_slowly_it_is_taken(loop: NewLoop, size: int) -> None:
    async def main() -> None:
        async with connected() as (reader, client):
            sent = b""
            for number in range(400):
                frame = large(number, size)
                if reader.send(frame):
                    sent += frame.socket
                elif number % 3 == 0:
                    reader.write(frame.socket)  # an answer to an act of its own goes out even now
                    sent += frame.socket
                if number % 100 == 99:
                    await asyncio.sleep(0)
                if reader.full:
                    part = await received(client, len(sent))
                    assert part == sent
                    sent = b""
                    await asyncio.sleep(0.01)
            assert await received(client, len(sent)) == sent
            assert not reader.gone

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_line_that_is_full_takes_nothing_but_answers(loop: NewLoop) -> None:
    async def main() -> None:
        async with connected() as (reader, client):
            sent = b""
            while reader.send(frame := large(1, 10_000)):
                sent += frame.socket
            assert reader.full
            assert not reader.send(Frame(Readers(1)))
            assert FULL == 64 * 1024
            assert await received(client, len(sent)) == sent
            await asyncio.sleep(0.01)
            assert reader.send(Frame(Readers(2)))
            assert list(unframed(await received(client, 10))) == [(0x81, b'{"type":"readers","readers":2}')]

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_an_answer_that_waits_is_not_overtaken() -> None:
    async with connected() as (reader, client):
        reader.send(large(1, 10))
        reader.write(large(2, 10).socket)  # waits for the loop
        reader.send(large(3, 10))
        size = sum(len(large(number, 10).socket) for number in (1, 2, 3))
        numbers = [payload for _, payload in unframed(await received(client, size))]
        assert [b'"1 ' in numbers[0], b'"2 ' in numbers[1], b'"3 ' in numbers[2]] == [True] * 3


def begun_at(reader: Seat, second: float, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "time", lambda: second)
        reader.data_received(data)


async def test_who_does_not_finish_a_message_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    reader, begun = seat(line), asyncio.get_running_loop().time()
    part = framed(b"never", fin=False)
    begun_at(reader, begun, part, monkeypatch)
    for second in range(1, 10):  # to be busy does not help
        begun_at(reader, begun + second, framed(b"x", Opcode.CONT, fin=False), monkeypatch)
        begun_at(reader, begun + second, framed(b"", Opcode.PING), monkeypatch)
    reader.beat(begun + UNFINISHED_SECONDS)
    assert not reader.gone
    reader.beat(begun + UNFINISHED_SECONDS + 0.1)
    assert line.aborted
    assert UNFINISHED_SECONDS == 10


async def test_who_talks_without_a_pause_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, begun = seat(Line()), asyncio.get_running_loop().time()
    half = len(PONG) // 2
    begun_at(reader, begun, PONG[:half], monkeypatch)
    for second in range(30):  # each read ends in the middle of a message
        begun_at(reader, begun + second, PONG[half:] + PONG[:half], monkeypatch)
        reader.beat(begun + second)
    assert not reader.gone


async def test_after_a_broken_frame_nothing_is_read() -> None:
    async with connected() as (reader, client):
        reader._transport.set_protocol(reader)
        await asyncio.get_running_loop().sock_sendall(client, b"\x81\x00")
        assert list(unframed(await received(client, 4))) == [(0x88, int(Close.PROTOCOL_ERROR).to_bytes(2))]
        await asyncio.get_running_loop().sock_sendall(client, framed(b'{"type":"pong"}') * 3)
        await asyncio.sleep(0.05)
        assert reader.closed
        assert reader._inbox is None
        reader._transport.set_protocol(asyncio.Protocol())


class Watch(asyncio.Protocol):
    """Sees whether a descriptor is still open when its connection is lost."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.inode = os.fstat(descriptor).st_ino
        self.lost = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason
        """Look."""
        self.lost.set_result(os.fstat(self.descriptor).st_ino == self.inode)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("end", ["abort", "close", "hang up"])
def test_a_descriptor_is_open_until_the_connection_is_lost(loop: NewLoop, end: str) -> None:
    """Else a frame could go to a stranger, whose connection has the number by then."""

    async def main() -> None:
        async with connected() as (reader, client):
            transport = reader._transport
            reader.send(Frame(Readers(1)))
            watch = Watch(reader._fd)
            transport.set_protocol(watch)
            if end == "hang up":
                client.close()
            else:
                getattr(transport, end)()
            assert await asyncio.wait_for(watch.lost, PATIENCE)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
