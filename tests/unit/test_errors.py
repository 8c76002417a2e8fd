"""Refusals: codes, statuses and sentences are the wire contract."""

import re

import pytest

from service import errors
from service.errors import Refusal

CONTRACT = {
    "malformed": 400, "empty": 422, "too-long": 422, "too-large": 413, "media": 415, "origin": 403, "not-yours": 403,
    "banned": 403, "role": 403, "closed": 403, "not-found": 404, "method": 405, "op-reused": 409, "upgrade": 426,
    "challenge": 428, "duplicate": 409, "filtered": 422,
    "too-fast": 429, "too-many": 429, "internal": 500, "unavailable": 503,
}  # fmt: skip
ALSO = ("too-many", 503)  # where it is the worker that is full
REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refusal)]
KINDS = [kind for kind in REFUSALS if kind is not Refusal]


def test_codes_and_statuses_are_those_of_the_contract() -> None:
    assert {(kind.code, kind.status) for kind in KINDS} == {*CONTRACT.items(), ALSO}


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+) +(\d{3}) +(\S+)", errors.__doc__ or "")
    assert {name: (int(status), code) for name, status, code in drawn} == {
        kind.__name__: (kind.status, kind.code) for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_message_is_a_sentence_on_one_line(kind: type[Refusal]) -> None:
    refusal = kind()
    assert re.fullmatch(r"[A-Z].+\.", refusal.message)
    assert str(refusal) == refusal.message
    assert refusal.retry_after is None


def test_a_message_and_a_wait_can_be_given() -> None:
    refusal = errors.TooFast("Breathe.", retry_after=2.5)
    assert (refusal.message, refusal.retry_after, str(refusal)) == ("Breathe.", 2.5, "Breathe.")


def test_a_class_without_a_docstring_still_has_a_message() -> None:
    class Silent(Refusal):
        code, status = "silent", 400

    Silent.__doc__ = None
    assert Silent().message == ""
