"""Frames: messages as bytes on a line, encoded once, for sockets and for event streams."""

import json
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import frame, protocol
from service.frame import Frame
from service.protocol import MAX_INTEGER, Bye, Changes, Close, Epoch, Ping, Refused
from tests.line import unframed

EPOCH = Epoch("e.1")
PING = Ping(EPOCH, 12)
JSON = '{"type":"ping","epoch":"e.1","version":12}'


def refusal(message: str) -> Refused:
    return Refused(None, "malformed", message)


def events(stream: bytes) -> list[dict[str, list[str]]]:
    """The events of a stream, parsed as WHATWG HTML §9.2.6 says: every field's values, by name."""
    *blocks, rest = stream.decode().split("\n\n")
    assert rest == "", "the last event is complete"
    parsed = []
    for block in blocks:
        fields = dict[str, list[str]]()
        for line in block.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
        parsed.append(fields)
    return parsed


# Sockets


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (1, b"\x81\x01"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (127, b"\x81\x7e\x00\x7f"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (2**40, b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00"),
    ],
)
def test_the_head_of_a_frame_tells_its_size_in_as_few_bytes_as_there_are(size: int, head: bytes) -> None:
    assert frame.head(0x81, size) == head


@pytest.mark.parametrize("size", [0, 1, 40, 100, 65_400, 65_480, 70_000, 200_000])
def test_a_message_is_one_text_frame_whole_and_unmasked(size: int) -> None:
    message = refusal("x" * size)
    assert list(unframed(Frame(message).socket)) == [(0x81, protocol.encode(message))]


@pytest.mark.parametrize("payload", [b"", b"abc", b"\x00" * 125])
def test_a_pong_brings_back_what_the_ping_brought(payload: bytes) -> None:
    assert list(unframed(frame.pong(payload))) == [(0x8A, payload)]


@pytest.mark.parametrize("code", [*Close, 3000])
def test_a_close_frame_is_its_code_alone(code: int) -> None:
    assert frame.close(code) == b"\x88\x02" + struct.pack("!H", code)


# Event streams


def test_an_event_is_one_line_of_data_and_a_blank_one() -> None:
    assert Frame(PING).stream == f"data: {JSON}\n\n".encode()


def test_an_event_that_moves_its_reader_tells_where_to() -> None:
    moved = Frame(Changes(11, 12, 5, ()), (EPOCH, 12))
    assert moved.stream == b'id: e.1:12\ndata: {"type":"changes","from":11,"to":12,"count":5,"comments":[]}\n\n'


def test_the_longest_position_is_told_whole() -> None:
    (event,) = events(Frame(PING, (Epoch("e" * 40), MAX_INTEGER)).stream)
    assert event["id"] == [f"{'e' * 40}:9007199254740991"]


def test_version_0_is_a_position() -> None:
    (event,) = events(Frame(PING, (EPOCH, 0)).stream)
    assert event["id"] == ["e.1:0"]


@pytest.mark.parametrize("milliseconds", [0, 1500])
def test_a_goodbye_tells_the_browser_itself_when_to_come_back(milliseconds: int) -> None:
    (event,) = events(Frame(Bye(milliseconds)).stream)
    assert event["retry"] == [f"{milliseconds}"]
    assert json.loads(event["data"][0]) == {"type": "bye", "retry": milliseconds}
    assert event.keys() == {"data", "retry"}


@given(st.lists(st.text() | st.sampled_from(["\r", "\n", "\r\n\r\n", "\u2028", "\u0085", "\0"]), max_size=4))
def test_no_text_breaks_out_of_its_event(texts: list[str]) -> None:
    messages = [refusal(text) for text in texts]
    parsed = events(b"".join(Frame(message).stream for message in messages))
    assert [event.keys() for event in parsed] == [{"data"}] * len(texts)
    assert [msgspec.json.decode(event["data"][0], type=Refused) for event in parsed] == messages


@pytest.mark.parametrize("size", [0, 100, 10_000])
@pytest.mark.parametrize("position", [None, (EPOCH, 12)])
def test_a_chunk_is_the_event_with_its_size_before_it(size: int, position: tuple[Epoch, int] | None) -> None:
    framed = Frame(refusal("ä" * size), position)
    told, rest = framed.chunk.split(b"\r\n", 1)
    assert told == f"{len(framed.stream):x}".encode()
    assert rest == framed.stream + b"\r\n"


def test_what_many_readers_get_is_made_once() -> None:
    framed = Frame(PING)
    assert framed.socket is framed.socket
    assert framed.stream is framed.stream
    assert framed.chunk is framed.chunk
