"""Rooms: whatever is lost, doubled or late, every reader gets one contiguous run, or is told to begin anew."""

import asyncio
import contextlib
import datetime
import itertools
import random
import secrets
import struct
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio
from msgspec import Raw
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service import bus, protocol
from service.article_file import ArticleFile, CommentsMode
from service.bus import Bus
from service.crowd import Crowd
from service.errors import NotFound, Unavailable
from service.ingest import Ingest
from service.protocol import Bye, Changes, Close, Comment, Epoch, Joined, Ping, Readers, Slug, Thread, ThreadId
from service.rooms import Room, Rooms
from service.rooms import rooms as module
from service.rooms.ledger import CATCH_UP
from service.run import PIECE, Run
from service.store import database
from service.store.articles import Articles
from service.store.comments import Comments, Draft, Position, Since, Standing
from tests.line import seat

PATIENCE = 20.0  # seconds that any condition may take on a busy machine
STORY = Slug("story")
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_outbound = msgspec.json.Decoder(Joined | Changes | Readers | Ping | Bye)
_comment = msgspec.json.Decoder(Comment)


class Listener(asyncio.Transport):
    """A line whose client takes everything down, and insists on a contiguous run. `stuck`: it takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Joined | Changes | Readers | Ping | Bye] = []
        self.sizes: list[int] = []
        self.beats: list[Ping] = []
        self.closed: Close | None = None
        self.epoch = ""
        self.version = -1
        self.count = 0
        self.thread = Thread("open")
        self.latest: dict[int, Comment] = {}
        self.resets = 0
        self.stuck = False
        self.aborted = False
        self._buffer: list[bytes] = []

    def get_write_buffer_size(self) -> int:
        """What was written and not taken."""
        return sum(map(len, self._buffer))

    def is_reading(self) -> bool:
        """Whether the worker listens: it never has reason not to."""
        return True

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self.aborted

    def abort(self) -> None:
        """Be cut off."""
        self.aborted = True
        self._buffer.clear()

    def write(self, data: Any) -> None:
        """Read one frame, once the client takes it."""
        self._buffer.append(data)
        self.take(0 if self.stuck else 1)

    def take(self, frames: int = 10**6) -> None:
        """Read so many of the frames that wait."""
        for _ in range(min(frames, len(self._buffer))):
            self._read(self._buffer.pop(0))

    def seen(self, kind: type) -> list[Any]:
        """The messages of a kind."""
        return [message for message in self.messages if isinstance(message, kind)]

    def _read(self, data: bytes) -> None:
        if data[0] == 0x88:
            self.closed = Close(struct.unpack("!H", data[2:])[0])
            return
        payload = unframed(data)
        self.sizes.append(len(payload))
        message = _outbound.decode(payload)
        self.messages.append(message)
        match message:
            case Joined():
                self._join(message)
            case Changes():
                assert message.from_ == self.version < message.to, "no hole, nothing twice"
                self._apply(message.comments, message.from_, message.to)
                self.count = message.count
                self.thread = message.thread or self.thread
            case Ping():
                assert (message.epoch, message.version) == (self.epoch, self.version)
                self.beats.append(message)

    def _join(self, message: Joined) -> None:
        if message.mode == "reset":
            assert message.comments == ()
            self.resets += 1
            self.latest.clear()
        else:
            assert self.version <= message.version
            self._apply(message.comments, -1, message.version)
        self.epoch, self.version, self.count = message.epoch, message.version, message.count
        self.thread = message.thread

    def _apply(self, comments: tuple[Raw, ...], from_: int, to: int) -> None:
        decoded = [_comment.decode(raw) for raw in comments]
        versions = [comment.version for comment in decoded]
        assert versions == sorted(set(versions)), "in order, each once"
        assert all(from_ < version <= to for version in versions)
        for comment in decoded:
            assert comment.no not in self.latest or comment.version > self.latest[comment.no].version
            self.latest[comment.no] = comment
        self.version = to


def unframed(frame: bytes) -> bytes:
    if frame[1] < 126:
        return frame[2:]
    form, head = ("!H", 4) if frame[1] == 126 else ("!Q", 10)
    (size,) = struct.unpack(form, frame[2:head])
    assert size == len(frame) - head
    return frame[head:]


def version_of(raw: Raw) -> int:
    return _comment.decode(raw).version


@contextlib.contextmanager
def seated(
    room: Room, epoch: str | None = None, after: int | None = None, listener: Listener | None = None
) -> Iterator[Listener]:
    """A reader in a room, from `epoch` and `after` on."""
    listener = listener or Listener()
    reader = seat(listener)
    room.seat(reader, epoch, after)
    try:
        yield listener
    finally:
        room.leave(reader)


class Worker:
    """One worker's rooms, wired as the app does."""

    def __init__(self, database_url: str, pool: database.Pool, redis_url: str, site: str) -> None:
        self.redis = Redis.from_url(redis_url, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        name = secrets.token_hex(4)
        self.comments = Comments(pool)
        self.bus = Bus(self.redis, redis_url, site, name)
        self.rooms = Rooms(self.comments, self.bus, Crowd(self.redis, site, name))
        self.ingest = Ingest(database_url, self.rooms.committed)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let everything run meanwhile."""
        tasks = [
            asyncio.create_task(self.bus.run(self.rooms.heard, self.rooms.check)),
            asyncio.create_task(self.rooms.run()),
            asyncio.create_task(self.ingest.run()),
        ]
        await eventually(lambda: self.bus.hearing)
        try:
            yield
        finally:
            for task in tasks:
                assert not task.done() or not task.exception(), task
                task.cancel()
            await asyncio.wait(tasks)
            await self.redis.aclose()

    @contextlib.asynccontextmanager
    async def reading(self, epoch: str | None = None, after: int | None = None) -> AsyncIterator[Listener]:
        """A reader who has joined."""
        async with self.rooms.enter(STORY, epoch, after) as room:
            with seated(room, epoch, after) as listener:
                yield listener

    async def post(self, thread: ThreadId, text: str = "Hello", op: uuid.UUID | None = None) -> Standing:
        """Post a comment here."""
        return await self.ingest.submit(Draft(thread, op or uuid.uuid4(), text, b"tag"))


class Site:
    """A database, and what a test does to it."""

    def __init__(self, url: str, pool: database.Pool, redis_url: str) -> None:
        self.url = url
        self.pool = pool
        self.redis_url = redis_url
        self.name = secrets.token_hex(6)
        self.comments = Comments(pool)
        self.thread = ThreadId(0)

    def worker(self) -> Worker:
        """Another worker of this site."""
        return Worker(self.url, self.pool, self.redis_url, self.name)

    async def open(self, mode: CommentsMode = "open", title: str = "Story") -> ThreadId:
        """Publish the article, or declare its thread anew."""
        await Articles(self.pool).publish(
            ArticleFile(
                slug="story",
                title=title,
                author="",
                published_at=AT,
                section="News",
                summary="",
                html="",
                picture=None,
                image=None,
                image_credit=None,
                tags=(),
                comments=mode,
                warnings=(),
            )
        )
        return ThreadId(await self.pool.fetchval("SELECT id FROM articles"))

    async def fill(self, count: int, size: int = 10) -> None:
        """Commit comments of which no worker hears anything."""
        await self.pool.fetch(
            "SELECT FROM post_comments(array_fill($1::bigint, ARRAY[$2::int]), ARRAY(SELECT gen_random_uuid() FROM "
            "generate_series(1, $2)), array_fill(NULL::uuid, ARRAY[$2]), array_fill(NULL::uuid, ARRAY[$2]), "
            "array_fill($3::text, ARRAY[$2]), array_fill(''::bytea, ARRAY[$2]))",
            self.thread,
            count,
            "x" * size,
        )

    async def position(self) -> Position:
        """Where the thread stands."""
        return (await self.comments.since(self.thread, protocol.MAX_INTEGER, 1)).position

    async def versions(self) -> dict[int, int]:
        """Every comment's number and version, as the table has them."""
        rows = await self.pool.fetch("SELECT no, version FROM comments WHERE version IS NOT NULL")
        return {row["no"]: row["version"] for row in rows}


@pytest_asyncio.fixture
async def site(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """One open thread; everything that takes seconds takes a fraction."""
    for where, constant, seconds in (
        (module, "CHECK_SECONDS", 0.1),
        (module, "QUICK_SECONDS", 0.05),
        (module, "COUNT_SECONDS", 0.05),
        (module, "BEAT_SECONDS", 0.05),
        (bus, "HEARTBEAT_SECONDS", 0.1),
        (bus, "RETRY_SECONDS", 0.05),
    ):
        monkeypatch.setattr(where, constant, seconds)
    async with database.pool(database_url, 8) as pool:
        made = Site(database_url, pool, redis_url)
        made.thread = await made.open()
        yield made


@pytest_asyncio.fixture
async def one(site: Site) -> AsyncIterator[Worker]:
    worker = site.worker()
    async with worker.running():
        yield worker


@pytest_asyncio.fixture
async def two(site: Site) -> AsyncIterator[Worker]:
    worker = site.worker()
    async with worker.running():
        yield worker


async def eventually(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def reached(reader: Listener, version: int) -> bool:
    return reader.version >= version


def never_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave hints alone to bring what is new."""
    monkeypatch.setattr(module, "CHECK_SECONDS", 3600)


# Joining


async def test_who_brings_no_version_joins_at_the_present(site: Site, one: Worker) -> None:
    await site.fill(3)
    async with one.reading() as reader:
        (joined,) = reader.messages
        assert isinstance(joined, Joined)
        epoch = (await site.position()).epoch
        assert joined == Joined(epoch, 3, 3, "live", (), Thread("open"), 1)


@pytest.mark.parametrize("behind", [0, 1, 2, 40])
async def test_who_missed_a_little_is_caught_up_from_the_ring(site: Site, one: Worker, behind: int) -> None:
    async with one.reading() as first:
        for _ in range(40):
            await one.post(site.thread)
        epoch = first.epoch
        after = 40 - behind
        async with one.reading(epoch, after) as reader:
            (joined,) = reader.seen(Joined)
            assert joined.mode == ("catchup" if behind else "live")
            assert list(map(version_of, joined.comments)) == list(range(after + 1, 41))
            assert joined.readers == 2
            await one.post(site.thread)
            await eventually(lambda: reader.version == first.version == 41)


@pytest.mark.parametrize(
    ("behind", "mode"), [(1, "catchup"), (CATCH_UP, "catchup"), (CATCH_UP + 1, "reset"), (900, "reset")]
)
async def test_who_missed_more_is_caught_up_from_the_store_up_to_a_limit(
    site: Site, one: Worker, behind: int, mode: str
) -> None:
    await site.fill(900)
    async with one.reading((await site.position()).epoch, 900 - behind) as reader:
        assert reader.messages[0].mode == mode  # type: ignore[union-attr]
        assert reader.version == reader.count == 900
        assert len(reader.latest) == (behind if mode == "catchup" else 0)
        await one.post(site.thread)
        await eventually(lambda: reader.version == 901)


async def test_a_catch_up_comes_in_pieces_that_continue_each_other(site: Site, one: Worker) -> None:
    await site.fill(100, 900)
    async with one.reading((await site.position()).epoch, 0) as reader:
        assert len(reader.messages) >= 3
        assert [type(message) for message in reader.messages] == [Joined] + [Changes] * (len(reader.messages) - 1)
        assert max(reader.sizes) <= PIECE
        assert reader.version == 100
        assert len(reader.latest) == 100
        assert reader.resets == 0


async def test_more_than_128_kib_is_a_reset(site: Site, one: Worker) -> None:
    await site.fill(40, 4000)
    epoch = (await site.position()).epoch
    async with one.reading(epoch, 0) as reader:
        assert reader.resets == 1
    async with one.reading(epoch, 15) as reader:
        assert reader.resets == 0
        assert len(reader.latest) == 25


async def test_a_catch_up_brings_what_went_as_gone_and_the_present_state(site: Site, one: Worker) -> None:
    op = uuid.uuid4()
    made = await one.post(site.thread, "A", op)
    await site.fill(1)
    await one.comments.retract(site.thread, made.no, op)
    await site.open("closed")
    async with one.reading((await site.position()).epoch, 1) as reader:
        assert reader.version == 4
        assert reader.thread == Thread("closed")
        assert reader.latest[made.no].gone == "retracted"


@pytest.mark.parametrize(("epoch", "after"), [("another.1", 3), ("", 0), ("\0…", 3)])
async def test_who_comes_from_another_history_is_reset(site: Site, one: Worker, epoch: str, after: int) -> None:
    await site.fill(3)
    async with one.reading(epoch, after) as reader:
        assert reader.resets == 1
        assert reader.version == 3


async def test_who_is_ahead_of_all_that_exists_is_reset(site: Site, one: Worker) -> None:
    await site.fill(3)
    async with one.reading((await site.position()).epoch, 4) as reader:
        assert reader.resets == 1
        assert reader.version == 3


async def test_who_is_ahead_of_this_worker_makes_it_look(
    site: Site, one: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_checks(monkeypatch)
    looked, positions = asyncio.Event(), one.comments.positions

    async def look(threads: Sequence[ThreadId]) -> dict[ThreadId, tuple[Epoch, int]]:
        found = await positions(threads)
        looked.set()
        return found

    monkeypatch.setattr(one.comments, "positions", look)
    async with one.reading() as first:
        await asyncio.wait_for(looked.wait(), PATIENCE)  # after opening; there will be no other look
        await site.fill(2)
        async with one.reading((await site.position()).epoch, 2) as reader:
            assert (reader.resets, reader.version) == (0, 2)
            assert first.version == 2


async def test_who_joins_while_comments_come_misses_none(site: Site, one: Worker, two: Worker) -> None:
    epoch, done = (await site.position()).epoch, asyncio.Event()

    async def write(worker: Worker) -> None:
        for _ in range(60):
            await worker.post(site.thread)

    async def read(worker: Worker, seed: int) -> None:
        chance, version, latest = random.Random(seed), 0, dict[int, Comment]()  # noqa: S311
        while True:
            last = done.is_set()
            listener = Listener()
            listener.version, listener.latest, listener.epoch = version, latest, epoch
            async with worker.rooms.enter(STORY, epoch, version) as room:
                with seated(room, epoch, version, listener):
                    if last:
                        await eventually(partial(reached, listener, 120))
                    await asyncio.sleep(chance.random() / 50)
            assert listener.resets == 0
            version, latest = listener.version, listener.latest
            if last:
                assert {no: comment.version for no, comment in latest.items()} == await site.versions()
                return

    readers = [asyncio.create_task(read(worker, seed)) for seed, worker in enumerate((one, two) * 4)]
    await asyncio.gather(write(one), write(two))
    done.set()
    await asyncio.gather(*readers)


# Two workers


async def test_a_comment_reaches_readers_everywhere_by_hints_alone(
    site: Site, one: Worker, two: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_checks(monkeypatch)
    async with one.reading() as here, two.reading() as there:
        for _ in range(10):
            await one.post(site.thread)
        await eventually(lambda: here.version == there.version == 10)
        assert here.latest == there.latest
        assert sum(len(changes.comments) for changes in there.seen(Changes)) == 10  # a busy machine puts some together


async def test_workers_that_write_at_once_keep_every_reader_in_order(site: Site, one: Worker, two: Worker) -> None:
    async with one.reading() as here, two.reading() as there:
        await asyncio.gather(*(worker.post(site.thread) for _ in range(100) for worker in (one, two)))
        await eventually(lambda: here.version == there.version == 200)
        assert {no: comment.version for no, comment in here.latest.items()} == await site.versions()
        assert here.latest == there.latest


async def test_a_large_commit_comes_in_pieces_everywhere(
    site: Site, one: Worker, two: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_checks(monkeypatch)
    async with one.reading() as here, two.reading() as there:
        await asyncio.gather(*(one.post(site.thread, "x" * 3000) for _ in range(40)))
        await eventually(lambda: here.version == there.version == 40)
        assert max(here.sizes + there.sizes) <= PIECE


async def test_a_comment_larger_than_a_hint_is_looked_up(
    site: Site, one: Worker, two: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_checks(monkeypatch)
    async with one.reading() as here, two.reading() as there:
        await one.post(site.thread, " ".join(f">>{n}" for n in range(1, 900)))
        await eventually(lambda: here.version == there.version == 1)
        assert max(there.sizes) > PIECE
        assert here.latest == there.latest


async def test_what_no_hint_told_is_found_by_looking(site: Site, one: Worker) -> None:
    async with one.reading() as reader:
        await site.fill(CATCH_UP)
        await eventually(lambda: reader.version == CATCH_UP)
        assert reader.resets == 0
        assert len(reader.latest) == CATCH_UP
        assert max(reader.sizes) <= PIECE
        await site.open("closed")
        await eventually(lambda: reader.thread == Thread("closed"))
        assert reader.version == CATCH_UP + 1


async def test_readers_who_are_too_far_behind_with_their_worker_begin_anew(site: Site, one: Worker) -> None:
    async with one.reading() as reader:
        await site.fill(CATCH_UP + 2)
        await eventually(lambda: reader.version == CATCH_UP + 2)
        assert (reader.resets, len(reader.seen(Changes))) == (1, 0)


async def test_without_redis_a_reader_joins_and_changes_come_by_looking(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SUBSCRIBE_SECONDS", 0.1)
    never_checks(monkeypatch)
    site.redis_url = "unix:///nowhere/at/all.sock"
    worker = site.worker()
    tasks = [
        asyncio.create_task(run) for run in (worker.bus.run(worker.rooms.heard, worker.rooms.check), worker.rooms.run())
    ]
    async with worker.reading() as reader:
        await site.fill(2)
        await eventually(lambda: reader.version == 2)
        assert reader.messages[0].readers == 1  # type: ignore[union-attr]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await worker.redis.aclose()


class Careless:
    """A bus that brings what it is given late, twice, out of order, or never."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.hints: list[tuple[ThreadId, Epoch, Run]] = []
        self.hearing = True
        self.asked: list[ThreadId] = []

    async def subscribe(self, thread: ThreadId) -> None:
        """Confirm at once."""
        self.asked.append(thread)

    def unsubscribe(self, thread: ThreadId) -> None:
        """Forget one."""
        self.asked.remove(thread)

    def publish(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Keep it, to be careless with."""
        self.hints += [(thread, epoch, run)] * self.chance.choice((0, 1, 1, 2))
        self.chance.shuffle(self.hints)

    async def deliver(self, subject: Rooms) -> None:
        """Bring what there is, now and then."""
        while True:
            await asyncio.sleep(self.chance.random() / 100)
            while self.hints and self.chance.random() < 0.7:
                subject.heard(*self.hints.pop())


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_to_hints_readers_converge(
    site: Site, one: Worker, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = Careless(seed)
    subject = Rooms(site.comments, cast("Bus", careless), Crowd(one.redis, site.name, "careless"))
    monkeypatch.setattr(one.rooms._bus, "publish", careless.publish)
    tasks = [asyncio.create_task(subject.run()), asyncio.create_task(careless.deliver(subject))]
    ops: dict[int, uuid.UUID] = {}
    async with subject.enter(STORY) as room, one.reading() as near, contextlib.AsyncExitStack() as seats:
        readers: list[Listener] = []
        for turn in range(30):
            if turn % 10 == 0:
                readers.append(seats.enter_context(seated(room)))
            if ops and careless.chance.random() < 0.3:
                no = careless.chance.choice(list(ops))
                retracted = await site.comments.retract(site.thread, no, ops.pop(no))
                assert retracted.change
                position = retracted.position
                change = Run.of(position.version - 1, position.version, position.count, [retracted.change])
                one.rooms.committed(site.thread, position.epoch, change)
            else:
                made = [uuid.uuid4() for _ in range(careless.chance.randint(1, 4))]
                for op, standing in zip(
                    made, await asyncio.gather(*(one.post(site.thread, "x", op) for op in made)), strict=True
                ):
                    ops[standing.no] = op
            if careless.chance.random() < 0.1:
                await site.fill(1)
        position = await site.position()
        await eventually(lambda: {reader.version for reader in (*readers, near)} == {position.version})
        whole = await site.versions()
        for reader in (*readers, near):
            assert reader.resets == 0
            assert {no: comment.version for no, comment in reader.latest.items()}.items() <= whole.items()
            assert reader.count == position.count
        assert {no: comment.version for no, comment in near.latest.items()} == whole
    for task in tasks:
        assert not task.done()
        task.cancel()
    await asyncio.wait(tasks)


# History that goes backwards


async def test_a_new_epoch_resets_every_reader(site: Site, one: Worker) -> None:
    await site.fill(2)
    async with one.reading() as reader:
        await site.pool.execute("UPDATE threads SET epoch = 'restored', version = 7")
        await eventually(lambda: reader.resets == 1)
        assert (reader.epoch, reader.version) == ("restored.1", 7)
        await one.post(site.thread)
        await eventually(lambda: reader.version == 8)


async def test_a_version_that_went_back_resets_every_reader(site: Site, one: Worker) -> None:
    await site.fill(5)
    async with one.reading() as reader:
        await site.pool.execute("DELETE FROM comments WHERE version > 2")
        await site.pool.execute("UPDATE threads SET version = 2, count = 2")
        await eventually(lambda: reader.resets == 1)
        assert (reader.version, reader.count) == (2, 2)
        await one.post(site.thread)
        await eventually(lambda: reader.version == 3)


async def test_a_hint_of_another_history_is_not_shown_but_looked_into(site: Site, one: Worker) -> None:
    async with one.reading() as reader:
        hint = Run.of(0, 1, 9, [Comment(99, 1, AT, gone="removed")])
        one.rooms.heard(site.thread, Epoch("stale.1"), hint)
        one.rooms.heard(ThreadId(404), Epoch("stale.1"), hint)
        await one.post(site.thread)
        await eventually(lambda: reader.version == 1)
        assert 99 not in reader.latest
        assert reader.resets == 0


async def test_a_hint_from_the_future_is_taken_back(site: Site, one: Worker) -> None:
    """Nobody sends such a one; a thread must not be lost to it all the same."""
    async with one.reading() as reader:
        one.rooms.heard(site.thread, Epoch(reader.epoch), Run(0, protocol.MAX_INTEGER, 9))
        await eventually(lambda: reader.resets == 1)
        assert reader.version == 0


# The life of a room


async def test_who_asks_at_once_opens_one_room(site: Site, one: Worker) -> None:
    async with contextlib.AsyncExitStack() as stack:
        opened = await asyncio.gather(*(stack.enter_async_context(one.rooms.enter(STORY)) for _ in range(20)))
        assert len({id(room) for room in opened}) == len(list(one.rooms)) == 1
        assert opened[0].entering == 20
    assert opened[0].entering == 0


@pytest.mark.parametrize("slug", ["nothing", "story"])
async def test_a_thread_that_is_not_there_has_no_room(site: Site, one: Worker, slug: str) -> None:
    await site.open("none")
    for _ in range(2):
        with pytest.raises(NotFound):
            async with one.rooms.enter(Slug(slug)):
                pass
    assert list(one.rooms) == []


async def test_a_room_lingers_and_then_closes(site: Site, one: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    async with one.reading():
        (room,) = one.rooms
    for _ in range(3):
        one.rooms.check()
        await asyncio.sleep(0)
    assert list(one.rooms) == [room]
    async with one.reading():
        monkeypatch.setattr(module, "LINGER_SECONDS", 0.05)
        await site.fill(1)
        await eventually(lambda: room.ledger.version == 1)
        assert list(one.rooms) == [room], "somebody is there"
    await eventually(lambda: not list(one.rooms))
    assert room.closed
    async with one.reading() as reader:
        assert list(one.rooms) != [room]
        await one.post(site.thread)
        await eventually(lambda: reader.version == 2)


async def test_readers_of_a_thread_that_is_gone_are_sent_away(site: Site, one: Worker) -> None:
    async with one.rooms.enter(STORY) as room:
        with seated(room) as reader:
            await site.open("none")
            await eventually(lambda: reader.closed is Close.SERVER_ERROR)
        with seated(room) as late:
            assert late.closed is Close.SERVER_ERROR
            assert late.messages == []
    with pytest.raises(NotFound):
        async with one.reading():
            pass
    await site.open("open")
    async with one.reading() as reader:
        await one.post(site.thread)
        await eventually(lambda: reader.version == 3)


async def test_a_room_that_took_long_to_open_is_not_swept_before_it_is_entered(
    site: Site, one: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.2)
    since = one.comments.since

    async def slow(thread: ThreadId, version: int, limit: int) -> Since:
        await asyncio.sleep(0.3)
        return await since(thread, version, limit)

    monkeypatch.setattr(one.comments, "since", slow)
    async with one.reading() as reader:
        monkeypatch.setattr(one.comments, "since", since)
        assert reader.messages
        assert [len(room.readers) for room in one.rooms] == [1]


# The store away


class Away(Comments):
    """Comments whose store can be away."""

    away = False

    async def since(self, thread: ThreadId, version: int, limit: int) -> Since:
        """Read, or refuse."""
        if self.away:
            raise Unavailable
        return await super().since(thread, version, limit)


async def test_without_postgres_a_room_serves_what_it_knows(site: Site, one: Worker) -> None:
    careless, away = Careless(0), Away(site.pool)
    subject = Rooms(away, cast("Bus", careless), Crowd(one.redis, site.name, "x"))
    await site.fill(2)
    away.away = True
    with pytest.raises(Unavailable):
        async with subject.enter(STORY):
            pass
    assert careless.asked == [], "a room that did not open hears nothing"
    away.away = False
    async with subject.enter(STORY) as room:
        away.away = True
        epoch = room.ledger.epoch
    for joiner in ((None, None), (epoch, 2), ("another", 1)):
        async with subject.enter(STORY, *joiner) as room:
            assert room.entering == 1
    for after in (1, 3):
        with pytest.raises(Unavailable):
            async with subject.enter(STORY, epoch, after):
                pass


async def test_who_gave_up_while_a_room_opens_does_not_stop_the_others(site: Site, one: Worker) -> None:
    async def enter() -> Room:
        async with one.rooms.enter(STORY) as room:
            return room

    first, second = asyncio.create_task(enter()), asyncio.create_task(enter())
    await asyncio.sleep(0)
    first.cancel()
    assert isinstance(await second, Room)
    assert first.cancelled()


async def test_a_look_that_fails_is_made_again(site: Site, one: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    positions, failed = one.comments.positions, 0

    async def flaky(threads: Any) -> Any:
        nonlocal failed
        failed += 1
        if failed < 3:
            raise Unavailable
        return await positions(threads)

    monkeypatch.setattr(one.comments, "positions", flaky)
    async with one.reading() as reader:
        await site.fill(1)
        await eventually(lambda: reader.version == 1)
        assert failed >= 3


async def test_a_thread_that_vanishes_while_a_reader_joins_is_not_found(site: Site, one: Worker) -> None:
    await site.fill(2)
    async with one.rooms.enter(STORY) as room:
        await site.open("none")
        with pytest.raises(NotFound):
            async with one.rooms.enter(STORY, room.ledger.epoch, 1):
                pass


# Beats, counts, leaving


async def test_every_reader_is_beaten_with_its_own_version(site: Site, one: Worker) -> None:
    async with one.reading() as first, one.reading() as second:
        await eventually(lambda: first.beats and second.beats)
        await one.post(site.thread)
        await eventually(lambda: first.beats[-1].version == second.beats[-1].version == 1)


async def test_readers_are_counted_over_all_workers(site: Site, one: Worker, two: Worker) -> None:
    async with one.reading() as here, one.reading(), two.reading() as there:
        await eventually(lambda: here.seen(Readers)[-1:] == there.seen(Readers)[-1:] == [Readers(3)])
        async with two.reading() as late:
            assert late.messages[0].readers == 4  # type: ignore[union-attr]
            await eventually(lambda: here.seen(Readers)[-1:] == [Readers(4)])
        await eventually(lambda: here.seen(Readers)[-1:] == there.seen(Readers)[-1:] == [Readers(3)])
    counts = [message.readers for message in here.seen(Readers)]
    assert all(before != after for before, after in itertools.pairwise(counts)), "told only when it changed"


async def test_a_dead_worker_counts_no_more(site: Site, one: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.crowd.BELIEVED_SECONDS", 1)
    dead = Crowd(one.redis, site.name, "dead")
    assert await dead.exchange({site.thread: 7}) == {site.thread: 0}
    async with one.reading() as reader:
        async with asyncio.timeout(PATIENCE):
            while reader.seen(Readers)[-1:] != [Readers(8)]:
                await dead.exchange({site.thread: 7})  # alive until it was counted, however busy this machine is
                await asyncio.sleep(0.05)
        await eventually(lambda: reader.seen(Readers)[-1:] == [Readers(1)])


async def test_counts_of_many_threads_are_summed_each_for_itself(site: Site, one: Worker) -> None:
    a, b, c = (Crowd(one.redis, site.name, name) for name in "abc")
    one_, two_ = ThreadId(10**6), ThreadId(10**6 + 1)
    await a.exchange({one_: 2, two_: 3})
    await b.exchange({two_: 4})
    assert await c.exchange({one_: 100, two_: 100, ThreadId(5): 1}) == {one_: 2, two_: 7, ThreadId(5): 0}
    await a.exchange({})
    assert await c.exchange({one_: 100, two_: 100}) == {one_: 0, two_: 4}
    assert await c.exchange({}) == {}


async def test_while_redis_is_away_a_worker_counts_its_own() -> None:
    away = Redis.from_url("unix:///nowhere/at/all.sock", retry=Retry(NoBackoff(), 0))
    assert await Crowd(away, "site", "a").exchange({ThreadId(1): 5}) == {ThreadId(1): 0}
    await away.aclose()


async def test_a_worker_that_leaves_says_when_to_come_back(site: Site, one: Worker) -> None:
    async with one.reading() as stubborn, one.reading():
        await one.rooms.part(within=2.0)
        one.rooms.dismiss()
        (bye,) = stubborn.seen(Bye)
        assert 0 <= bye.retry <= 2000
        assert stubborn.closed is Close.DRAIN


async def test_who_comes_while_a_worker_leaves_is_sent_on_at_once(site: Site, one: Worker) -> None:
    async with one.reading():
        await one.rooms.part(within=1.0)
        async with one.reading() as late:
            assert [type(message) for message in late.messages] == [Joined, Bye]
    await site.open("open", "Another title")
    async with one.reading() as later:
        assert later.seen(Bye)
