"""Runs of changes: what happened to a thread between two versions, complete, each comment once and encoded once."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from service import protocol
from service.protocol import Changes, Comment, CommentNo, Thread, Version

PIECE = 32 * 1024  # bytes of one message, unless a comment is larger: a slow line must hear something in time,
ENVELOPE = 512  # of which all but the comments takes less: the longest epoch, the numbers, the thread


class Entry(NamedTuple):
    """A comment in its latest state, as JSON; `gone` says whether there is nothing left to read."""

    no: int
    version: int
    gone: bool
    json: bytes

    @classmethod
    def of(cls, comment: Comment) -> "Entry":
        """Encode a comment."""
        return cls(comment.no, comment.version, comment.gone is not UNSET, protocol.encode(comment))

    @property
    def size(self) -> int:
        """The bytes that it takes in a message, with a comma."""
        return len(self.json) + 1


class Run(msgspec.Struct, frozen=True):
    """What happened in (`from_`, `to`], in version order; `thread` only if its state changed."""

    from_: int
    to: int
    count: int
    entries: tuple[Entry, ...] = ()
    thread: Thread | UnsetType = UNSET

    @classmethod
    def of(
        cls, from_: int, to: int, count: int, comments: Iterable[Comment], thread: Thread | UnsetType = UNSET
    ) -> "Run":
        """A run of comments as the store has them."""
        return cls(from_, to, count, tuple(map(Entry.of, comments)), thread)

    @classmethod
    def read(cls, payload: bytes) -> "Run":
        """A run as another worker encoded it. Raises `msgspec.DecodeError`."""
        changes = _changes.decode(payload)
        return cls(changes.from_, changes.to, changes.count, tuple(map(_entry, changes.comments)), changes.thread)

    def __str__(self) -> str:
        """The versions alone: what comments say belongs into no log."""
        return f"({self.from_}, {self.to}]"

    @property
    def size(self) -> int:
        """The bytes of its comments in a message."""
        return sum(entry.size for entry in self.entries)

    @property
    def comments(self) -> tuple[Raw, ...]:
        """Its comments, ready for a message."""
        return tuple(Raw(entry.json) for entry in self.entries)

    def message(self) -> Changes:
        """The run as readers and other workers get it."""
        return Changes(self.from_, self.to, self.count, self.comments, self.thread)

    def pieces(self) -> list["Run"]:
        """The same in runs of at most 32 KiB, each beginning where the one before ended.

        The thread is in each: a slow line may stop between, and go on from there.
        """
        parts, part, size = list[list[Entry]](), list[Entry](), ENVELOPE
        for entry in self.entries:
            if part and size + entry.size > PIECE:
                parts.append(part)
                part, size = [], ENVELOPE
            part.append(entry)
            size += entry.size
        last = Run(parts[-1][-1].version if parts else self.from_, self.to, self.count, tuple(part), self.thread)
        pieces = [last]
        for number in range(len(parts) - 1, -1, -1):
            after, entries = pieces[-1], tuple(parts[number])
            from_ = parts[number - 1][-1].version if number else self.from_
            pieces.append(Run(from_, after.from_, after.count - _growth(after.entries), entries, self.thread))
        return pieces[::-1]


class _Stamp(msgspec.Struct, frozen=True):
    no: CommentNo
    version: Version
    gone: str | UnsetType = UNSET


_changes = msgspec.json.Decoder(Changes)
_stamp = msgspec.json.Decoder(_Stamp)


def _entry(raw: Raw) -> Entry:
    stamp = _stamp.decode(raw)
    return Entry(stamp.no, stamp.version, stamp.gone is not UNSET, bytes(raw))


def _growth(entries: Iterable[Entry]) -> int:
    """By how much the count of a thread grew: what can be read was published, or restored, by its last change."""
    return sum(-1 if entry.gone else 1 for entry in entries)
