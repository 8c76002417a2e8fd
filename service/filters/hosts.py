"""Which hosts a text links to, and which it names."""

import re
import unicodedata
from collections.abc import Iterable

import idna

_DOTS = re.compile("[\u3002\uff0e\uff61]")  # what IDNA reads as a full stop (UTS #46)
_NAMED = re.compile(r"[\w\-.]+")
LONGEST = 253  # characters of a host's name (RFC 1035)


def canonical(name: str) -> str:
    """A host's name as the network knows it: small letters, IDNA (UTS #46); what is none stays, folded."""
    name = unicodedata.normalize("NFKC", _DOTS.sub(".", name)).casefold().strip(".")
    if name.isascii() or len(name) > LONGEST:
        return name
    try:
        return idna.encode(name, uts46=True).decode()
    except UnicodeError:
        return name


def linked(addresses: Iterable[str]) -> list[str]:
    """The hosts of web addresses, as `markup.addresses` finds them."""
    return [canonical(re.split("[/?#:]", address.partition("://")[2], maxsplit=1)[0]) for address in addresses]


def named(text: str) -> set[str]:
    """What looks like a host in a text, linked or not."""
    return {canonical(name) for name in _NAMED.findall(_DOTS.sub(".", text)) if "." in name}


def covers(host: str, other: str) -> bool:
    """Whether a host is this one or below it."""
    return other == host or other.endswith(f".{host}")
