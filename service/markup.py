"""A comment's plain text as safe HTML.

Four things are marked and nothing else: paragraphs, quoted lines, references to comments, and web
addresses. Every other character is text. Time is linear in the input: about 13 µs for a usual
comment.
"""

import re
from collections.abc import Iterable
from html import escape
from itertools import islice

import msgspec

MAX_QUOTES = 20
"""Numbers that one comment counts as quoting (docs/protocol.md); those beyond still are links."""

_MAX_NO = 2**53 - 1

_REFERENCE = r">>[1-9][0-9]{0,15}(?![0-9])"

# What ends an address wherever it stands.
_OUTSIDE = (
    r"\s\x00-\x20\"<>\\^`{|}\x7f-\xa0"  # RFC 3986 and RFC 3987 have no place for it
    r"\xab\xbb\u2000-\u206f\u3000-\u303f\uff00-\uff20\uff61-\uff65"  # punctuation of other scripts
    r"\xad\u061c\u115f\u1160\u180e\u2800\u3164\uffa0"  # unseen: it would hide where the host ends
)
_LABEL = rf"(?=\w)[^{_OUTSIDE}!#$%&'()*+,./:;=?@~\[\]]++"
_INSIDE = rf"[^{_OUTSIDE}()\[\]]"

# Atomic groups leave one way to read a text, hence linear time. What may fail midway is repeated in one, `(?>(?:…)*)`,
# and not possessively, `(?:…)*+`: that is the same, but before Python 3.11.5 it took what had failed (CPython issue
# 106052). The host is a name with a dot whose last part is no number; an address with a user before the host shows
# another than it opens: text.
_ADDRESS = (
    r"(?<![A-Za-z0-9])[Hh][Tt][Tt][Pp][Ss]?://"
    rf"(?>(?:{_LABEL}\.)+(?![0-9]){_LABEL}(?::[0-9]{{1,5}}(?![0-9]))?)(?![^\s/?#]*@)"
    rf"(?:[/?#](?>(?:{_INSIDE}++|\({_INSIDE}*+\)|\[{_INSIDE}*+\])*))?+"
)

_TOKEN = re.compile(f"({_REFERENCE}|{_ADDRESS})")
_LINK = re.compile(_ADDRESS)


class Markup(msgspec.Struct, frozen=True):
    """A rendered comment: safe HTML, and the numbers that it mentions, each once, in order."""

    html: str
    quotes: tuple[int, ...]


def links(text: str) -> int:
    """How many web addresses a clean text holds."""
    return len(_LINK.findall(text)) if "://" in text else 0


def render(text: str) -> Markup:
    """Return clean `text` (service/text.py) as markup: `p`, `br`, `span.quoted`, `a`, `a.ref`."""
    pieces = _TOKEN.split(text) if ">>" in text or "://" in text else [text]
    tokens = pieces[1::2]  # every second piece is what the pattern's group took
    pieces[::2] = map(escape, pieces[::2])
    pieces[1::2] = map(_link, tokens)
    paragraphs = map(_paragraph, "".join(pieces).split("\n\n"))
    return Markup("".join(paragraphs), _quotes(tokens))


def addresses(text: str) -> list[str]:
    """The web addresses that become links in clean `text`, in order."""
    tokens = _TOKEN.findall(text) if "://" in text else []
    return [_trimmed(token) for token in tokens if not token.startswith(">>")]


def _link(token: str) -> str:
    return _reference(token) if token.startswith(">>") else _address(token)


def _reference(token: str) -> str:
    no, label = int(token[2:]), escape(token)
    return f'<a class="ref" href="/comments/{no}">{label}</a>' if no <= _MAX_NO else label


def _address(token: str) -> str:
    """Return a link, and what stands behind it."""
    url = _trimmed(token)
    href, rest = escape(url), escape(token[len(url) :])
    return f'<a href="{href}" rel="nofollow ugc noopener">{href}</a>{rest}'


def _trimmed(token: str) -> str:
    """An address without the punctuation at its end: that belongs to the sentence around it."""
    return token.rstrip(".,;:!?'")


def _paragraph(html: str) -> str:
    lines = map(_line, html.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>"


def _line(html: str) -> str:
    # A reference at the start is a link by now: a `>` that is left there quotes the line.
    return f'<span class="quoted">{html}</span>' if html.startswith("&gt;") else html


def _quotes(tokens: Iterable[str]) -> tuple[int, ...]:
    mentioned = (int(token[2:]) for token in tokens if token.startswith(">>"))
    distinct = dict.fromkeys(no for no in mentioned if no <= _MAX_NO)
    return tuple(islice(distinct, MAX_QUOTES))
