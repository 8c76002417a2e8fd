"""The forms in which a text is looked at, so that simple disguises hide nothing.

Folding is Unicode's own (UAX #15, NFKC; full case folding): a full-width or a mathematical letter is the letter, and
so is a capital. Letters of other scripts that only look alike stay what they are. Time is linear.
"""

import re
import unicodedata

# What joins or hides letters without showing: format characters, variation selectors, what combines graphemes.
_UNSEEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff]+"
)
_SPACE = re.compile(r"\s+")

# A word that is spelled out: three letters or more, each alone, with up to three other characters between two.
_SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,}")
_BETWEEN = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """A text without case, compatibility forms and what can't be seen; any run of white space is one blank."""
    bare = _UNSEEN.sub("", text)
    if bare.isascii():
        return _SPACE.sub(" ", bare.lower()).strip()
    bare = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
    return _SPACE.sub(" ", _UNSEEN.sub("", bare)).strip()


def joined(fold: str) -> str:
    """A folded text in which words that are spelled out (`p.i.l.l.s`, `p i l l s`) are written together."""
    return _SPELLED.sub(lambda spelled: _BETWEEN.sub("", spelled[0]), fold)


def holds(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text, both folded, and goes on into no longer word at either of its ends."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and _within(text[at - 1], phrase[0])) and not (end < len(text) and _within(phrase[-1], text[end])):
            return True
        at = text.find(phrase, at + 1)
    return False


def _within(one: str, other: str) -> bool:
    """Whether two characters beside each other belong to one word."""
    return _in_word(one) and _in_word(other)


def _in_word(char: str) -> bool:
    """Letters, digits, the underscore, and marks: the vowel signs of Indian scripts are such."""
    return char == "_" or unicodedata.category(char)[0] in "LNM"
