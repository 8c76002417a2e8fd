"""Ingest: whatever happens between a worker and Postgres, an act is one comment, and who posted it is told."""

import asyncio
import contextlib
import datetime
import itertools
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service import ingest
from service.article_file import ArticleFile, CommentsMode
from service.blocklist import Blocklist
from service.brakes import Brakes
from service.bus import Bus
from service.crowd import Crowd
from service.errors import (
    Banned,
    Duplicate,
    Empty,
    Internal,
    NotFound,
    NotYours,
    OpReused,
    Refusal,
    ThreadClosed,
    TooFast,
    TooLong,
    Unavailable,
)
from service.filters import Sieve
from service.gate import Act, Gate, Work
from service.guard import visitors
from service.guard.asked import Asked
from service.guard.challenge import Challenges
from service.guard.limits import Limits
from service.guard.posts import Posts, Rates
from service.guard.pressure import Pressure
from service.ingest import Ingest
from service.keyring import Keyring, Visitor
from service.posting import Posting
from service.protocol import Accepted, Epoch, Post, Thread, ThreadId
from service.rooms import Rooms
from service.run import Run
from service.store import database
from service.store.articles import Articles
from service.store.bans import Bans
from service.store.comments import Comments, Draft, Standing
from service.store.filters import Filters

PATIENCE = 20.0  # seconds that any condition may take on a busy machine
NO_REDIS = "unix:///nowhere/at/all.sock"
AWAY = "postgresql://nobody@/nothing?host=/nowhere/at/all"


class Told(list[tuple[ThreadId, Epoch, Run]]):
    """What readers were to see, commit by commit."""

    def __call__(self, thread: ThreadId, epoch: Epoch, run: Run) -> None:
        """Take it down."""
        self.append((thread, epoch, run))

    @property
    def sizes(self) -> list[int]:
        """How many comments each commit published."""
        return [len(run.entries) for _, _, run in self]

    def of(self, thread: ThreadId) -> list[Run]:
        """What was told of one thread."""
        return [run for where, _, run in self if where == thread]


class Bench:
    """An ingest at work on a database of its own."""

    def __init__(self, url: str, control: database.Pool) -> None:
        self.url = url
        self.control = control
        self.told = Told()
        self.ingest = Ingest(url, self.told)

    async def thread(self, slug: str, mode: CommentsMode = "open") -> ThreadId:
        """Publish an article; its thread."""
        at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        await Articles(self.control).publish(
            ArticleFile(
                slug=slug,
                title=slug,
                author="",
                published_at=at,
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
        return ThreadId(await self.value("SELECT id FROM articles WHERE slug = $1", slug))

    async def value(self, statement: str, *values: object) -> Any:
        """One value by plain SQL."""
        return await self.control.fetchval(statement, *values)

    def submit(self, *drafts: Draft) -> list[asyncio.Future[Standing]]:
        """Post at once, side by side."""
        return [self.ingest.submit(draft) for draft in drafts]

    @contextlib.asynccontextmanager
    async def held(self, thread: ThreadId) -> AsyncIterator[None]:
        """Hold a thread's row, so that a commit waits."""
        async with self.control.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM threads WHERE id = $1 FOR UPDATE", thread)
            yield

    async def kill(self, pid: int) -> None:
        """End a server process, and wait until it is gone."""
        assert await self.value("SELECT pg_terminate_backend($1)", pid)
        await eventually(lambda: self.value("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid))

    async def waiting(self) -> int:
        """The server process of a commit that waits for a held row."""
        return int(
            await eventually(
                lambda: self.value(
                    "SELECT pid FROM pg_stat_activity "
                    "WHERE state = 'active' AND query LIKE '%post_comments%' AND wait_event_type = 'Lock'"
                )
            )
        )


async def eventually(condition: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (result := await condition()):
            await asyncio.sleep(0.01)
        return result


@contextlib.asynccontextmanager
async def running(subject: Ingest) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(subject.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest_asyncio.fixture
async def idle(database_url: str) -> AsyncIterator[Bench]:
    """A bench whose ingest does not run yet."""
    async with database.pool(database_url, 4) as control:
        yield Bench(database_url, control)


@pytest_asyncio.fixture
async def bench(idle: Bench) -> AsyncIterator[Bench]:
    async with running(idle.ingest):
        yield idle


def draft(thread: ThreadId, text: str = "Hello", op: uuid.UUID | None = None, *others: uuid.UUID) -> Draft:
    return Draft(thread, op or uuid.uuid4(), text, text.encode()[:16], others)


async def test_each_draft_gets_its_own_outcome(bench: Bench) -> None:
    modes: tuple[CommentsMode, ...] = ("open", "held", "closed", "none")
    open_, held, closed, none = [await bench.thread(mode, mode) for mode in modes]
    published, waiting, refused, missing, unknown = await asyncio.gather(
        *bench.submit(draft(open_), draft(held), draft(closed), draft(none), draft(ThreadId(404))),
        return_exceptions=True,
    )
    assert isinstance(published, Standing)
    assert published[1:3] == (1, "published")
    assert published.fresh
    assert isinstance(waiting, Standing)
    assert waiting[1:3] == (None, "held")
    assert isinstance(refused, ThreadClosed)
    assert isinstance(missing, NotFound)
    assert isinstance(unknown, NotFound)
    ((thread, epoch, run),) = bench.told
    assert (thread, run.from_, run.to, run.count) == (open_, 0, 1, 1)
    assert [(entry.no, entry.version, entry.gone) for entry in run.entries] == [(published.no, 1, False)]
    assert epoch == await bench.value("SELECT wire_epoch(epoch) FROM threads WHERE id = $1", open_)


async def test_what_is_told_continues_from_commit_to_commit(bench: Bench) -> None:
    one, two = await bench.thread("one"), await bench.thread("two")
    for _ in range(5):
        await asyncio.gather(*bench.submit(*(draft(one) for _ in range(7)), draft(two)))
    for thread, version in ((one, 35), (two, 5)):
        told = bench.told.of(thread)
        assert told[0].from_ == 0
        assert all(before.to == after.from_ for before, after in itertools.pairwise(told))
        assert told[-1].to == told[-1].count == version
        assert [entry.version for run in told for entry in run.entries] == list(range(1, version + 1))


async def test_who_posts_while_a_batch_commits_is_in_the_next_one(bench: Bench) -> None:
    thread = await bench.thread("story")
    async with bench.held(thread):
        first = bench.submit(draft(thread))
        await bench.waiting()
        others = bench.submit(*(draft(thread) for _ in range(5)))
        await asyncio.sleep(0)
    await asyncio.gather(*first, *others)
    assert bench.told.sizes == [1, 5]


async def test_a_batch_has_its_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH", 3)
    thread = await bench.thread("story")
    await asyncio.gather(*bench.submit(*(draft(thread) for _ in range(8))))
    assert bench.told.sizes == [3, 3, 2]


async def test_equal_ops_are_one_draft_with_one_outcome_for_all(bench: Bench) -> None:
    thread, op = await bench.thread("story"), uuid.uuid4()
    results = await asyncio.gather(*bench.submit(*(draft(thread, "Once", op) for _ in range(5)), draft(thread)))
    assert len({result.no for result in results[:5]}) == 1
    assert results[5].no != results[0].no
    assert bench.told.sizes == [2]


async def test_the_first_text_of_an_op_stands(bench: Bench) -> None:
    thread, op = await bench.thread("story"), uuid.uuid4()
    first, second = await asyncio.gather(*bench.submit(draft(thread, "One", op), draft(thread, "Two", op)))
    assert first.text_tag == second.text_tag == b"One"


async def test_acts_that_share_any_op_are_one(bench: Bench) -> None:
    thread, now, before, after, later = await bench.thread("story"), *(uuid.uuid4() for _ in range(4))
    forms = [draft(thread, "A", *ops) for ops in ((now, before, after), (after, now, later), (before, now))]
    together = await asyncio.gather(*bench.submit(*forms))
    again = [await bench.ingest.submit(form) for form in forms]
    assert len({result.no for result in (*together, *again)}) == 1
    assert await bench.value("SELECT count(*) FROM comments") == 1


async def test_an_op_posted_again_while_it_commits_is_one_comment(bench: Bench) -> None:
    thread, op = await bench.thread("story"), uuid.uuid4()
    async with bench.held(thread):
        first = bench.submit(draft(thread, "Once", op))
        await bench.waiting()
        second = bench.submit(draft(thread, "Once", op))
        await asyncio.sleep(0)
    (new,), (old,) = await asyncio.gather(*first), await asyncio.gather(*second)
    assert (new.no, new.fresh, old.fresh) == (old.no, True, False)
    assert bench.told.sizes == [1]


async def test_who_leaves_does_not_take_the_comment_along(bench: Bench) -> None:
    thread = await bench.thread("story")
    async with bench.held(thread):
        (task,) = bench.submit(draft(thread))
        await bench.waiting()
        task.cancel()
        await asyncio.wait([task])
    await bench.ingest.drained()
    assert bench.told.sizes == [1]


# Trouble


async def test_a_connection_killed_in_mid_commit_still_gives_one_comment(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await bench.thread("story")
    async with bench.held(thread):
        tasks = bench.submit(draft(thread, "A"), draft(thread, "B"))
        pid = await bench.waiting()
        await bench.kill(pid)
    first, second = await asyncio.gather(*tasks)
    assert (first.version, second.version) == (1, 2)
    assert first.fresh
    assert await bench.value("SELECT count(*) FROM comments") == 2
    assert bench.told.sizes == [2]
    assert "the database is away" in caplog.text


async def test_what_is_old_is_told_only_as_a_position_and_only_after_trouble(bench: Bench) -> None:
    """After a lost connection nobody knows which commit made what stands: whoever has it all drops a position."""
    one, two, closed = await bench.thread("one"), await bench.thread("two"), await bench.thread("closed", "closed")
    old = draft(two, "Old")
    await bench.ingest.submit(old)
    await bench.ingest.submit(old)
    assert [(run.from_, run.to) for run in bench.told.of(two)] == [(0, 1)], "a repeat tells nothing"
    async with bench.held(one):
        tasks = bench.submit(draft(one, "New"), old, draft(closed, "Refused"), draft(one, "Newer"))
        await bench.kill(await bench.waiting())
    _, repeated, refused, _ = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(repeated, Standing)
    assert not repeated.fresh
    assert isinstance(refused, ThreadClosed)
    (new,) = bench.told.of(one)
    assert (new.from_, new.to, [entry.version for entry in new.entries]) == (0, 2, [1, 2])
    assert bench.told.of(two)[1:] == [Run(1, 1, 1)]
    assert bench.told.of(closed) == [Run(0, 0, 0)]


async def test_a_connection_killed_between_batches_is_replaced(bench: Bench) -> None:
    thread = await bench.thread("story")
    for version in range(1, 4):
        assert (await bench.ingest.submit(draft(thread))).version == version
        await bench.control.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE '%post_comments%' AND pid <> pg_backend_pid()"
        )
    assert bench.told.sizes == [1, 1, 1]


class Wire:
    """A socket before Postgres that can lose the server's answers."""

    def __init__(self, url: str, folder: Path) -> None:
        query = parse_qs(urlsplit(url).query)
        port = query.get("port", ["5432"])[0]
        self.path, self.server_path = folder / f".s.PGSQL.{port}", f"{query['host'][0]}/.s.PGSQL.{port}"
        self.url = url.replace(query["host"][0], str(folder))
        self.losing = False
        self.writers: list[asyncio.StreamWriter] = []
        self.pumps: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand between a client and the server."""
        from_server, to_server = await asyncio.open_unix_connection(self.server_path)
        self.writers += [writer, to_server]
        self.pumps |= {
            asyncio.create_task(self._pump(reader, to_server, lossy=False)),
            asyncio.create_task(self._pump(from_server, writer, lossy=True)),
        }

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, lossy: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if not (lossy and self.losing):
                    writer.write(data)
        writer.close()

    def cut(self) -> None:
        """End every connection."""
        for writer in self.writers:
            writer.transport.abort()


async def test_a_commit_whose_answer_is_lost_is_accepted_once(idle: Bench, tmp_path_factory: Any) -> None:
    """And where the thread stands is told: whoever lacks the comment sees by that to read it."""
    folder = tmp_path_factory.mktemp("w")
    wire = Wire(idle.url, folder)
    server = await asyncio.start_unix_server(wire.accept, wire.path)
    thread, act = await idle.thread("story"), draft(ThreadId(0))
    act = act._replace(thread=thread)
    subject = Ingest(wire.url, idle.told)
    async with running(subject):
        assert (await subject.submit(draft(thread))).version == 1
        wire.losing = True
        task = subject.submit(act)
        await eventually(lambda: idle.value("SELECT count(*) = 2 FROM comments"))
        assert not task.done()
        wire.losing = False
        wire.cut()
        accepted = await task
        assert accepted[1:3] == (2, "published")
        assert accepted.no == await idle.value("SELECT no FROM comments WHERE version = 2")
        assert (await subject.submit(act)).no == accepted.no
        assert await idle.value("SELECT count(*) FROM comments") == 2
    epoch = await idle.value("SELECT wire_epoch(epoch) FROM threads WHERE id = $1", thread)
    assert {(where, which) for where, which, _ in idle.told} == {(thread, epoch)}
    first, lost = idle.told.of(thread)
    assert (first.from_, first.to, len(first.entries)) == (0, 1, 1)
    assert lost == Run(2, 2, 2), "where the thread stands: readers at 1 see that something is missing"
    wire.cut()
    server.close()
    await asyncio.gather(*wire.pumps)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_one_bad_draft_does_not_spoil_the_batch(
    bench: Bench, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    thread = await bench.thread("story")
    bad = Draft(thread, uuid.uuid4(), text, b"tag", ())
    with caplog.at_level(logging.ERROR):
        first, refused, second = await asyncio.gather(
            *bench.submit(draft(thread, "A"), bad, draft(thread, "B")), return_exceptions=True
        )
    assert isinstance(first, Standing)
    assert isinstance(second, Standing)
    assert (first.version, second.version) == (1, 2)
    assert isinstance(refused, Internal)
    assert "a draft that the database refuses" in caplog.text
    assert bench.told.sizes == [1, 1]


async def test_a_full_queue_refuses_at_once(idle: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "QUEUE", 2)
    thread, op = await idle.thread("story"), uuid.uuid4()
    waiting = idle.submit(draft(thread, "A", op), draft(thread))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await idle.ingest.submit(draft(thread))
    assert refused.value.retry_after == 1
    waiting += idle.submit(draft(thread, "A", op))  # who repeats an act that waits takes no place
    await asyncio.sleep(0)
    async with running(idle.ingest):
        results = await asyncio.gather(*waiting)
    assert results[0].no == results[2].no


async def test_drained_means_that_nothing_waits(bench: Bench) -> None:
    await bench.ingest.drained()
    thread = await bench.thread("story")
    async with bench.held(thread):
        tasks = bench.submit(draft(thread))
        await bench.waiting()
        tasks += bench.submit(draft(thread))
        drained = asyncio.create_task(bench.ingest.drained())
        await asyncio.sleep(0)
        assert not drained.done()
    await drained
    assert bench.told.sizes == [1, 1]
    await asyncio.gather(*tasks)


async def test_without_a_database_a_post_is_unavailable_when_patience_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ingest, "PATIENCE", 0.2)
    told = Told()
    subject = Ingest(AWAY, told)
    async with running(subject) as task:
        with pytest.raises(Unavailable) as refused:
            await subject.submit(draft(ThreadId(1)))
        assert refused.value.retry_after
        with pytest.raises(Unavailable):
            await subject.submit(draft(ThreadId(1)))
        await subject.drained()
        assert not task.done(), "it goes on"
    assert told == []


async def test_who_waits_behind_a_frozen_batch_waits_no_longer_than_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "PATIENCE", 1.0)
    monkeypatch.setattr(ingest, "BATCH", 1)
    thread, clock = await bench.thread("story"), asyncio.get_running_loop().time
    async with bench.held(thread):
        begun = clock()
        early = bench.submit(*(draft(thread) for _ in range(4)))
        await asyncio.sleep(0.6)
        late = bench.submit(draft(thread))
        results = await asyncio.gather(*early, return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable] * 4
        assert 1 <= clock() - begun < 1.6
        assert not late[0].done(), "its own second has not passed"
    assert (await late[0]).fresh
    await bench.ingest.drained()


async def test_who_joins_a_batch_late_does_not_keep_the_others_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "PATIENCE", 1.0)
    one, two = await bench.thread("one"), await bench.thread("two")
    async with bench.held(two):
        async with bench.held(one):
            first = bench.submit(draft(one))
            await bench.waiting()
            early = bench.submit(draft(two))
            await asyncio.sleep(0.5)
            late = bench.submit(draft(two))
        assert (await first[0]).fresh
        with pytest.raises(Unavailable):
            await early[0]
        assert not late[0].done()
    assert (await late[0]).fresh


async def test_a_database_that_comes_back_within_patience_takes_the_post(
    idle: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread, connect = await idle.thread("story"), database.connect
    tries = 0

    async def late(url: str) -> database.Connection:
        nonlocal tries
        tries += 1
        return await connect(AWAY if tries < 4 else url)

    monkeypatch.setattr(database, "connect", late)
    async with running(idle.ingest):
        assert (await idle.ingest.submit(draft(thread))).version == 1
    assert tries == 4


async def test_a_worker_that_ends_leaves_nobody_waiting(idle: Bench) -> None:
    thread = await idle.thread("story")
    async with running(idle.ingest) as task, idle.held(thread):
        tasks = idle.submit(draft(thread))
        await idle.waiting()
        tasks += idle.submit(draft(thread), draft(thread))
        await asyncio.sleep(0)
        task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3


async def test_a_worker_that_ends_while_it_splits_a_batch_leaves_nobody_waiting(idle: Bench) -> None:
    thread = await idle.thread("story")
    async with running(idle.ingest) as task, contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(idle.held(thread))
        bad = Draft(ThreadId(404), uuid.uuid4(), "\0", b"", ())
        tasks = idle.submit(bad, draft(thread), draft(thread))
        await idle.waiting()
        task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Internal, Unavailable, Unavailable]


async def test_a_mistake_of_ours_is_loud(idle: Bench, owner_url: str) -> None:
    thread = await idle.thread("story")
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ALTER FUNCTION post_comments RENAME TO gone")
    await owner.close()
    async with running(idle.ingest) as task:
        with pytest.raises(Unavailable):
            await idle.ingest.submit(draft(thread))
        with pytest.raises(asyncpg.UndefinedFunctionError):
            await task


# Posting: what comes before a draft, and after it


class Guarded:
    """Posting on a bench, with a limit of one comment a minute."""

    def __init__(self, bench: Bench, per_minute: int = 1) -> None:
        self.away = Redis.from_url(NO_REDIS, retry=Retry(NoBackoff(), 0))  # the limit is this worker's own
        self.keyring = Keyring("a secret for tests only")
        self.comments = Comments(bench.control)
        rooms = Rooms(self.comments, Bus(self.away, NO_REDIS, "site", "one"), Crowd(self.away, "site", "one"))
        self.blocklist = Blocklist(Bans(bench.control))
        self.brakes = Brakes(self.comments)
        gate = Gate(
            self.keyring,
            self.comments,
            blocklist=self.blocklist,
            brakes=self.brakes,
            sieve=Sieve(Filters(bench.control)),
            work=Work("off", Challenges(self.keyring.proof), Asked(self.away, "site")),
            posts=Posts(self.away, "site", Rates.of(per_minute, None, None)),
            retractions=Limits(self.away, "site", 10 * per_minute),
            pressure=Pressure(self.away, "site", 0),
        )
        self.posting = Posting(self.keyring, self.comments, gate, bench.ingest, rooms)

    async def post(self, thread: ThreadId, op: str, text: str, address: str = "192.0.2.7") -> tuple[Accepted, bool]:
        """Post as a client does."""
        [act] = await self.posting.admit(thread, [Post(op, text)], self.visitor(address))
        return await self.posting.commit(act)

    async def post_form(self, thread: ThreadId, text: str, address: str = "192.0.2.7") -> tuple[Accepted, bool]:
        """Post as a form does."""
        return await self.posting.commit(await self.posting.admit_form(thread, text, self.visitor(address)))

    def visitor(self, address: str) -> Visitor:
        """Who asks from an address."""
        return self.keyring.visitor(address, visitors.network(address))


@pytest_asyncio.fixture
async def guarded(bench: Bench) -> AsyncIterator[Guarded]:
    made = Guarded(bench)
    yield made
    await made.away.aclose()


async def test_a_post_is_cleaned_and_accepted_with_its_key(bench: Bench, guarded: Guarded) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    accepted, fresh = await guarded.post(thread, op, "\r\nHello \r\n ")
    key = guarded.keyring.author_key(thread, op)
    assert (accepted.op, accepted.version, accepted.state, accepted.key, fresh) == (op, 1, "published", key, True)
    assert await bench.value("SELECT text FROM comments") == "Hello"
    assert await bench.value("SELECT op FROM comments") == guarded.keyring.op_tag(key)


async def test_a_repeat_is_answered_before_any_limit(bench: Bench, guarded: Guarded) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    accepted, _ = await guarded.post(thread, op, "Hello")
    for address in ("192.0.2.7", "192.0.2.8"):
        assert await guarded.post(thread, op, "Hello", address) == (accepted, False)
    with pytest.raises(TooFast):
        await guarded.post(thread, str(uuid.uuid4()), "Hello again")


async def test_who_does_not_wait_is_told_again_without_asking_and_repeats_as_before(
    bench: Bench, guarded: Guarded
) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    accepted, _ = await guarded.post(thread, op, "Hello")

    async def again(text: str) -> Refusal:
        with pytest.raises(Refusal) as refused:
            await guarded.post(thread, str(uuid.uuid4()), text)
        return refused.value

    assert isinstance(await again("Hello"), Duplicate)
    first, second = await again("Hello again"), await again("Hello")
    assert isinstance(second, TooFast), "else it had been compared"
    assert 0 < (first.retry_after or 0) - (second.retry_after or 0) < 1
    assert await guarded.post(thread, op, "Hello") == (accepted, False)
    assert isinstance(await again("More than two https://a.example https://b.example https://c.example"), TooFast)


async def test_who_was_told_to_wait_posts_at_once_where_the_thread_is_slow_no_more(bench: Bench) -> None:
    thread, guarded = await bench.thread("story"), Guarded(bench, per_minute=100)
    async with contextlib.aclosing(guarded.away):
        guarded.brakes.learn(thread, Thread("open", slow=3600))
        await guarded.post(thread, str(uuid.uuid4()), "One")
        for _ in range(2):
            with pytest.raises(TooFast):
                await guarded.post(thread, str(uuid.uuid4()), "Two")
        guarded.brakes.learn(thread, Thread("open"))
        assert (await guarded.post(thread, str(uuid.uuid4()), "Two"))[1]


async def test_an_act_that_was_let_through_and_does_not_stand_yet_is_let_through_again(
    bench: Bench, guarded: Guarded
) -> None:
    thread, visitor = await bench.thread("story"), guarded.visitor("192.0.2.7")
    first, second = (Post(str(uuid.uuid4()), text) for text in ("One", "Two"))
    let = [await guarded.posting.admit(thread, [each], visitor) for each in (first, second, first, second)]
    assert [type(act) for [act] in let] == [Act, TooFast, Act, TooFast]


async def test_what_stands_is_looked_up_once_for_all_who_were_told_to_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, asked = await bench.thread("story"), 0
    standing = Comments.standing

    async def counted(comments: Comments, pairs: Any) -> list[set[UUID]]:
        nonlocal asked
        asked += 1
        return await standing(comments, pairs)

    monkeypatch.setattr(Comments, "standing", counted)
    guarded = Guarded(bench)

    async def refused(text: str) -> None:
        with pytest.raises(TooFast):
            await guarded.post(thread, str(uuid.uuid4()), text)

    async with contextlib.aclosing(guarded.away):
        await guarded.post(thread, str(uuid.uuid4()), "One")
        await refused("Two")
        asked = 0
        await asyncio.gather(*(refused(f"Text {each}") for each in range(20)))
        assert asked == 1


async def test_who_is_banned_is_told_before_any_limit_is_asked_and_keeps_what_stands(
    bench: Bench, guarded: Guarded
) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    accepted, _ = await guarded.post(thread, op, "Hello")
    sent, _ = await guarded.post_form(thread, "By a form", "192.0.2.8")
    await Bans(bench.control).impose(accepted.no, "network", 1, "spam")
    await guarded.blocklist.read()
    assert await guarded.post(thread, op, "Hello") == (accepted, False)
    assert await guarded.post_form(thread, "By a form", "192.0.2.8") == (sent, False)
    for _ in range(3):
        with pytest.raises(Banned, match="The reason: spam"):
            await guarded.post(thread, str(uuid.uuid4()), "More")
        with pytest.raises(Banned):
            await guarded.post_form(thread, "More", "192.0.2.9")
    with pytest.raises(OpReused):
        await guarded.post(thread, op, "Goodbye")
    who = guarded.visitor("192.0.2.7")
    assert (await guarded.posting.retract(thread, op, accepted.no, str(accepted.key), who)).state == "retracted"
    assert (await guarded.post(thread, str(uuid.uuid4()), "Hello", "198.51.100.7"))[1]


async def test_without_limits_bans_hold_and_without_bans_the_store_is_not_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, asked, look = await bench.thread("story"), [], Comments.standing

    async def standing(self: Comments, given: Sequence[tuple[ThreadId, Sequence[uuid.UUID]]]) -> list[set[uuid.UUID]]:
        asked.append(given)
        return await look(self, given)

    monkeypatch.setattr(Comments, "standing", standing)
    guarded = Guarded(bench, per_minute=0)
    first, _ = await guarded.post(thread, str(uuid.uuid4()), "Hello")
    assert asked == []
    await Bans(bench.control).impose(first.no, "address", 1, "")
    await guarded.blocklist.read()
    with pytest.raises(Banned, match=r"UTC\.$"):
        await guarded.post(thread, str(uuid.uuid4()), "Hello")
    assert len(asked) == 1
    await guarded.away.aclose()


async def test_an_op_stands_for_one_text(bench: Bench, guarded: Guarded) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    await guarded.post(thread, op, "Hello")
    with pytest.raises(OpReused):
        await guarded.post(thread, op, "Goodbye")
    assert (await guarded.post(thread, op, "Hello \n"))[1] is False, "the same as cleaned"


async def test_of_two_texts_with_one_op_that_come_together_the_first_one_stands(bench: Bench, guarded: Guarded) -> None:
    thread, op = await bench.thread("story"), str(uuid.uuid4())
    posts = [Post(op, "Hello"), Post(op, "Buy pills at http://a.example http://b.example http://c.example")]
    acts = await guarded.posting.admit(thread, posts, guarded.visitor("192.0.2.7"))
    first, second = await asyncio.gather(*map(guarded.posting.commit, acts), return_exceptions=True)
    assert isinstance(first, tuple)
    assert isinstance(second, OpReused)
    assert await bench.value("SELECT array_agg(text) FROM comments") == ["Hello"]


@pytest.mark.parametrize(("raw", "refusal"), [("", Empty), (" \n", Empty), ("x" * 5001, TooLong)])
async def test_what_is_no_comment_costs_nothing(
    bench: Bench, guarded: Guarded, raw: str, refusal: type[Exception]
) -> None:
    thread = await bench.thread("story")
    for _ in range(3):
        with pytest.raises(refusal):
            await guarded.post(thread, str(uuid.uuid4()), raw)
    assert (await guarded.post(thread, str(uuid.uuid4()), "x" * 5000))[1]


async def test_a_form_sent_five_times_is_one_comment(bench: Bench, guarded: Guarded) -> None:
    thread = await bench.thread("story")
    results = [await guarded.post_form(thread, "Hello")]
    results += await asyncio.gather(*(guarded.post_form(thread, "Hello") for _ in range(4)))
    assert len({accepted.no for accepted, _ in results}) == 1
    assert [fresh for _, fresh in results] == [True, False, False, False, False]
    with pytest.raises(TooFast):
        await guarded.post_form(thread, "Another")
    assert (await guarded.post_form(thread, "Hello", "192.0.2.8"))[1], "another address"


async def test_a_form_sent_again_while_the_hour_turns_is_one_comment(
    bench: Bench, guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, numbers = await bench.thread("story"), set[int]()
    for hour in (100, 101, 100, 99):
        monkeypatch.setattr(guarded.comments, "hour", partial(asyncio.sleep, 0, hour))
        numbers.add((await guarded.post_form(thread, "Hello"))[0].no)
    assert len(numbers) == 1
    monkeypatch.setattr(guarded.comments, "hour", partial(asyncio.sleep, 0, 102))
    with pytest.raises(Duplicate):
        await guarded.post_form(thread, "Hello")


async def test_an_author_takes_the_comment_back_by_the_key(bench: Bench, guarded: Guarded) -> None:
    thread, op, act = await bench.thread("story"), str(uuid.uuid4()), str(uuid.uuid4())
    accepted, _ = await guarded.post(thread, op, "Hello")
    assert isinstance(accepted.key, str)
    who = guarded.visitor("192.0.2.7")
    with pytest.raises(NotYours):
        await guarded.posting.retract(thread, act, accepted.no, "guessed", who)
    for _ in range(2):
        retracted = await guarded.posting.retract(thread, act, accepted.no, accepted.key, who)
        assert retracted == Accepted(act, accepted.no, 2, "retracted")
    again, fresh = await guarded.post(thread, op, "Hello")
    assert (again.no, again.version, again.state, fresh) == (accepted.no, 2, "retracted", False)
    with pytest.raises(OpReused):
        await guarded.post(thread, op, "Other words than those erased")


async def test_without_a_limit_nothing_is_looked_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Comments, "standing", None)
    subject, thread = Guarded(bench, per_minute=0), await bench.thread("story")
    for _ in range(20):
        assert (await subject.post(thread, str(uuid.uuid4()), "Hello"))[1]
    await subject.away.aclose()


async def test_who_edits_takes_the_comment_back_and_may_say_the_same_again(bench: Bench) -> None:
    guarded, thread = Guarded(bench, per_minute=60), await bench.thread("story")
    first, _ = await guarded.post(thread, str(uuid.uuid4()), "Hello")
    with pytest.raises(Duplicate):
        await guarded.post(thread, str(uuid.uuid4()), "  hello!")
    await guarded.posting.retract(thread, str(uuid.uuid4()), first.no, str(first.key), guarded.visitor("192.0.2.7"))
    assert (await guarded.post(thread, str(uuid.uuid4()), "Hello!"))[1]
    await guarded.away.aclose()


async def test_links_cost_and_a_plain_comment_costs_one(bench: Bench) -> None:
    guarded, thread = Guarded(bench, per_minute=6), await bench.thread("story")
    link = "https://example.org/"
    for number, address in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.3")):
        text = " ".join(f"{link}{number}/{each}" for each in range(2 * number + 1))  # 1, 3 and 5 links
        await guarded.post(thread, str(uuid.uuid4()), text, address)
        left = 6 - (1, 2, 4)[number]
        for each in range(left):
            await guarded.post(thread, str(uuid.uuid4()), f"Comment {each}", address)
        with pytest.raises(TooFast) as refused:
            await guarded.post(thread, str(uuid.uuid4()), "One more", address)
        assert refused.value.retry_after == pytest.approx(10, abs=2)
    await guarded.away.aclose()


async def test_whom_many_links_would_cost_more_than_a_burst_pays_the_burst(bench: Bench) -> None:
    guarded, thread = Guarded(bench, per_minute=1), await bench.thread("story")
    text = " ".join(f"https://example.org/{each}" for each in range(9))
    assert (await guarded.post(thread, str(uuid.uuid4()), text))[1]
    with pytest.raises(TooFast) as refused:
        await guarded.post(thread, str(uuid.uuid4()), "More")
    assert refused.value.retry_after == pytest.approx(60, abs=5)
    await guarded.away.aclose()


async def test_retracting_is_limited_and_the_same_again_is_free(bench: Bench, guarded: Guarded) -> None:
    thread, who = await bench.thread("story"), guarded.visitor("192.0.2.7")
    first, _ = await guarded.post(thread, str(uuid.uuid4()), "Hello")
    for _ in range(15):
        await guarded.posting.retract(thread, "", first.no, str(first.key), who)
    for number in range(9):
        with pytest.raises(NotYours):
            await guarded.posting.retract(thread, "", first.no, f"guessed {number}", who)
    with pytest.raises(TooFast) as refused:
        await guarded.posting.retract(thread, "", first.no, "guessed once more", who)
    assert refused.value.retry_after == pytest.approx(6, abs=3)
    await guarded.posting.retract(thread, "", first.no, str(first.key), who)
