"""Runs of changes cut to messages: small enough that a slow line hears something in time."""

from collections.abc import Iterator, Sequence

import msgspec

from service import protocol
from service.protocol import Changes, Comment, Joined

PIECE = 32 * 1024  # bytes of one message, unless a comment is larger,
ENVELOPE = 512  # of which all but the comments takes less: the longest epoch, the numbers, the thread


def frames(joined: Joined, after: int) -> Iterator[bytes]:
    """A `joined` of someone who is at `after` as frames of at most 32 KiB: `joined`, then `changes`."""
    first, *others = pieces(Changes(after, joined.version, joined.count, joined.comments))
    head = msgspec.structs.replace(joined, version=first.to, comments=first.comments)
    for message in (head, *others):
        yield protocol.frame(protocol.encode(message))


def pieces(changes: Changes) -> Iterator[Changes]:
    """Changes in runs of at most 32 KiB, each beginning where the one before ended."""
    from_, run, size = changes.from_, list[Comment](), ENVELOPE
    for comment in changes.comments:
        length = len(protocol.encode(comment)) + 1  # and a comma
        if run and size + length > PIECE:
            yield Changes(from_, run[-1].version, changes.count, tuple(run))
            from_, run, size = run[-1].version, [], ENVELOPE
        run.append(comment)
        size += length
    yield Changes(from_, changes.to, changes.count, tuple(run), changes.thread)


def weight(comments: Sequence[Comment]) -> int:
    """The bytes of comments as JSON."""
    return sum(len(protocol.encode(comment)) for comment in comments)
