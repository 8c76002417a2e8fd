"""The words that the page's script says, and those that refusals are told in; each stands here for `make words`.

The script fills in what stands as `%(name)s`, and picks a form of a plural with Intl.PluralRules.
"""

from service.errors import Refusal
from service.language import Language

Words = dict[str, "str | Words"]


def words(language: Language) -> Words:
    """What the script says, in one block of data on the page."""
    gettext, plural = language.gettext, language.plural
    return {
        "language": language.name,
        "codes": {kind.code: gettext(kind().message) for kind in Refusal.__subclasses__()},
        "number": gettext("No. %(no)s"),
        "count": {
            "none": gettext("No comments yet"),
            "some": {**plural("%(num)s Comment", "%(num)s Comments")},
        },
        "readers": {**plural("%(num)s reading", "%(num)s reading")},
        "connection": {
            "live": gettext("Live"),
            "polling": gettext("Updated every few seconds"),
            "reconnecting": gettext("Reconnecting…"),
            "offline": gettext("Offline"),
            "stopped": gettext("Not live; load the page again"),
        },
        "composer": {
            "length": gettext("%(length)s of %(most)s characters."),
            "sending": gettext("Sending…"),
            "unanswered": gettext("No answer yet. Your text is kept, and sent again by itself."),
            "published": gettext("Published as %(comment)s"),
            "held": gettext("Thank you. Your comment will appear when a moderator has read it."),
            "gone": gettext("This comment was published before, and taken away since."),
            "refused": gettext("%(reason)s (%(seconds)s s)"),
        },
        "share": {"done": gettext("Link copied")},
        "retract": {"sure": gettext("Erase it for good?")},
    }


def sentence(language: Language, refusal: Refusal) -> str:
    """A refusal as its page tells it; one whose particulars are only for programs is told by its kind."""
    message = refusal.message if language.knows(refusal.message) else type(refusal)().message
    return language.gettext(message)
