"""Proof of work: altcha's protocol (PoW v2, deterministic), for one act in one thread, with nothing to remember.

Who is challenged looks for the counter whose key begins as the challenge says. A key is
`PBKDF2-HMAC-SHA-256(nonce ‖ counter as four bytes, salt, cost)`; docs/protocol.md has an example. The site has chosen
the counter, so it knows the work, and signs both the parameters and the key: to make a challenge takes one key, to
verify a proof three hashes, whatever it says. A proof is good for the one act that the signed parameters name; since an
act stands once, a proof need not be remembered.
"""

import base64
import hashlib
import hmac
import secrets
import struct
import time

import msgspec
from msgspec import UNSET, UnsetType

from service.protocol import Aim, Challenge, Parameters

COST = 500  # rounds for a key: the site's own part, about 0.2 ms
MOST = 2_000  # keys, at the least difficulty; the counter lies in the upper half: about 0.3 s in a laptop's browser
STEPS = 4  # doublings, up to about 5 s
SECONDS = 300  # in which it is to be solved
KEY, PREFIX = 32, 16  # bytes of a key, and of its beginning that is told: nothing else begins like it
LONGEST = 4_096  # characters of a proof; a real one has about 900


class _Solution(msgspec.Struct, frozen=True, rename="camel"):
    derived_key: str


class _Proof(msgspec.Struct, frozen=True):
    challenge: Challenge
    solution: _Solution


_proof = msgspec.json.Decoder(_Proof)
_encode = msgspec.json.Encoder(order="sorted").encode


class Challenges:
    """Challenges, signed with a key of their own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, act: str, steps: int = 0) -> Challenge:
        """Work for an act, which `act` names: as much as the least, doubled `steps` times."""
        nonce, salt = secrets.token_bytes(16), secrets.token_bytes(16)
        most = MOST << min(steps, STEPS)
        key = derive(nonce, most // 2 + secrets.randbelow(most // 2), salt, COST)
        parameters = Parameters(
            algorithm="PBKDF2/SHA-256",
            nonce=nonce.hex(),
            salt=salt.hex(),
            cost=COST,
            key_length=KEY,
            key_prefix=key[:PREFIX].hex(),
            key_signature=self._sign(b"key", key),
            expires_at=int(time.time()) + SECONDS,
            data=Aim(self._name(act), most),
        )
        return Challenge(parameters, self._sign(b"parameters", _encode(parameters)))

    def proves(self, proof: str | UnsetType, act: str) -> bool:
        """Whether a proof is of work that was asked for this act, and is done, in time. Anything may be given."""
        if proof is UNSET or len(proof) > LONGEST:
            return False
        try:
            read = _proof.decode(base64.b64decode(proof))
            key = bytes.fromhex(read.solution.derived_key)
        except (ValueError, RecursionError):  # msgspec's DecodeError is one
            return False
        asked = read.challenge.parameters
        signed = self._sign(b"parameters", _encode(asked))
        return (
            _same(read.challenge.signature, signed)
            and _same(asked.key_signature, self._sign(b"key", key))
            and _same(asked.data.act, self._name(act))
            and asked.expires_at >= time.time()
        )

    def _name(self, act: str) -> str:
        return self._sign(b"act", act.encode())[:32]

    def _sign(self, what: bytes, message: bytes) -> str:
        return hmac.digest(self._key, what + b"\0" + message, "sha256").hex()


def derive(nonce: bytes, counter: int, salt: bytes, cost: int) -> bytes:
    """The key that belongs to a counter."""
    return hashlib.pbkdf2_hmac("sha256", nonce + struct.pack(">I", counter), salt, cost, KEY)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), right.encode())
