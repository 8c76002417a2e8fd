"""Every key that Afterword uses, each derived from the one secret for one purpose (HKDF, RFC 5869).

What is hashed here can be compared but not read back: who has the database, a log or a message of the bus learns
neither an op, nor a key, nor an address.
"""

import base64
import hashlib
import hmac
from typing import Literal, NamedTuple
from uuid import UUID

from service import likeness
from service.likeness import Likeness
from service.protocol import CommentNo, Op, ThreadId


class Visitor(NamedTuple):
    """Who asks, without knowing who: keyed hashes of an address, each with a key of its own.

    `limit` is for the limits, and in Redis only. `address`, and `network` of the wider net around it, are kept with a
    comment for some days, and in a ban: 16 bytes each.
    """

    limit: str
    address: bytes
    network: bytes


class Keyring:
    """Derived keys, and what is made with them."""

    def __init__(self, secret: str) -> None:
        extracted = hmac.digest(b"afterword", secret.encode(), "sha256")

        def derived(purpose: bytes) -> bytes:
            return hmac.digest(extracted, purpose + b"\x01", "sha256")  # one block of HKDF-Expand

        self._op = derived(b"op")
        self._key = derived(b"key")
        self._limit = derived(b"limit")
        self._ban = derived(b"ban")
        self._net = derived(b"net")
        self._name = derived(b"name")
        self._form = derived(b"form")
        self._text = derived(b"text")
        self._tag = derived(b"tag")
        self._report = derived(b"report")
        self._like = derived(b"like")
        self._run = hashlib.blake2s(key=self._like, digest_size=8)
        self.site = derived(b"site").hex()[:12]
        """Names this site's keys and channels in a Redis that others may share."""
        self.proof = derived(b"proof")
        """Signs the work that a challenge asks for."""

    def author_key(self, thread: ThreadId, op: Op) -> str:
        """What lets an author retract: the same for every repetition of an act, so it is stored nowhere."""
        return base64.urlsafe_b64encode(_mac(self._key, f"{thread}:{op}", 24)).decode()

    def op_tag(self, author_key: str) -> UUID:
        """How a comment knows its act: found from the op by a repeat, from the key alone by a retraction."""
        return UUID(bytes=_mac(self._op, author_key, 16))

    def form_op(self, visitor: str, thread: ThreadId, text: str, hour: int) -> Op:
        """The op of a form, which has none of its own: the same words from one address within an hour."""
        return str(UUID(bytes=_mac(self._form, f"{visitor}:{thread}:{hour}:{text}", 16), version=4))

    def text_tag(self, text: str) -> bytes:
        """16 bytes that stay when a text is erased, to notice an op used again for other words."""
        return _mac(self._text, text, 16)

    def likeness(self, text: str, thread: ThreadId, visitor: str) -> Likeness:
        """What a text says, to be compared with what others say, and with what this visitor said in this thread."""
        same = _mac(self._like, f"{visitor}:{thread}:{' '.join(likeness.words(text))}", 16)
        return Likeness(same, *likeness.sketch(text, self._hashed_run))

    def visitor(self, address: str, network: str) -> Visitor:
        """A visitor by the canonical forms of an address and of its wider net (service/guard/visitors.py)."""
        return Visitor(_mac(self._limit, address, 16).hex(), _mac(self._ban, address, 16), _mac(self._net, network, 16))

    def reporter(self, visitor: Visitor, no: CommentNo, purpose: Literal["report", "appeal"]) -> bytes:
        """Who reports a comment, or appeals: known again there alone, so that nobody's reports are linked to others."""
        return _mac(self._report, f"{purpose}:{no}:{visitor.address.hex()}", 16)

    def report_op(self, reporter: bytes) -> UUID:
        """The act of reporting, for the limits: what Redis has of it is not what the database has."""
        return UUID(bytes=_mac(self._report, reporter.hex(), 16))

    def poster_tag(self, thread: ThreadId, address: bytes) -> str:
        """What tells one poster from another within a thread, of the hash of an address: four of `0-9` and `a-v`."""
        return base64.b32hexencode(_mac(self._tag, f"{thread}:{address.hex()}", 5))[:4].decode().lower()

    def name(self, name: str) -> str:
        """A name that somebody tries to sign in with, for the limits on that."""
        return _mac(self._name, name, 16).hex()

    def _hashed_run(self, run: str) -> bytes:
        """8 bytes: enough to compare with some hundred texts, and half of the time, as the key is taken in once."""
        hashed = self._run.copy()
        hashed.update(run.encode())
        return hashed.digest()


def _mac(key: bytes, message: str, size: int) -> bytes:
    """Keyed BLAKE2s (RFC 7693): what an HMAC is for, at a third of its time, and each comment needs four."""
    return hashlib.blake2s(message.encode(), key=key, digest_size=size).digest()
