"""The wire: each message's exact JSON, what is read, and what is refused."""

import contextlib
import datetime
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from service import protocol
from service.errors import Malformed, ThreadClosed, TooFast
from service.protocol import (
    MAX_INTEGER,
    Accepted,
    Bye,
    Changes,
    Close,
    Comment,
    Epoch,
    Joined,
    Ping,
    Pong,
    Post,
    Problem,
    Readers,
    Refused,
    Retract,
    Thread,
    UnknownType,
    Window,
)

OP = "0b7ad0b5-5b1c-4f2f-9a33-0d35c66c1f33"
AT = datetime.datetime(2017, 11, 9, 23, 7, tzinfo=datetime.UTC)
SHOWN = Comment(11469, 12, AT, by="Anonymous", html="<p>…</p>", quotes=(11460,))
GONE = Comment(11469, 31, AT, gone="retracted")
SHOWN_JSON = '{"no":11469,"version":12,"at":"2017-11-09T23:07:00Z","by":"Anonymous","html":"<p>…</p>","quotes":[11460]}'
GONE_JSON = '{"no":11469,"version":31,"at":"2017-11-09T23:07:00Z","gone":"retracted"}'
RAW_SHOWN, RAW_GONE = Raw(protocol.encode(SHOWN)), Raw(protocol.encode(GONE))
OPEN, HELD = Thread("open"), Thread("held", 30)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (SHOWN, SHOWN_JSON),
        (GONE, GONE_JSON),
        (
            Joined(Epoch("e.1"), 12, 1, "catchup", (RAW_SHOWN,), OPEN, 3),
            (
                '{"type":"joined","epoch":"e.1","version":12,"count":1,"mode":"catchup",'
                f'"comments":[{SHOWN_JSON}],"thread":{{"state":"open","slow":0}},"readers":3}}'
            ),
        ),
        (
            Joined(Epoch("e.1"), 12, 1, "reset", (), HELD, 3),
            (
                '{"type":"joined","epoch":"e.1","version":12,"count":1,"mode":"reset",'
                '"comments":[],"thread":{"state":"held","slow":30},"readers":3}'
            ),
        ),
        (
            Changes(30, 31, 0, (RAW_GONE,)),
            f'{{"type":"changes","from":30,"to":31,"count":0,"comments":[{GONE_JSON}]}}',
        ),
        (
            Changes(31, 32, 0, (), Thread("closed")),
            '{"type":"changes","from":31,"to":32,"count":0,"comments":[],"thread":{"state":"closed","slow":0}}',
        ),
        (
            Accepted(OP, 7, 12, "published", "key"),
            f'{{"type":"accepted","op":"{OP}","no":7,"version":12,"state":"published","key":"key"}}',
        ),
        (
            Accepted(OP, 7, None, "held", "key"),
            f'{{"type":"accepted","op":"{OP}","no":7,"version":null,"state":"held","key":"key"}}',
        ),
        (
            Accepted(OP, 7, 13, "retracted"),
            f'{{"type":"accepted","op":"{OP}","no":7,"version":13,"state":"retracted"}}',
        ),
        (
            protocol.refused(OP, TooFast("Slow down.", retry_after=1.001)),
            f'{{"type":"refused","op":"{OP}","code":"too-fast","message":"Slow down.","retry_after":2}}',
        ),
        (
            protocol.refused(None, ThreadClosed("Over.")),
            '{"type":"refused","op":null,"code":"closed","message":"Over."}',
        ),
        (Readers(5), '{"type":"readers","readers":5}'),
        (Ping(Epoch("e.1"), 12), '{"type":"ping","epoch":"e.1","version":12}'),
        (Bye(500), '{"type":"bye","retry":500}'),
        (
            Window(Epoch("e.1"), 31, 0, OPEN, (GONE,), earlier=True, later=False),
            (
                f'{{"epoch":"e.1","version":31,"count":0,"thread":{{"state":"open","slow":0}},"comments":[{GONE_JSON}],'
                '"earlier":true,"later":false}'
            ),
        ),
        (
            Problem("about:blank", "Conflict", 409, "op-reused", "Another text."),
            '{"type":"about:blank","title":"Conflict","status":409,"code":"op-reused","detail":"Another text."}',
        ),
    ],
)
def test_a_message_is_written_as_the_contract_says(message: msgspec.Struct, text: str) -> None:
    assert protocol.encode(message).decode() == text


def test_every_outbound_type_has_its_tag_first() -> None:
    for kind in (Joined, Changes, Accepted, Refused, Readers, Ping, Bye):
        assert kind.__struct_config__.tag_field == "type"
        assert kind.__struct_config__.tag == kind.__name__.lower()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{{"type":"post","op":"{OP}","text":"Hi"}}', Post(OP, "Hi")),
        (f'{{"text":"Hi","op":"{OP}","type":"post"}}', Post(OP, "Hi")),
        (f'{{"type":"post","op":"{OP}","text":""}}', Post(OP, "")),
        (f'{{"type":"post","op":"{OP}","text":"Hi","proof":"p","no":9,"state":"removed"}}', Post(OP, "Hi", "p")),
        (f'{{"type":"post","op":"{OP}","text":"\\u0000\\ud83d\\ude00"}}', Post(OP, "\0😀")),
        (f'{{"type":"retract","op":"{OP}","no":9007199254740991,"key":"k"}}', Retract(OP, MAX_INTEGER, "k")),
        ('{"type":"pong"}', Pong()),
        (' {"type" : "pong", "deep": [[[[{}]]]]} ', Pong()),
    ],
)
def test_a_known_message_is_read_whatever_else_it_holds(text: str, message: protocol.Inbound) -> None:
    assert protocol.decode(text) == message
    assert protocol.decode(text.encode()) == message


POST = f'{{"type":"post","op":"{OP}",'
RETRACT = f'{{"type":"retract","op":"{OP}",'


@pytest.mark.parametrize(
    "data",
    [
        "",
        " ",
        "null",
        "1",
        '"post"',
        "[]",
        '["post"]',
        "{}",
        '{"op":1}',
        '{"type":null}',
        '{"type":5}',
        '{"type":["post"]}',
        '{"type":"post"}',
        f'{{"type":"post","op":"{OP}"}}',
        f'{{"type":"post","op":"{OP.upper()}","text":"x"}}',
        '{"type":"post","op":"0b7ad0b55b1c4f2f9a330d35c66c1f33","text":"x"}',
        '{"type":"post","op":7,"text":"x"}',
        f'{{"type":"post","op":"{OP[:-1]}\\n","text":"x"}}',
        POST + '"text":5}',
        POST + '"text":null}',
        POST + '"text":["x"]}',
        POST + '"text":"\\ud800"}',
        POST + '"text":"\\udc00x"}',
        POST + '"text":"\\ud800\\u0041"}',
        POST + '"text":"\ud800"}',
        POST + '"text":"x"',
        POST + '"text":"x"} trailing',
        POST + '"text":"a\nb"}',
        RETRACT + '"no":0,"key":"k"}',
        RETRACT + '"no":-1,"key":"k"}',
        RETRACT + '"no":1.5,"key":"k"}',
        RETRACT + '"no":"1","key":"k"}',
        RETRACT + '"no":true,"key":"k"}',
        RETRACT + '"no":9007199254740992,"key":"k"}',
        RETRACT + '"no":9223372036854775808,"key":"k"}',
        RETRACT + f'"no":{"9" * 400},"key":"k"}}',
        RETRACT + '"no":1e400,"key":"k"}',
        RETRACT + '"no":NaN,"key":"k"}',
        RETRACT + '"no":1,"key":""}',
        RETRACT + f'"no":1,"key":"{"k" * 65}"}}',
        RETRACT + '"no":1}',
        "[" * 100_000,
        '{"type":"pong","x":' + "[" * 100_000,
        '{"type":"pong","x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"type":"pong","x":' + '{"x":' * 50_000 + "1" + "}" * 50_000 + "}",
        '{"x":' + "[" * 100_000 + "]" * 100_000 + ',"type":"later"}',
        b"\xff\xfe",
        b'{"type":"\xff"}',
        b'{"type":"post","op":"' + OP.encode() + b'","text":"\xed\xa0\x80"}',
        b"\x00",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_anything_else_is_malformed_and_no_more(data: str | bytes) -> None:
    with pytest.raises(Malformed) as refused:
        protocol.decode(data)
    assert not isinstance(refused.value, UnknownType)
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 120


@pytest.mark.parametrize("kind", ["events", "Post", "POST", "", "post ", "x" * 10_000])
def test_a_type_that_is_not_ours_is_told_apart(kind: str) -> None:
    with pytest.raises(UnknownType):
        protocol.decode(json.dumps({"type": kind, "op": 5}))


@given(st.binary() | st.text() | st.text(alphabet='{}[]":,\\ud0123456789typeostracngnok-'))
def test_no_junk_raises_anything_but_malformed(data: bytes | str) -> None:
    with contextlib.suppress(Malformed):
        protocol.decode(data)
    protocol.op_of(data)


@pytest.mark.parametrize(
    ("data", "op"),
    [
        (f'{{"type":"post","op":"{OP}","text":5}}', OP),
        (f'{{"op":"{OP}"}}', OP),
        (f'{{"type":"post","op":"{OP}","text":"\\ud800"}}', None),
        ('{"type":"post","op":"mine","text":"x"}', None),
        ('{"type":"post"}', None),
        ("[]", None),
        ("[" * 100_000, None),
        ('{"x":' + "[" * 100_000 + "]" * 100_000 + "}", None),
        (b"\xff", None),
    ],
    ids=lambda data: repr(data)[:40],
)
def test_a_refusal_can_be_matched_where_the_op_is_readable(data: str | bytes, op: str | None) -> None:
    assert protocol.op_of(data) == op


def test_a_reason_holds_nothing_of_the_content() -> None:
    with pytest.raises(Malformed) as refused:
        protocol.decode(f'{{"type":"post","op":"{OP}","text":["my secret words"]}}')
    assert OP not in refused.value.message
    assert "secret" not in refused.value.message


def test_comments_are_passed_on_as_they_were_encoded() -> None:
    later = Raw(b'{"no":1, "version":2, "of a later release":[1]}')
    assert protocol.encode(Changes(1, 2, 1, (later,))).endswith(b'"comments":[' + bytes(later) + b"]}")


@pytest.mark.parametrize(
    ("seconds", "whole"),
    [(None, UNSET), (0, 1), (0.001, 1), (1, 1), (1.0001, 2), (8.57, 9), (600, 600)],
)
def test_seconds_are_rounded_up(seconds: float | None, whole: object) -> None:
    assert protocol.whole_seconds(seconds) == whole


def test_close_codes_say_by_their_range_whether_to_come_back() -> None:
    own = {code.name: int(code) for code in Close if code >= 4000}
    assert own == {
        "DRAIN": 4001,
        "SERVER_ERROR": 4004,
        "TOO_SLOW": 4008,
        "SILENT": 4012,
        "TOO_MANY_MESSAGES": 4013,
        "MALFORMED": 4501,
        "TOO_MANY_CONNECTIONS": 4504,
        "ORIGIN": 4507,
    }
