"""The wire: every message as a closed, frozen type with its limits in it, and the one way to write and read each.

docs/protocol.md tells what they mean. Times are UTC in whole seconds; integers stay below 2^53 (JavaScript reads them
exactly); unknown fields are ignored, so that workers of two releases understand each other.
"""

import datetime
from enum import IntEnum
from typing import Annotated, Literal, NewType, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from service.errors import Malformed, Refusal, Unproven

MAX_INTEGER = 2**53 - 1
MAX_INBOUND = 64 * 1024  # bytes of one message from a client: 5,000 emoji, escaped, are 60 KB
SUBPROTOCOL = "afterword.1"

Epoch = NewType("Epoch", str)
Slug = NewType("Slug", str)
ThreadId = NewType("ThreadId", int)
T = TypeVar("T")
Version = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
CommentNo = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Op = Annotated[
    str,
    Meta(
        min_length=36,
        max_length=36,
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="a UUID that the client makes for one act, and its secret",
    ),
]
AuthorKey = Annotated[str, Meta(min_length=1, max_length=64)]
Gone = Literal["retracted", "removed", "held"]
State = Literal["published", "held", "retracted", "removed"]
ReportReason = Literal["spam", "abuse", "private", "off-topic", "illegal", "other"]
Mode = Literal["live", "catchup", "reset"]


class Close(IntEnum):
    """Why a socket was closed. 4000 to 4499: come back with backoff; 4500 to 4999: don't come back by yourself."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    BAD_DATA = 1007
    TOO_BIG = 1009
    DRAIN = 4001
    SERVER_ERROR = 4004
    TOO_SLOW = 4008
    SILENT = 4012
    TOO_MANY_MESSAGES = 4013
    MALFORMED = 4501
    TOO_MANY_CONNECTIONS = 4504
    ORIGIN = 4507


class Thread(msgspec.Struct, frozen=True):
    """The state of a thread, always whole.

    `slow`: seconds between two comments of one address, 0 for none. `surge`: whether it is stricter for a while, since
    more comes than anybody reads. `pinned`: the comment that stands first. Both are unset where they are not so.
    """

    state: Literal["open", "closed", "held"]
    slow: int = 0
    surge: bool | UnsetType = UNSET
    pinned: CommentNo | UnsetType = UNSET


class Comment(msgspec.Struct, frozen=True):
    """A comment in its latest state: either `by`, `html` and `quotes`, or `gone`.

    `tag`: the same for one address within one thread only, where the site shows such, and while the address is known.
    """

    no: CommentNo
    version: Version
    at: datetime.datetime
    by: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET
    html: str | UnsetType = UNSET
    quotes: tuple[int, ...] | UnsetType = UNSET
    gone: Gone | UnsetType = UNSET


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """The first message to a reader: where the thread stands, and what this reader missed: each a `Comment`."""

    epoch: Epoch
    version: Version
    count: int
    mode: Mode
    comments: tuple[Raw, ...]
    thread: Thread
    readers: int


class Changes(msgspec.Struct, frozen=True, tag="changes"):
    """What happened in (`from`, `to`], complete, in version order, each `Comment` once in its latest state."""

    from_: Version = msgspec.field(name="from")
    to: Version
    count: int
    comments: tuple[Raw, ...]
    thread: Thread | UnsetType = UNSET


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """An act is durable. `version` is None while the comment was never published."""

    op: str
    no: int
    version: int | None
    state: State
    key: str | UnsetType = UNSET


class Aim(msgspec.Struct, frozen=True):
    """What the work is for: `act` names the thread and the op to who made it; the counter is `most` at most."""

    act: str
    most: int


class Parameters(msgspec.Struct, frozen=True, rename="camel"):
    """The work, as altcha's proof of work (version 2) describes it; binary values are in hexadecimal."""

    algorithm: Literal["PBKDF2/SHA-256"]
    nonce: str
    salt: str
    cost: int
    key_length: int
    key_prefix: str
    key_signature: str
    expires_at: int
    data: Aim


class Challenge(msgspec.Struct, frozen=True):
    """Work that proves that somebody means it: the parameters, and the site's signature on them."""

    parameters: Parameters
    signature: str


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An act was refused; `retry_after` in whole seconds, where waiting helps. `until` and `reason`: of a ban.

    `challenge`: the work, where its proof is wanted.
    """

    op: str | None
    code: str
    message: str
    retry_after: int | UnsetType = UNSET
    until: datetime.datetime | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    challenge: Challenge | UnsetType = UNSET


class Readers(msgspec.Struct, frozen=True, tag="readers"):
    """How many have the thread open, over all workers, approximately."""

    readers: int


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Are you there? `version` is the last one written to this connection before it."""

    epoch: Epoch
    version: Version


class Bye(msgspec.Struct, frozen=True, tag="bye"):
    """This worker is leaving; open the next connection `retry` milliseconds from now."""

    retry: int


Outbound = Joined | Changes | Accepted | Refused | Readers | Ping | Bye


class Post(msgspec.Struct, frozen=True, tag="post"):
    """Publish `text`, once for this `op`, however often it is sent; `proof` where a challenge asked for one."""

    op: Op
    text: str
    proof: str | UnsetType = UNSET


class Retract(msgspec.Struct, frozen=True, tag="retract"):
    """Take one's own comment back; `key` came with its `accepted`."""

    op: Op
    no: CommentNo
    key: AuthorKey


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Still here."""


Inbound = Post | Retract | Pong


class RetractBody(msgspec.Struct, frozen=True):
    """The JSON body of DELETE /articles/{slug}/comments/{no}."""

    key: AuthorKey


class Retraction(msgspec.Struct, frozen=True):
    """What became of a comment that DELETE was asked to retract."""

    no: int
    version: int | None
    state: State


class PostBody(msgspec.Struct, frozen=True):
    """The JSON body of POST /articles/{slug}/comments."""

    op: Op
    text: str
    proof: str | UnsetType = UNSET


class ReportBody(msgspec.Struct, frozen=True):
    """The JSON body of POST /comments/{no}/report."""

    reason: ReportReason
    note: str = ""


class AppealBody(msgspec.Struct, frozen=True):
    """The JSON body of POST /comments/{no}/appeal."""

    text: str


class Filed(msgspec.Struct, frozen=True):
    """A report or an appeal has come to the moderators; or was there, or there is nothing left to judge."""

    no: CommentNo


class Window(msgspec.Struct, frozen=True):
    """A run of comments in `no` order and the thread's position, of one snapshot."""

    epoch: Epoch
    version: Version
    count: int
    thread: Thread
    comments: tuple[Comment, ...]
    earlier: bool
    later: bool


class Placed(msgspec.Struct, frozen=True):
    """A comment, and the article below which it stands."""

    no: CommentNo
    slug: Slug
    title: str
    comment: Comment


class Problem(msgspec.Struct, frozen=True):
    """A refusal over HTTP (RFC 9457, application/problem+json)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    retry_after: int | UnsetType = UNSET
    until: datetime.datetime | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    challenge: Challenge | UnsetType = UNSET


class UnknownType(Malformed):
    """This type of message is not known here."""


class _Head(msgspec.Struct, frozen=True):
    type: str | UnsetType = UNSET


class _Act(msgspec.Struct, frozen=True):
    op: Op


_encoder = msgspec.json.Encoder()
_inbound: msgspec.json.Decoder[Inbound] = msgspec.json.Decoder(Inbound)
_head = msgspec.json.Decoder(_Head)
_act = msgspec.json.Decoder(_Act)
_KNOWN = {"post", "retract", "pong"}


def encode(message: msgspec.Struct) -> bytes:
    """A message as JSON."""
    return _encoder.encode(message)


def decode(data: bytes | str) -> Inbound:
    """A client's message. Raises `UnknownType` where only its type is not ours, else `Malformed`."""
    try:
        return _inbound.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        head = _lenient(_head, data)
        if head and isinstance(head.type, str) and head.type not in _KNOWN:
            raise UnknownType from None
        raise Malformed(reason(error)) from None


def op_of(data: bytes | str) -> str | None:
    """The op of a message that could not be decoded otherwise, so that its refusal can be matched."""
    act = _lenient(_act, data)
    return act.op if act else None


def reason(error: Exception) -> str:
    """What was wrong with a document, in words that hold nothing of its content."""
    return f"{error}." if isinstance(error, msgspec.DecodeError) else "This is not readable JSON."


def refused(op: str | None, refusal: Refusal) -> Refused:
    """A refusal as a message; seconds are rounded up, so that who waits is never too early."""
    wait = whole_seconds(refusal.retry_after)
    until, reason = refusal.until or UNSET, refusal.reason or UNSET
    return Refused(op, refusal.code, refusal.message, wait, until, reason, challenge(refusal))


def challenge(refusal: Refusal) -> Challenge | UnsetType:
    """The work that a refusal asks for, or unset."""
    if isinstance(refusal, Unproven) and isinstance(refusal.challenge, Challenge):
        return refusal.challenge
    return UNSET


def whole_seconds(seconds: float | None) -> int | UnsetType:
    """Seconds rounded up to at least 1, or unset."""
    return UNSET if seconds is None else max(1, -int(-seconds // 1))


def _lenient(decoder: "msgspec.json.Decoder[T]", data: bytes | str) -> T | None:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
