"""A filter as somebody wrote it, made into a rule: normalised, and refused in words where it can't be one."""

import functools
import re
from collections.abc import Callable

import msgspec
import re2

from service.errors import phrase
from service.filters import forms, hosts
from service.store.filters import MOST, Kind, Rule, Unfit

NONE = phrase("That is no filter.")
MAX_LINKS = 100
MAX_PROGRAM = 2_000  # instructions of a compiled pattern: what it may cost where RE2 has to follow all of them
MEMORY = 1 << 20  # bytes for a pattern and what RE2 remembers of it

_HOST = re.compile(r"(?=.{1,253}\Z)(?:[\w\-]{1,63}\.)+(?![0-9])[\w\-]{2,63}")

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # what Postgres does not keep

# What RE2 says of a pattern, by how it begins.
_FAULTS = {
    "missing )": phrase("The pattern opens a bracket that it does not close."),
    "unexpected )": phrase("The pattern closes a bracket that it did not open."),
    "missing ]": phrase("The pattern opens a set, [, that it does not close."),
    "invalid character class": phrase("The pattern has a set, […], with something in it that can't be there."),
    "invalid escape": phrase(
        "The pattern has a backslash before something that can't follow one. There are no back-references."
    ),
    "trailing": phrase("The pattern ends with a backslash."),
    "no argument": phrase("The pattern has a repetition (*, +, ? or {}) with nothing before it to repeat."),
    "bad repetition": phrase("The pattern has one repetition (*, +, ? or {}) right after another."),
    "invalid repetition": phrase("The pattern repeats something too often; 1,000 times is the most, all in all."),
    "invalid perl operator": phrase(
        "The pattern has a group, (?…), that is not known here. There is no looking ahead or behind."
    ),
    "invalid named": phrase("The pattern has a group whose name can't be read."),
    "pattern too large": phrase("The pattern is too large; make it shorter, or let it repeat less."),
}


def rule(
    kind: str, value: str, action: str, *, section: str | None = None, article: str | None = None, reason: str = ""
) -> Rule:
    """A rule of what somebody wrote; an article may be its whole address. Raises `Unfit`, with a sentence."""
    if any(_UNWRITABLE.search(line or "") for line in (value, section, article, reason)):
        raise Unfit(NONE)
    if section and article:
        raise Unfit(phrase("A filter holds in one section or below one article; leave one of them empty."))
    try:
        found = msgspec.convert(
            {
                "kind": kind,
                "value": value.strip(),
                "action": action,
                "section": section or None,
                "article": (article or "").rpartition("/")[2] or None,
                "reason": reason,
            },
            Rule,
        )
    except msgspec.ValidationError:
        raise Unfit(NONE) from None
    return msgspec.structs.replace(found, value=_VALUES[found.kind](found.value))


@functools.lru_cache(MOST)
def compiled(pattern: str) -> Callable[[bytes], bool]:
    """Whether a pattern in RE2's syntax fits a text, whatever the case, in linear time. Raises `Unfit`."""
    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive, options.never_capture = MEMORY, False, False, True
    try:
        made = re2.compile(pattern.encode(), options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace")
        known = (told for begins, told in _FAULTS.items() if said.startswith(begins))
        raise Unfit(next(known, phrase("That can't be read as a pattern."))) from None
    if made.programsize > MAX_PROGRAM:
        raise Unfit(_FAULTS["pattern too large"])
    return lambda text: made.search(text) is not None


def _word(value: str) -> str:
    fold = forms.folded(value)
    if not fold:
        raise Unfit(phrase("Say which words."))
    return fold


def _pattern(value: str) -> str:
    if not value:
        raise Unfit(phrase("Say which pattern."))
    if compiled(value)(b""):
        raise Unfit(phrase("The pattern fits every comment: it is content with nothing."))
    return value


def _host(value: str) -> str:
    name = hosts.canonical(re.sub(r"^(?:https?://)?(?:\*?\.)?|[/?#:].*$", "", value.strip().casefold()))
    if not _HOST.fullmatch(name):
        raise Unfit(phrase("Give the name of a host, like example.org."))
    return name


def _links(value: str) -> str:
    if not re.fullmatch("[0-9]{1,3}", value) or int(value) > MAX_LINKS:
        raise Unfit(phrase("Give a number of links, from 0 to 100."))
    return str(int(value))


_VALUES: dict[Kind, Callable[[str], str]] = {
    "word": _word,
    "pattern": _pattern,
    "host": _host,
    "links": _links,
    "first": lambda _value: "",
}
