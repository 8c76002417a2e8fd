"""Raw frames of clients: what is whole is read, however it was cut; what breaks RFC 6455 has the right code."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode

from service.protocol import MAX_INBOUND, Close
from service.web.inbox import Inbox, Message, Violation

CONT, TEXT, BINARY, CLOSE, PING, PONG = Opcode.CONT, Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG
MASK = b"\x07\xa0\xff\x01"
KIB64 = b"x" * MAX_INBOUND


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A frame of a client, or of one that breaks the rules."""
    first, bit, size = fin << 7 | reserved << 4 | opcode, masked << 7, len(data)
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + data
    return head + MASK + bytes(byte ^ MASK[place % 4] for place, byte in enumerate(data))


def heard(*parts: bytes) -> list[Message]:
    """The messages in what came, part by part."""
    inbox = Inbox()
    return [message for part in parts for message in inbox.feed(part) if message]


def code(data: bytes) -> Close:
    """The code with which what came is refused."""
    with pytest.raises(Violation) as violation:
        heard(data)
    return violation.value.code


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, MAX_INBOUND])
def test_a_message_is_read_whatever_its_size(size: int) -> None:
    assert heard(frame(TEXT, b"x" * size)) == [(TEXT, b"x" * size)]


def test_fragments_are_one_message_and_what_stands_between_them_is_heard_at_once() -> None:
    parts = [
        frame(TEXT, "Grü".encode()[:3], fin=False),
        frame(PING, b"there?"),
        frame(CONT, "ü".encode()[1:], fin=False),
        frame(PONG),
        frame(CONT, b"", fin=False),
        frame(CONT, b"n"),
    ]
    assert heard(*parts) == [(PING, b"there?"), (PONG, b""), (TEXT, "Grün".encode())]


def test_every_frame_is_told_so_that_it_can_be_counted() -> None:
    assert list(Inbox().feed(frame(TEXT, b"a", fin=False) + frame(CONT, fin=False) + frame(CONT))) == [
        None,
        None,
        (TEXT, b"a"),
    ]


def test_an_inbox_is_empty_when_nothing_is_unfinished() -> None:
    inbox, whole = Inbox(), frame(TEXT, b"ab", fin=False) + frame(CONT, b"c")
    states = []
    for byte in whole:
        states.append(inbox.empty)
        list(inbox.feed(bytes([byte])))
    assert states == [True] + [False] * (len(whole) - 1)
    assert inbox.empty


messages = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY]), st.text(max_size=200).map(str.encode), st.integers(1, 4)), max_size=5
)


@settings(deadline=None)
@given(messages, st.lists(st.integers(0, 4000), max_size=20))
def test_it_is_the_same_however_it_is_cut(said: list[tuple[Opcode, bytes, int]], cuts: list[int]) -> None:
    stream = b""
    for opcode, data, fragments in said:
        for number, start in enumerate(range(fragments)):
            part = data[len(data) * start // fragments : len(data) * (start + 1) // fragments]
            stream += frame(CONT if number else opcode, part, fin=number == fragments - 1)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parts = [stream[start:end] for start, end in pairwise(places)]
    assert heard(*parts) == [(opcode, data) for opcode, data, _ in said]


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", b""), (b"\x03\xe8", b"\x03\xe8"), (b"\x03\xe9going", b"\x03\xe9"), (b"\x0f\xa0", b"\x0f\xa0")],
)
def test_a_close_frame_tells_its_code(data: bytes, told: bytes) -> None:
    assert heard(frame(CLOSE, data)) == [(CLOSE, told)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, b"x", masked=False), id="no mask"),
        pytest.param(frame(TEXT, b"x", reserved=4), id="RSV1: compression was not agreed on"),
        pytest.param(frame(TEXT, b"x", reserved=1), id="RSV3"),
        pytest.param(frame(PING, reserved=2), id="RSV2 in a control frame"),
        *(pytest.param(frame(opcode, b"x"), id=f"opcode {opcode}") for opcode in (3, 7, 11, 15)),
        pytest.param(frame(PING, b"x" * 126), id="a long ping"),
        pytest.param(frame(CLOSE, b"\x03\xe8" + b"x" * 124), id="a long close"),
        pytest.param(frame(PING, fin=False), id="a fragmented ping"),
        pytest.param(frame(CONT, b"x"), id="a fragment of nothing"),
        pytest.param(frame(CONT, b"x", fin=False), id="an open fragment of nothing"),
        pytest.param(frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"), id="a message in a message"),
        pytest.param(frame(TEXT, b"x", fin=False) + frame(BINARY, b"x"), id="another in a message"),
        pytest.param(frame(TEXT, b"x") + frame(CONT, b"x"), id="a fragment too many"),
        pytest.param(frame(CLOSE, b"\x03"), id="half a code"),
        *(
            pytest.param(frame(CLOSE, struct.pack("!H", code)), id=f"code {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
    ],
)
def test_what_breaks_the_rules_is_1002(data: bytes) -> None:
    assert code(data) is Close.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, b"\xff"), id="no UTF-8"),
        pytest.param(frame(TEXT, b"\xc3"), id="half a character"),
        pytest.param(frame(TEXT, b"\xed\xa0\x80"), id="a surrogate"),
        pytest.param(frame(TEXT, b"\xf4\x90\x80\x80"), id="beyond Unicode"),
        pytest.param(frame(TEXT, b"\xc3", fin=False) + frame(CONT, b"x"), id="broken between fragments"),
        pytest.param(frame(CLOSE, b"\x03\xe8\xff"), id="in the reason of a close frame"),
    ],
)
def test_text_that_is_no_utf_8_is_1007(data: bytes) -> None:
    assert code(data) is Close.BAD_DATA


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(frame(TEXT, KIB64 + b"x"), id="one frame"),
        pytest.param(frame(TEXT, KIB64 + b"x")[:14], id="before it came"),
        pytest.param(b"\x81\xff" + b"\x7f" + b"\xff" * 7, id="exabytes"),
        pytest.param(frame(TEXT, KIB64, fin=False) + frame(CONT, b"x"), id="in fragments"),
        pytest.param(frame(BINARY, KIB64[:-1], fin=False) + frame(CONT, b"xy", fin=False), id="before its end"),
    ],
)
def test_what_is_too_large_is_1009(data: bytes) -> None:
    assert code(data) is Close.TOO_BIG


def test_the_limit_is_for_each_message() -> None:
    whole = frame(TEXT, KIB64[:40_000], fin=False) + frame(PING, b"x" * 125) + frame(CONT, KIB64[40_000:])
    assert [len(message.data) for message in heard(whole + whole)] == [125, MAX_INBOUND] * 2
