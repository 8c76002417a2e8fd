"""What a visitor typed, made into clean plain text: the only form in which a comment is stored.

It is in NFC, its lines end with a line feed, and no character in it can hide, reorder or bury what
stands around it. What scripts and emoji are made of stays, up to `MAX_MARKS`. Cleaning takes time
linear in the input: about 20 µs for a usual comment, under 15 ms for 64 KiB that mean harm.
"""

import re
import unicodedata
from typing import NewType

from service import errors

CommentText = NewType("CommentText", str)

MAX_LENGTH = 5_000
"""Unicode code points in a comment, counted after cleaning (docs/protocol.md)."""

MAX_MARKS = 3
"""Marks on one letter, counted as decomposed: pointed Hebrew, Arabic and old Greek need three."""

_STREAM_SAFE = 30
"""Marks on one letter that no text in any language exceeds (UAX #15, Stream-Safe Text Format)."""

_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")

_NONCHARACTERS = r"\ufdd0-\ufdef" + "".join(rf"\U{plane:04x}fffe-\U{plane:04x}ffff" for plane in range(17))

_DROPPED = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f"  # controls
    r"\u202a-\u202e"  # bidi embeddings and overrides; the isolates are below (UAX #9)
    r"\u200b\u2060-\u206f\ufeff"  # of no width; invisible operators; deprecated format characters
    r"\ufff0-\ufffc"  # interlinear annotation, places for objects
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format of shorthand and of music
    rf"\ud800-\udfff{_NONCHARACTERS}]+"  # no characters at all
)

# A tag character is kept only in a region's flag, a black flag and an id like `gbwls` (UTS #51,
# annex C): in any other place it is a letter that nobody sees.
_FLAG_OR_TAGS = re.compile(
    "(\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,4}\U000e007f)"
    "|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]+"
)

# Marks and format characters are no letters or digits: only such stretches need a closer look.
_MARKS_PERHAPS = re.compile(r"[^\w\s]{4,}")

# Kept beside other text, but nothing to see alone: soft hyphen, the Hangul fillers, Mongolian's
# separator, the joiners, the directional marks, and the Braille cell without dots.
_UNSEEN = frozenset("\xad\u061c\u115f\u1160\u180e\u200c\u200d\u200e\u200f\u2800\u3164\uffa0")


def clean(raw: str) -> CommentText:
    """Return the clean text of `raw`; cleaning it again changes nothing.

    Raises `Empty` where there is nothing to see, `TooLong` above `MAX_LENGTH`; accepts any `str`,
    lone surrogates included. Composition is NFC (UAX #15); what is dropped is told above.
    """
    text = raw
    if not (raw.isascii() and raw.isprintable()):  # as most comments of one line are
        text = _DROPPED.sub("", _LINE_END.sub("\n", raw).replace("\t", " "))
    if not text.isascii():
        text = _compose(_FLAG_OR_TAGS.sub(r"\1", text))
    text = _tidy_lines(text)
    if not text:
        raise errors.Empty
    if len(text) > MAX_LENGTH:
        raise errors.TooLong
    return CommentText(text)


def _compose(text: str) -> str:
    """Return `text` in NFC with at most `MAX_MARKS` marks on a base.

    They are counted in NFD (as in UTS #39, 5.4): a letter counts alike however it was typed, and a
    second cleaning finds the same. NFD sorts marks in quadratic time: hence the bound before it.
    """
    text = unicodedata.normalize("NFD", _bound_marks(text, _STREAM_SAFE))
    return unicodedata.normalize("NFC", _bound_marks(text, MAX_MARKS))


def _bound_marks(text: str, limit: int) -> str:
    """Return `text` without the marks that follow `limit` others on the same base."""

    def bound(stretch: re.Match[str]) -> str:
        kept = []
        marks = 0
        for char in stretch[0]:
            category = unicodedata.category(char)
            if category in {"Mn", "Me"} or unicodedata.combining(char):
                marks += 1
                if marks > limit:
                    continue
            elif category != "Cf":  # joiners and the like don't end a run: they show no base
                marks = 0
            kept.append(char)
        return "".join(kept)

    return _MARKS_PERHAPS.sub(bound, text)


def _tidy_lines(text: str) -> str:
    """Return `text` without trailing spaces, outer blank lines and more than one blank line."""
    lines = [line if _is_visible(line) else "" for line in map(str.rstrip, text.split("\n"))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip("\n"))


def _is_visible(line: str) -> bool:
    """Tell whether a stripped line shows anything: more than unseen characters and lone marks."""
    if line.isascii():
        return line != ""
    return any(not (char.isspace() or char in _UNSEEN or unicodedata.category(char).startswith("M")) for char in line)
