"""The words that the page's script says, and those that refusals are told in; each stands here for `make words`.

The script fills in what stands as `%(name)s`, and picks a form of a plural with Intl.PluralRules by `num`.
"""

import datetime
from collections.abc import Mapping

from service.errors import Alike, Refusal
from service.language import Language
from service.protocol import ReportReason

Phrase = str | dict[str, str]


def words(language: Language) -> Mapping[str, Phrase]:
    """What the script says, by name: a sentence, or its forms by CLDR's plural category."""
    gettext, plural = language.gettext, language.plural
    return {
        # whom a comment is by, static/thread/feed.js
        "anonymous": gettext("Anonymous"),
        # above the thread, static/thread/head.js and turns.js
        "none": gettext("No comments yet"),
        "count": plural("%(num)s Comment", "%(num)s Comments"),
        "readers": plural("%(num)s reading", "%(num)s reading"),
        "live": gettext("Live"),
        "stream": gettext("Live, without WebSockets"),
        "polling": gettext("Updated every few seconds"),
        "reconnecting": gettext("Reconnecting…"),
        "in": plural("in %(num)s second", "in %(num)s seconds"),
        "offline": gettext("Offline"),
        "stopped": gettext("Not live; load the page again"),
        "earlier": plural("Earlier comments (%(num)s)", "Earlier comments (%(num)s)"),
        "earlier-some": gettext("Earlier comments"),
        # what is new, static/thread/reading.js
        "new": plural("%(num)s new comment", "%(num)s new comments"),
        "since-new": plural(
            "Since you were here: %(num)s new comment.",
            "Since you were here: %(num)s new comments.",
        ),
        "since-gone": plural(
            "%(num)s comment that you had seen was taken away:",
            "%(num)s comments that you had seen were taken away:",
        ),
        "since-much": gettext("Much has changed since you were here."),
        # one's own, static/thread/composer.js, outgoing.js, own.js and settings.js
        "length": gettext("%(length)s of %(most)s characters."),
        "slow": plural(
            "One comment every %(num)s second from each of us, please.",
            "One comment every %(num)s seconds from each of us, please.",
        ),
        "sending": gettext("Sending…"),
        "proving": gettext("Proving that you are no machine… %(share)s"),
        "unanswered": gettext("No answer yet. Your text is kept, and sent again by itself."),
        "published": gettext("Published as"),
        "number": gettext("No. %(no)s"),
        "held": gettext("Thank you. Your comment will appear when a moderator has read it."),
        "taken": gettext("This comment was published before, and taken away since."),
        "unpublished": gettext("A moderator has read your comment and did not publish it."),
        "again": gettext("Try again"),
        "wait": plural("Try again in %(num)s second", "Try again in %(num)s seconds"),
        "sure": gettext("Erase it for good?"),
        "reported": gettext("Thank you. A moderator will look at it."),
        "hidden": plural("%(num)s comment is hidden.", "%(num)s comments are hidden."),
        **{f"refused.{kind.code}": gettext(kind().message) for kind in Refusal.__subclasses__()},
        "refused.duplicate-alike": gettext(Alike().message),
        "banned": gettext("You can't write here until %(until)s."),
        "banned-why": gettext("You can't write here until %(until)s. The reason: %(reason)s"),
    }


def desk_words(language: Language) -> Mapping[str, Phrase]:
    """What the desk's script says, static/desk/."""
    gettext = language.gettext
    return {
        "live": gettext("Live"),
        "reconnecting": gettext("Reconnecting…"),
        "settled": gettext("Somebody else has seen to this one."),
        "failed": gettext("That was not done; please try again."),
    }


def newsroom(language: Language, site: str) -> str:
    """The newsroom as readers know it."""
    return language.gettext("%(site)s newsroom") % {"site": site}


def reasons(language: Language) -> Mapping[str, str]:
    """Why something is removed: what the record keeps, and how it is told."""
    gettext = language.gettext
    return {
        "rules": gettext("Breaks the rules"),
        "spam": gettext("Spam"),
        "insult": gettext("Insult or hate"),
        "personal": gettext("Personal data"),
        "unlawful": gettext("Unlawful"),
        "off-topic": gettext("Off topic"),
    }


def complaints(language: Language) -> Mapping[ReportReason, str]:
    """Why readers report a comment: what the wire says, and how it is told."""
    gettext = language.gettext
    return {
        "spam": gettext("Spam"),
        "abuse": gettext("Abuse or hate"),
        "private": gettext("Private details"),
        "off-topic": gettext("Off topic"),
        "illegal": gettext("Illegal content"),
        "other": gettext("Something else"),
    }


def stamp(at: datetime.datetime, zone: datetime.tzinfo) -> str:
    """A time as the pages show it, in the site's zone."""
    return f"{at.astimezone(zone):%Y-%m-%d : %H:%M}"


def sentence(language: Language, refusal: Refusal, zone: datetime.tzinfo = datetime.UTC) -> str:
    """A refusal as its page tells it; one whose particulars are only for programs is told by its kind."""
    if refusal.until:
        phrase = words(language)["banned-why" if refusal.reason else "banned"]
        assert isinstance(phrase, str)
        return phrase % {"until": stamp(refusal.until, zone), "reason": refusal.reason}
    message = refusal.message if language.knows(refusal.message) else type(refusal)().message
    return language.gettext(message)
