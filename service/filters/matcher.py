"""Which filters fit a text, and what follows of several: pure."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from service import markup
from service.errors import Filtered
from service.filters import forms, hosts
from service.filters.rule import compiled
from service.store.filters import Filter, Place, Rule, Unfit

log = logging.getLogger(__name__)


class Text:
    """A comment's text in every form in which it is looked at, each made when it is asked for."""

    def __init__(self, text: str) -> None:
        self.fold = forms.folded(text)
        joined = forms.joined(self.fold)
        self.words = (self.fold,) if joined == self.fold else (self.fold, joined)
        self.patterns = [form.encode() for form in dict.fromkeys((text, *self.words))]
        addresses = markup.addresses(text)
        self.linked = hosts.linked(addresses)
        self.named = hosts.named(self.fold) | {*self.linked}


class Fitting(NamedTuple):
    """The filters that fit a text, wherever they hold, and the hosts to which it links."""

    filters: Sequence[Filter]
    linked: Sequence[str]


class Matcher:
    """Filters, made ready: 200 of them take a few milliseconds for 5,000 letters."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = filters
        self._fits = [(each, _test(each.rule)) for each in filters]

    def fitting(self, text: str) -> Fitting:
        """Those that fit a text."""
        if not self._fits:
            return Fitting((), ())
        forms_of_it = Text(text)
        return Fitting([each for each, fits in self._fits if fits(forms_of_it)], forms_of_it.linked)


def met(fitting: Fitting, place: Place) -> list[Filter]:
    """Those of the filters that fit which count there.

    One that lets a host pass counts where every link leads to such a host: else one trusted link would carry others in.
    """
    there = [each for each in fitting.filters if _holds_there(each.rule, place)]
    trusted = [each.rule.value for each in there if _trusts(each.rule)]
    if all(any(hosts.covers(host, link) for host in trusted) for link in fitting.linked):
        return there
    return [each for each in there if not _trusts(each.rule)]


def verdict(fitting: Fitting, place: Place) -> Filtered | str | None:
    """What becomes of a comment there: refused; held, and by which filter; or let through.

    What refuses beats all else, and what lets pass beats what holds.
    """
    counting = met(fitting, place)
    actions = {each.rule.action for each in counting}
    if "refuse" in actions:
        return Filtered()
    if "hold" in actions and "pass" not in actions:
        return next(each.name for each in counting if each.rule.action == "hold")
    return None


def _trusts(rule: Rule) -> bool:
    return rule.kind == "host" and rule.action == "pass"


def _holds_there(rule: Rule, place: Place) -> bool:
    if rule.kind == "first" and not place.first:
        return False
    if rule.article:
        return rule.article == place.article
    return not rule.section or rule.section.lower() == place.section.lower()


def _test(rule: Rule) -> Callable[[Text], bool]:
    value = rule.value
    match rule.kind:
        case "word":
            return lambda text: any(forms.holds(form, value) for form in text.words)
        case "pattern":
            fits = _pattern(value)
            return lambda text: any(fits(form) for form in text.patterns)
        case "host" if rule.action == "pass":
            return lambda text: any(hosts.covers(value, host) for host in text.linked)
        case "host":
            return lambda text: any(hosts.covers(value, host) for host in text.named)
        case "links":
            most = int(value)
            return lambda text: len(text.linked) > most
        case "first":
            return lambda _text: True


def _pattern(value: str) -> Callable[[bytes], bool]:
    """What a pattern fits. One that this release's RE2 can't read any more fits nothing, and stops nobody."""
    try:
        return compiled(value)
    except Unfit as unfit:
        log.error("a filter's pattern can't be read", extra={"pattern": value, "reason": unfit.message})  # noqa: TRY400
        return lambda _text: False
