"""Readers: a line is written to without waiting, and who does not take what is written costs nobody but itself."""

import asyncio
import socket
import ssl
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from websockets.frames import Opcode

from service import frame
from service.frame import Frame
from service.guard.line import STUCK_SECONDS
from service.protocol import Close, Epoch, Ping
from service.rooms import reader as module
from service.rooms.reader import FULL, MAX_BUFFER, PING_SECONDS, Reader
from service.web.events import StreamReader
from service.web.seat import SILENT_SECONDS, Seat
from tests.ground import Ground
from tests.line import PONG, Line, framed, seat, unframed

PATIENCE = 20.0  # seconds that any condition may take on a busy machine
PING = Frame(Ping(Epoch("e.1"), 12), (Epoch("e.1"), 12))
KINDS = ["socket", "stream"]


@pytest.fixture(autouse=True)
def never_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reader's first ping is due at once."""
    monkeypatch.setattr("random.uniform", lambda low, _high: low)


def joined(kind: str = "socket") -> tuple[Line, Reader, float]:
    """A line, its reader, and when it began."""
    begun, line = asyncio.get_running_loop().time(), Line()
    return line, seat(line) if kind == "socket" else StreamReader(line, chunked=True), begun


def codes(line: Line) -> list[int]:
    """The close frames that a client has taken."""
    return [struct.unpack("!H", payload)[0] for first, payload in unframed(line.taken) if first == 0x88]


class Farewells(Line):
    """A line that notes what was written to it last, taken or not: an abort loses it, a client may have it."""

    last = b""

    def write(self, data: Any) -> None:
        """Note it."""
        self.last = data
        super().write(data)


def stuck(waiting: int = 0) -> tuple[Farewells, Seat, float]:
    """A reader who has so much to take already, and takes nothing more."""
    begun, line = asyncio.get_running_loop().time(), Farewells()
    reader = seat(line)
    line.stuck = True
    if waiting:
        reader.write(b"x" * waiting)
    return line, reader, begun


def dropped(line: Farewells, reader: Reader, code: Close) -> bool:
    """Whether a reader was told why it has to go, and cut off."""
    return line.aborted and reader.closed and reader.gone and line.last == frame.close(code)


# How much may wait


async def test_a_line_is_full_beyond_64_kib() -> None:
    line, reader, _ = stuck(FULL)
    full = [reader.full]
    reader.write(b"x")
    full.append(reader.full)
    line.take(1)
    full.append(reader.full)
    assert full == [False, True, False]
    assert FULL == 64 * 1024


async def test_a_full_line_is_still_written_to_up_to_256_kib() -> None:
    """Answers to a reader's own acts come all the same."""
    line, reader, _ = stuck(FULL + 1)
    reader.write(b"x" * (MAX_BUFFER - FULL - 1))
    assert MAX_BUFFER == 256 * 1024
    assert line.get_write_buffer_size() == MAX_BUFFER
    assert not reader.gone


@pytest.mark.parametrize(("waiting", "more"), [(MAX_BUFFER, 1), (1, MAX_BUFFER), (FULL, MAX_BUFFER), (200_000, 70_000)])
async def test_what_would_wait_beyond_256_kib_is_not_written_and_its_reader_dropped(waiting: int, more: int) -> None:
    line, reader, _ = stuck(waiting)
    reader.write(b"y" * more)
    assert dropped(line, reader, Close.TOO_SLOW)
    assert b"y" not in line.taken
    assert line.get_write_buffer_size() == 0, "an abort frees what waited"


@pytest.mark.parametrize("size", [MAX_BUFFER, MAX_BUFFER + 1, 4 * MAX_BUFFER])
async def test_one_message_of_any_size_may_wait_alone(size: int) -> None:
    line, reader, _ = stuck(size)
    assert line.get_write_buffer_size() == size
    assert not reader.gone
    reader.write(b"x" * (MAX_BUFFER - size + 1 if size <= MAX_BUFFER else 1))
    assert dropped(line, reader, Close.TOO_SLOW)


async def test_who_takes_everything_may_get_any_amount() -> None:
    line, reader, _ = joined()
    for _ in range(10):
        reader.write(b"x" * MAX_BUFFER)
    assert len(line.taken) == 10 * MAX_BUFFER
    assert not reader.gone


# How long it may wait


async def test_who_takes_nothing_for_ten_seconds_is_dropped() -> None:
    line, reader, begun = stuck(10)
    for second in range(1, 11):
        reader.beat(begun + second)
        assert not reader.gone
    reader.beat(begun + STUCK_SECONDS + 1.01)
    assert STUCK_SECONDS == 10
    assert dropped(line, reader, Close.TOO_SLOW)


async def test_who_takes_a_little_now_and_then_stays() -> None:
    line, reader, begun = stuck(1000)
    for second in range(1, 39):
        if second % 10 == 0:
            line.take(1)
        reader.beat(begun + second)
    assert not reader.gone


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel tells what waits in it")
async def test_who_takes_what_waits_in_the_kernel_stays() -> None:
    """A slow client empties the kernel's buffer for long before anything leaves ours."""
    line, reader, begun = joined("stream")
    line.stuck = True
    reader.write(b"x")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line.socket = ours
        for _ in range(20):
            ours.sendall(b"x")
        for second in range(1, 200):
            if second % 10 == 0:
                assert theirs.recv(1) == b"x"
            reader.beat(begun + second)
        assert not reader.gone
        reader.beat(begun + 201)
        assert line.aborted


async def test_who_takes_everything_may_be_silent_on_an_idle_thread() -> None:
    _, reader, begun = joined("stream")
    for second in range(1, 200):
        reader.beat(begun + second)
    assert not reader.gone


async def test_the_ten_seconds_begin_when_something_waits() -> None:
    line, reader, begun = stuck()
    for second in range(1, 20):
        reader.beat(begun + second)
    reader.write(b"x")
    for second in range(20, 30):
        reader.beat(begun + second)
        assert not reader.gone
    reader.beat(begun + 31)
    assert dropped(line, reader, Close.TOO_SLOW)


async def test_what_is_written_meanwhile_is_no_sign_of_life() -> None:
    line, reader, begun = stuck(10)
    for second in range(1, 12):
        reader.beat(begun + second)
        reader.write(b"x")
    reader.beat(begun + 12)
    assert dropped(line, reader, Close.TOO_SLOW)


# Pings


@pytest.mark.parametrize("kind", KINDS)
async def test_a_ping_is_due_every_fifteen_seconds(kind: str) -> None:
    _, reader, begun = joined(kind)
    due = [second for second in range(1, 35) if reader.beat(begun + second)]
    assert PING_SECONDS == 15
    assert due == [1, 16, 31]


async def test_the_first_ping_comes_at_a_moment_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low + (high - low) / 2)
    _, reader, begun = joined()
    assert not reader.beat(begun + 7)
    assert reader.beat(begun + 8)


async def test_a_full_line_gets_no_ping_until_it_drains() -> None:
    line, reader, begun = stuck(FULL + 9)
    for second in range(1, 5):
        line.take(1)
        assert not reader.beat(begun + second)
    line.take(5)
    assert reader.beat(begun + 5)
    assert not reader.beat(begun + 6)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_gone_gets_no_ping(kind: str) -> None:
    line, reader, begun = joined(kind)
    line.close()
    assert not reader.beat(begun + 1)
    line, reader, begun = joined(kind)
    reader.close(Close.DRAIN)
    assert not reader.beat(begun + 1)


# The end


@pytest.mark.parametrize("kind", KINDS)
async def test_after_the_end_nothing_is_written(kind: str) -> None:
    line, reader, _ = joined(kind)
    reader.close(Close.DRAIN)
    before = line.taken
    reader.send(PING)
    reader.write(b"x")
    assert reader.gone
    assert line.taken == before


@pytest.mark.parametrize("kind", KINDS)
async def test_to_a_line_that_hung_up_nothing_is_written(kind: str) -> None:
    line, reader, _ = joined(kind)
    line.close()
    assert reader.gone
    assert not reader.closed
    reader.send(PING)
    reader.close(Close.DRAIN)
    assert line.taken == b""
    assert reader.closed


async def test_goodbye_is_said_once() -> None:
    line, reader, _ = joined()
    reader.close(Close.DRAIN)
    reader.close(Close.SERVER_ERROR)
    reader.drop(Close.TOO_SLOW)
    assert codes(line) == [Close.DRAIN]
    assert line.aborted


@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_hang_up_is_cut_off(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.01)
    line, reader, _ = joined(kind)
    reader.close(Close.DRAIN)
    assert not line.aborted, "it may still answer"
    async with asyncio.timeout(PATIENCE):
        while not line.aborted:
            await asyncio.sleep(0.005)


# Sockets


async def test_a_socket_gets_frames() -> None:
    line, reader, _ = joined("socket")
    reader.send(PING)
    assert line.taken == PING.socket


async def test_a_client_that_is_silent_for_forty_seconds_is_dropped() -> None:
    line, reader, begun = stuck()
    for second in range(1, 40):
        reader.beat(begun + second)
    assert not reader.gone
    assert not reader.beat(begun + SILENT_SECONDS + 0.1)
    assert SILENT_SECONDS == 40
    assert dropped(line, reader, Close.SILENT)


async def test_a_client_that_says_anything_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _, reader, begun = stuck()
    for second in range(1, 200):
        if second % 39 == 0:
            with monkeypatch.context() as patch:
                patch.setattr(asyncio.get_running_loop(), "time", lambda now=begun + second: now)
                reader.data_received(PONG)
        reader.beat(begun + second)
    assert not reader.gone


async def test_a_client_that_is_not_listened_to_is_not_silent() -> None:
    """While too many of its acts wait for their answers; it has forty seconds again when they are given."""
    line, reader, begun = joined()
    line.reading = False
    for second in range(1, 100):
        reader.beat(begun + second)
    line.reading = True
    reader.beat(begun + 99 + SILENT_SECONDS)
    assert not reader.gone
    reader.beat(begun + 99 + SILENT_SECONDS + 0.1)
    assert line.aborted


async def test_hanging_up_lets_out_what_was_written() -> None:
    line, reader, _ = stuck()
    reader.close(Close.NORMAL)
    reader.data_received(framed(b"", Opcode.CLOSE))
    line.take(100)
    assert codes(line) == [Close.NORMAL]
    assert line.is_closing()
    assert not line.aborted


# Event streams


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_stream_gets_events_in_chunks_where_the_client_knows_them(chunked: bool) -> None:
    line = Line()
    StreamReader(line, chunked=chunked).send(PING)
    assert line.taken == (PING.chunk if chunked else PING.stream)


@pytest.mark.parametrize("drop", [True, False])
async def test_a_stream_that_ends_says_so_to_its_request(drop: bool) -> None:
    line = Line()
    reader = StreamReader(line, chunked=True)
    assert not reader.ended.is_set()
    if drop:
        reader.drop(Close.TOO_SLOW)
    else:
        reader.close(Close.DRAIN)
    assert reader.ended.is_set()
    assert line.aborted is drop
    assert line.taken == b"", "an event stream has no codes"


async def test_a_stream_whose_client_hung_up_ends_with_the_next_beat() -> None:
    line = Line()
    reader = StreamReader(line, chunked=True)
    begun = asyncio.get_running_loop().time()
    reader.beat(begun + 1)
    assert not reader.ended.is_set()
    line.close()
    reader.beat(begun + 2)
    assert reader.ended.is_set()


async def test_a_stream_that_takes_nothing_is_judged_by_that_alone() -> None:
    line = Line()
    reader = StreamReader(line, chunked=True)
    begun = asyncio.get_running_loop().time()
    for second in range(1, 200):
        reader.beat(begun + second)
    assert not reader.gone
    line.stuck = True
    reader.write(b"x")
    reader.beat(begun + 200)
    assert not reader.gone
    reader.beat(begun + 211)
    assert line.aborted
    assert reader.ended.is_set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_with_tls_that_was_closed_twice_is_gone_and_no_error(kind: str, tmp_path: Path) -> None:
    """On asyncio's own loop, whose transport then no longer knows what waits in it."""
    trust, ground = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Ground.of("asyncio with TLS", tmp_path)
    assert ground.certificate
    trust.load_cert_chain(ground.certificate)

    async def main() -> None:
        met: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

        async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set_result(writer.transport)  # type: ignore[arg-type]

        async with await asyncio.start_server(meet, "127.0.0.1", 0, ssl=trust) as server:
            port = server.sockets[0].getsockname()[1]
            _, client = await asyncio.open_connection("127.0.0.1", port, ssl=ground.trust)
            line = await met
            reader = seat(line) if kind == "socket" else StreamReader(line, chunked=True)
            line.close()
            line.close()
            reader.send(PING)
            assert reader.gone
            assert not reader.full
            assert not reader.beat(asyncio.get_running_loop().time())
            client.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(asyncio.wait_for(main(), PATIENCE))
