"""Plain text as it may be shown anywhere: normal form C, without characters that hide or reorder others."""

import re
import unicodedata

# The marks U+200E and U+200F stay: Hebrew and Arabic need them.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls other than white space
    r"\u202a-\u202e\u2066-\u2069"  # embedding, override, isolation of direction (UAX 9)
    r"\ud800-\udfff\ufeff\ufffe\uffff]"  # lone surrogates, byte order mark, what XML forbids
)
# Not the no-break spaces: French sets them before ? ! : and inside « ».
_FOLDED = re.compile(r"[^\S\u00a0\u2007\u202f]+")


def without_hidden(text: str) -> str:
    """Drop the characters that hide or reorder others; lines stay."""
    return _HIDDEN.sub("", text)


def one_line(text: str) -> str:
    """Clean a title or another short text: nothing hidden, white space folded, normal form C."""
    return _FOLDED.sub(" ", unicodedata.normalize("NFC", without_hidden(text))).strip()
