"""What a text says, in a form that can be compared and not read.

Two texts are alike where all but a word of them is the same. Of a text its runs of three words are hashed, and the
sixteen smallest hashes are kept: a sample that two texts draw alike (Broder, "On the resemblance and containment of
documents", 1997). One word that is changed, put in or left out changes three runs, and so at most three of the sixteen.
Texts that share no run share no hash.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

SHORT = 12  # words, below which a text is never like another: "I agree" is said by many
RUN = 3  # words
KEPT = 16  # hashes of a text
CHANGED = 3  # of these that may differ
VARIED = 10  # different runs that a sample is drawn from; of fewer only the very same text is alike

_WORD = re.compile(r"[^\W_]+")

Hash = Callable[[str], bytes]


class Likeness(NamedTuple):
    """Keyed hashes of a text. `same`: of who wrote it, where, and all its words.

    `sketch`: the hashes to be compared with others'; `enough` of them shared is alike. Empty for a short text.
    """

    same: bytes
    sketch: tuple[bytes, ...]
    enough: int


def words(text: str) -> list[str]:
    """The letters and digits of a text, however they are written (NFKC, casefolded); of signs alone, the signs."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _WORD.findall(folded) or folded.split()


def sketch(text: str, hashed: Hash) -> tuple[tuple[bytes, ...], int]:
    """The hashes of a text, and how many of them shared are enough. What it quotes is not its own, and left out."""
    own = words("\n".join(line for line in text.split("\n") if not line.startswith(">")))
    if len(own) < SHORT:
        return (), 0
    runs = {" ".join(own[start : start + RUN]) for start in range(len(own) - RUN + 1)}
    if len(runs) < VARIED:
        return (hashed(" ".join(own)),), 1
    kept = tuple(sorted(map(hashed, runs))[:KEPT])
    return kept, len(kept) - CHANGED
