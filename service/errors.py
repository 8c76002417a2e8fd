"""Every way in which Afterword says no.

    AfterwordError
    ├── StartError            the operator must change something; exit status 2
    ├── ArticleFileError      an article file can't be read (article_file/remarks.py)
    └── Refusal               an act or a request that is answered with a code
        ├── Malformed         400  malformed
        ├── Empty             422  empty
        ├── TooLong           422  too-long
        ├── Filtered          422  filtered
        ├── TooLarge          413  too-large
        │   └── UploadTooLarge 413 too-large
        ├── Media             415  media
        ├── ForeignOrigin     403  origin
        ├── NotYours          403  not-yours
        ├── Banned            403  banned        waiting helps
        ├── NotAllowed        403  role
        ├── ThreadClosed      403  closed
        ├── NotFound          404  not-found
        ├── MethodNotAllowed  405  method
        ├── OpReused          409  op-reused
        ├── Duplicate         409  duplicate
        │   └── Alike         409  duplicate
        ├── UpgradeRequired   426  upgrade
        ├── Unproven          428  challenge
        ├── TooFast           429  too-fast      waiting helps
        ├── TooMany           429  too-many      waiting helps
        │   └── WorkerFull    503  too-many      waiting helps
        ├── Internal          500  internal
        └── Unavailable       503  unavailable   waiting helps

A class's docstring is its default message: a sentence for the person who reads it. Codes and statuses are the wire
contract (docs/protocol.md) and never change meaning.
"""

import datetime
from typing import ClassVar

import msgspec


def phrase(words: str) -> str:
    """A sentence of a refusal that is told later, in the site's language: `make words` finds it by this."""
    return words


class AfterwordError(Exception):
    """The root of all errors that Afterword raises on purpose."""


class StartError(AfterwordError):
    """Afterword can't start; the message is one sentence that says what to do."""


class Refusal(AfterwordError):
    """An act or a request that is answered with a code, a status and a sentence.

    `message` is for people; `retry_after` is in seconds, given only where waiting helps. `until` and `reason` are what
    `Banned` tells, and `reason` what `Duplicate` does.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    until: datetime.datetime | None = None
    reason: str = ""

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.retry_after = retry_after
        super().__init__(self.message)


class Malformed(Refusal):
    """That could not be read as a message of this service."""

    code, status = "malformed", 400


class Empty(Refusal):
    """There is nothing to publish: please write something first."""

    code, status = "empty", 422


class TooLong(Refusal):
    """A comment holds at most 5,000 characters; please shorten it."""

    code, status = "too-long", 422


class Filtered(Refusal):
    """This comment holds something that this site does not publish; please put it differently."""

    code, status = "filtered", 422


class TooLarge(Refusal):
    """The request is larger than 64 KiB."""

    code, status = "too-large", 413


class UploadTooLarge(TooLarge):
    """An article and its pictures have at most 12 MiB in all."""


class Media(Refusal):
    """Send a comment as JSON or as a form."""

    code, status = "media", 415


class ForeignOrigin(Refusal):
    """Only this site's own pages may do that."""

    code, status = "origin", 403


class NotYours(Refusal):
    """That key does not belong to this comment."""

    code, status = "not-yours", 403


class Banned(Refusal):
    """You can't write here for some time."""

    code, status = "banned", 403

    def __init__(
        self, reason: str = "", until: datetime.datetime | None = None, *, retry_after: float | None = None
    ) -> None:
        """`reason` is a moderator's, and may be empty; `until` is when it ends."""
        why = f" The reason: {reason}" if reason else ""
        super().__init__(
            f"You can't write here until {until:%Y-%m-%d %H:%M} UTC.{why}" if until else None, retry_after=retry_after
        )
        self.reason = reason
        self.until = until.replace(microsecond=0) if until else None


class NotAllowed(Refusal):
    """Your role does not allow that."""

    code, status = "role", 403


class ThreadClosed(Refusal):
    """This conversation is closed; new comments are not accepted."""

    code, status = "closed", 403


class NotFound(Refusal):
    """There is nothing at this address."""

    code, status = "not-found", 404


class MethodNotAllowed(Refusal):
    """This address does not answer that method."""

    code, status = "method", 405


class OpReused(Refusal):
    """This op already stands for a comment with another text; make a new one."""

    code, status = "op-reused", 409


class Duplicate(Refusal):
    """You have written the same here within the last hour; to change it, edit or retract that comment first."""

    code, status = "duplicate", 409


class Alike(Duplicate):
    """Nearly the same has been written here within the last hour; please say it in other words, or edit yours."""

    reason = "alike"


class UpgradeRequired(Refusal):
    """This address speaks WebSocket (RFC 6455, version 13)."""

    code, status = "upgrade", 426


class Unproven(Refusal):
    """Prove with a little work first that you are no machine."""

    code, status = "challenge", 428

    def __init__(self, challenge: msgspec.Struct | None = None) -> None:
        """`challenge` is the work, a `protocol.Challenge`."""
        super().__init__()
        self.challenge = challenge


class TooFast(Refusal):
    """You are writing faster than this site allows; please wait a little."""

    code, status = "too-fast", 429


class TooMany(Refusal):
    """Too many connections are open from your address; close one, or try again later."""

    code, status = "too-many", 429


class WorkerFull(TooMany):
    """This site has as many readers as it can hold; please try again in a moment."""

    status = 503


class Internal(Refusal):
    """Something went wrong on our side; please try again."""

    code, status = "internal", 500


class Unavailable(Refusal):
    """Comments can't be saved just now; keep your text and try again in a moment."""

    code, status = "unavailable", 503
