"""Altcha's own library as the client that solves what Afterword asks."""

import json

import msgspec
from altcha.v2 import Challenge, Payload, Solution, solve_challenge

from service import protocol
from tests.site import Message


def solve(asked: protocol.Challenge | Message) -> str:
    """The proof of work, as a client sends it."""
    challenge = Challenge.from_dict(json.loads(msgspec.json.encode(asked)))
    solution = solve_challenge(challenge)
    assert isinstance(solution, Solution)
    return Payload(challenge, solution).to_base64()
