"""When a room tells its readers what it learnt."""

import asyncio
import datetime
import time
from typing import cast

from service.frame import Frame
from service.protocol import Comment, Epoch, Slug, ThreadId
from service.rooms import Room
from service.rooms.reader import Reader
from service.rooms.room import LAG_SECONDS
from service.run import Run
from service.store.comments import Position

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Listener:
    """A reader to whom it takes `seconds` to write, and never more than so many frames."""

    def __init__(self, room: Room, seconds: float = 0.0, most: int = 100) -> None:
        self.version: int | None = 0
        self.heard: list[float] = []
        self._seconds = seconds
        self._most = most
        room.readers[cast("Reader", self)] = None

    def send(self, _frame: Frame) -> bool:
        """Take it, where it is not too much."""
        if len(self.heard) == self._most:
            return False
        time.sleep(self._seconds)
        self.heard.append(time.monotonic())
        return True

    def close(self, _code: int) -> None:
        """Hang up, which tells nothing."""


def opened() -> Room:
    return Room(Slug("story"), ThreadId(1), Position(Epoch("e.1"), 0, 0))


def posted(no: int) -> Run:
    return Run.of(no - 1, no, no, [Comment(no, no, AT, by="Anonymous", html="Hello", quotes=())])


async def heard(listener: Listener, count: int) -> float:
    """When it came."""
    async with asyncio.timeout(5):
        while len(listener.heard) < count:
            await asyncio.sleep(0)
    return listener.heard[count - 1]


async def test_readers_hear_after_whoever_was_to_hear_first() -> None:
    room, first = opened(), asyncio.Event()
    listener = Listener(room)
    room.learn(posted(1))
    asyncio.get_running_loop().call_soon(first.set)
    assert not listener.heard
    await first.wait()
    await heard(listener, 1)


async def test_where_writing_takes_long_it_begins_a_moment_later() -> None:
    room = opened()
    listener = Listener(room, seconds=0.01)
    room.learn(posted(1))
    await heard(listener, 1)
    await asyncio.sleep(0.05)  # it is quiet again
    learnt = time.monotonic()
    room.learn(posted(2))
    assert await heard(listener, 2) - learnt >= 0.01 + 0.0015


async def test_nobody_waits_for_a_reader_whose_line_is_full() -> None:
    room = opened()
    free, _full = Listener(room), Listener(room, most=0)
    room.learn(posted(1))
    await heard(free, 1)
    learnt = time.monotonic()
    room.learn(posted(2))
    assert await heard(free, 2) - learnt < LAG_SECONDS / 2
    room.close()


async def test_what_a_room_learnt_before_it_was_closed_comes_no_more() -> None:
    room, later = opened(), asyncio.Event()
    listener = Listener(room)
    room.learn(posted(1))
    room.close()
    asyncio.get_running_loop().call_later(0.005, later.set)  # behind the flush, were it still due
    await later.wait()
    assert not listener.heard
