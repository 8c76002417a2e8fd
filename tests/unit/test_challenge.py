"""Proof of work: asked of one act, solved by altcha's own library, and good for nothing else."""

import base64
import functools
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from service.guard.challenge import LONGEST, MOST, SECONDS, STEPS, Challenges, derive
from service.protocol import Challenge
from tests.proof import solve

SITE = Challenges(b"a key for tests only, of this site")


@functools.cache
def asked() -> Challenge:
    """A challenge, made when it is first looked at: one made at the import is over before its tests have their turn."""
    return SITE.make("7:an op")


@functools.cache
def proof() -> str:
    """What solves it."""
    return solve(asked())


def altered(change: Callable[[Any], object]) -> str:
    """The proof with something else in it."""
    read = json.loads(base64.b64decode(proof()))
    change(read)
    return base64.b64encode(json.dumps(read).encode()).decode()


def test_altchas_own_library_solves_it() -> None:
    assert SITE.proves(proof(), "7:an op")
    assert SITE.proves(proof(), "7:an op"), "and it may be shown again"
    assert len(proof()) < LONGEST / 2


@pytest.mark.parametrize("act", ["7:another op", "8:an op", ""])
def test_a_proof_is_good_for_no_other_op_and_no_other_thread(act: str) -> None:
    assert not SITE.proves(proof(), act)


def test_another_site_does_not_take_it() -> None:
    assert not Challenges(b"another key").proves(proof(), "7:an op")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("algorithm", "SHA-256"),
        ("nonce", "00" * 16),
        ("nonce", None),
        ("salt", "00" * 16),
        ("cost", 1),
        ("cost", 2**62),
        ("cost", "1"),
        ("keyLength", 1),
        ("keyPrefix", ""),
        ("keyPrefix", "00"),
        ("keySignature", "00" * 32),
        ("expiresAt", 2**40),
        ("data", {"act": "00" * 16, "most": MOST}),
        ("data", None),
    ],
)
def test_parameters_that_were_altered_prove_nothing(name: str, value: object) -> None:
    assert not SITE.proves(altered(lambda read: read["challenge"]["parameters"].update({name: value})), "7:an op")


@pytest.mark.parametrize("key", ["", "00" * 32, "zz", "\ud800", "ä", 7, None])
def test_a_challenge_that_was_not_solved_proves_nothing(key: object) -> None:
    assert not SITE.proves(altered(lambda read: read["solution"].update({"derivedKey": key})), "7:an op")
    assert not SITE.proves(altered(lambda read: read.pop("solution")), "7:an op")
    assert not SITE.proves(altered(lambda read: read["challenge"].update({"signature": key})), "7:an op")


def test_the_beginning_of_a_key_is_no_key() -> None:
    beginning = asked().parameters.key_prefix
    assert not SITE.proves(altered(lambda read: read["solution"].update({"derivedKey": beginning})), "7:an op")
    assert not SITE.proves(altered(lambda read: read["challenge"].update({"signature": beginning})), "7:an op")


def test_a_signature_that_is_no_ascii_proves_nothing() -> None:
    assert not SITE.proves(altered(lambda read: read["challenge"].update({"signature": "ä" * 64})), "7:an op")
    assert not SITE.proves(UNSET, "7:an op")


def test_it_is_good_for_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    end = asked().parameters.expires_at
    assert 0 < end - time.time() <= SECONDS
    monkeypatch.setattr(time, "time", lambda: end - 0.5)
    assert SITE.proves(proof(), "7:an op")
    monkeypatch.setattr(time, "time", lambda: end + 0.5)
    assert not SITE.proves(proof(), "7:an op")


@given(st.one_of(st.text(max_size=200), st.binary(max_size=500).map(lambda data: base64.b64encode(data).decode())))
@settings(max_examples=300)
def test_whatever_is_given_proves_nothing_and_breaks_nothing(proof: str) -> None:
    assert not SITE.proves(proof, "7:an op")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["challenge", "solution"]), _JSON)
@settings(max_examples=200)
def test_whatever_stands_in_a_part_of_it_proves_nothing(part: str, value: object) -> None:
    assert not SITE.proves(altered(lambda read: read.update({part: value})), "7:an op")


@pytest.mark.parametrize("proof", ["[" * 65_536, base64.b64encode(b"[" * 3_000).decode(), "A" * 65_536])
def test_a_hostile_proof_costs_next_to_nothing(proof: str) -> None:
    begun = time.process_time()
    for _ in range(100):
        assert not SITE.proves(proof, "7:an op")
    assert time.process_time() - begun < 0.5


def test_every_step_doubles_the_work_up_to_a_bound() -> None:
    mosts = [SITE.make("x", steps).parameters.data.most for steps in (0, 1, 2, STEPS, STEPS + 1, 10_000)]
    assert mosts == [MOST, 2 * MOST, 4 * MOST, MOST << STEPS, MOST << STEPS, MOST << STEPS]


def test_the_counter_lies_in_the_upper_half_so_nobody_is_lucky() -> None:
    for _ in range(5):
        challenge = SITE.make("x")
        solved = json.loads(base64.b64decode(solve(challenge)))["solution"]
        assert MOST / 2 <= solved["counter"] < MOST


def test_the_example_of_the_protocol_holds() -> None:
    """docs/protocol.md tells how a key is made."""
    key = derive(bytes.fromhex("000102030405060708090a0b0c0d0e0f"), 1234, bytes.fromhex("10" * 16), 500)
    assert key.hex() == "c8c34e0c355101320f0513a1bd3e05ee5bcec9c1a86dddd3319342e78682740f"


def test_what_names_the_act_tells_neither_thread_nor_op() -> None:
    assert b"an op" not in msgspec.json.encode(asked())
