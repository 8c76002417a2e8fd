"""Every key that Afterword uses, each derived from the one secret for one purpose (HKDF, RFC 5869).

What is hashed here can be compared but not read back: who has the database, a log or a message of the bus learns
neither an op, nor a key, nor an address.
"""

import base64
import hmac
from uuid import UUID

from service.protocol import Op, ThreadId


class Keyring:
    """Derived keys, and what is made with them."""

    def __init__(self, secret: str) -> None:
        extracted = hmac.digest(b"afterword", secret.encode(), "sha256")
        self._op, self._key, self._limit, self._form, self._text, site = (
            hmac.digest(extracted, label + b"\x01", "sha256")  # one block of HKDF-Expand
            for label in (b"op", b"key", b"limit", b"form", b"text", b"site")
        )
        self.site = site.hex()[:12]
        """Names this site's keys and channels in a Redis that others may share."""

    def author_key(self, thread: ThreadId, op: Op) -> str:
        """What lets an author retract: the same for every repetition of an act, so it is stored nowhere."""
        digest = hmac.digest(self._key, f"{thread}:{op}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:24]).decode()

    def op_tag(self, author_key: str) -> UUID:
        """How a comment knows its act: found from the op by a repeat, from the key alone by a retraction."""
        return UUID(bytes=hmac.digest(self._op, author_key.encode(), "sha256")[:16])

    def form_op(self, address: str, thread: ThreadId, text: str, hour: int) -> Op:
        """The op of a form, which has none of its own: the same words from one address within an hour."""
        message = f"{address}:{thread}:{hour}:{text}".encode()
        return str(UUID(bytes=hmac.digest(self._form, message, "sha256")[:16], version=4))

    def text_tag(self, text: str) -> bytes:
        """16 bytes that stay when a text is erased, to notice an op used again for other words."""
        return hmac.digest(self._text, text.encode(), "sha256")[:16]

    def visitor(self, address: str) -> str:
        """An address for the rate limits: kept in Redis only, for as long as a limit lasts."""
        return hmac.digest(self._limit, address.encode(), "sha256")[:16].hex()
