"""The store: what Postgres promises about comments, versions and windows, whoever writes at the same time."""

import asyncio
import datetime
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from service.article_file import ArticleFile, CommentsMode, Picture
from service.errors import NotFound, NotYours, Unavailable
from service.protocol import MAX_INTEGER, Comment, Epoch, Placed, Slug, Thread, ThreadId, Window
from service.store import comments, database
from service.store.articles import Articles
from service.store.comments import Comments, Draft, Outcome, Position, Since
from service.store.database import Connection, Pool

PATIENCE = 20.0  # seconds that any condition may take on a busy machine


class Store(NamedTuple):
    """A database of one test."""

    url: str
    pool: Pool
    articles: Articles
    comments: Comments
    connection: Connection

    async def open(self, slug: str, mode: CommentsMode = "open") -> ThreadId:
        """Publish an article; its thread."""
        await self.articles.publish(article(slug, comments=mode))
        return ThreadId(await self.value("SELECT id FROM articles WHERE slug = $1", slug))

    async def post(self, *drafts: Draft) -> list[Outcome]:
        """Commit a batch."""
        return await comments.post(self.connection, drafts)

    async def value(self, statement: str, *values: object) -> Any:
        """One value by plain SQL."""
        return await self.pool.fetchval(statement, *values)


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    pool = await database.pool(database_url, 12)
    connection = await database.connect(database_url)
    yield Store(database_url, pool, Articles(pool), Comments(pool), connection)
    await connection.close()
    await pool.close()


def article(slug: str, **fields: Any) -> ArticleFile:
    given_fields: dict[str, Any] = {
        "slug": slug,
        "title": f"About {slug}",
        "author": "Ida Lund",
        "published_at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "section": "News",
        "summary": "",
        "html": "<p>One.</p>",
        "picture": None,
        "image": None,
        "image_credit": None,
        "tags": (),
        "comments": "open",
        "warnings": (),
    }
    return ArticleFile(**given_fields | fields)


def draft(thread: ThreadId, text: str = "Hello", op: uuid.UUID | None = None, *others: uuid.UUID) -> Draft:
    return Draft(thread, op or uuid.uuid4(), text, text.encode()[:16], others)


def standing(outcome: Outcome) -> comments.Standing:
    assert outcome.standing is not None
    return outcome.standing


# Posting


async def test_a_batch_for_several_threads_raises_each_by_its_own(store: Store) -> None:
    one, two, three = [await store.open(slug) for slug in ("one", "two", "three")]
    outcomes = await store.post(
        *(draft(thread, f"No. {place}") for place, thread in enumerate((one, two, one, two, one)))
    )
    assert [standing(outcome).version for outcome in outcomes] == [1, 1, 2, 2, 3]
    positions = [outcome.position for outcome in outcomes if outcome.position]
    assert [(position.version, position.count) for position in positions] == [(3, 3), (2, 2), (3, 3), (2, 2), (3, 3)]
    assert [outcome.published.html for outcome in outcomes if outcome.published] == [
        f"<p>No. {n}</p>" for n in range(5)
    ]
    numbers = [standing(outcome).no for outcome in outcomes]
    assert numbers == sorted(numbers)
    assert all(standing(outcome).fresh for outcome in outcomes)
    assert await store.comments.positions([one, two, three]) == {
        thread: (f"{epoch}", version)
        for thread, epoch, version in [
            (thread, (await store.comments.since(thread, 0, 1)).position.epoch, version)
            for thread, version in ((one, 3), (two, 2), (three, 0))
        ]
    }


async def test_what_is_published_is_what_readers_read_later(store: Store) -> None:
    thread = await store.open("story")
    (outcome,) = await store.post(draft(thread, "> quoted\n>>1 https://a.example <b>"))
    assert outcome.published is not None
    assert (await store.comments.since(thread, 0, 10)).comments == (outcome.published,)
    assert (await store.comments.newest(thread, 10)).comments == (outcome.published,)
    assert outcome.published.at.microsecond == 0
    assert outcome.published.by == "Anonymous"


async def test_an_empty_batch_is_nothing(store: Store) -> None:
    assert await store.post() == []


async def test_a_repeated_op_is_one_comment(store: Store) -> None:
    thread = await store.open("story")
    first = draft(thread)
    (new,) = await store.post(first)
    (old, other) = await store.post(first, draft(thread, "Another"))
    assert standing(old) == standing(new)._replace(fresh=False)
    assert old.published is None
    assert standing(other).version == 2
    assert old.position is not None
    assert old.position.version == 2
    assert await store.value("SELECT count(*) FROM comments") == 2


async def test_one_op_in_two_threads_is_two_comments(store: Store) -> None:
    one, two, op = await store.open("one"), await store.open("two"), uuid.uuid4()
    first, second = await store.post(draft(one, "A", op), draft(two, "B", op))
    assert standing(first).no != standing(second).no


async def test_an_act_is_found_under_each_of_its_ops(store: Store) -> None:
    thread, ops = await store.open("story"), [uuid.uuid4() for _ in range(4)]
    (first,) = await store.post(draft(thread, "A", ops[0]))
    for others in ((ops[0],), (ops[2], ops[0]), (ops[0], ops[2])):
        (again,) = await store.post(draft(thread, "A", ops[1], *others))
        assert standing(again).no == standing(first).no
    other = await store.open("another")
    asked = [(thread, ops), (thread, ops[1:]), (thread, []), (other, ops[1:])]
    assert await store.comments.standing(asked) == [{ops[0]}, set(), set(), set()]
    assert await store.comments.standing([(other, ops)]) == [set()]


async def test_a_repeat_gets_the_present_state(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (new,) = await store.post(draft(thread, "A", op))
    await store.comments.retract(thread, standing(new).no, op)
    (again,) = await store.post(draft(thread, "A", op))
    assert standing(again)[:3] == (standing(new).no, 2, "retracted")
    assert again.published is None


async def test_one_op_posted_from_everywhere_at_once_is_one_comment(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    connections = [await database.connect(store.url) for _ in range(8)]
    batches = [
        [draft(thread, f"{place}.{item}") for item in range(3)] + [draft(thread, "Once", op)] for place in range(8)
    ]
    results = await asyncio.gather(
        *(comments.post(connection, batch) for connection, batch in zip(connections, batches, strict=True))
    )
    once = [standing(result[-1]) for result in results]
    assert len({item.no for item in once}) == 1
    assert sum(item.fresh for item in once) == 1
    assert await store.value("SELECT version FROM threads WHERE id = $1", thread) == 25
    assert await store.value("SELECT count(DISTINCT version) FROM comments WHERE thread = $1", thread) == 25
    for connection in connections:
        await connection.close()


async def test_a_closed_thread_refuses_and_keeps_what_stands(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    await store.post(draft(thread, "Before", op))
    await store.open("story", "closed")
    refused, old = await store.post(draft(thread, "After"), draft(thread, "Before", op))
    assert (refused.standing, refused.thread_state, refused.published) == (None, "closed", None)
    assert standing(old).state == "published"
    assert await store.value("SELECT count(*) FROM comments") == 1


async def test_a_held_thread_holds_and_tells_nobody(store: Store) -> None:
    thread = await store.open("story", "held")
    first = draft(thread, "Waiting")
    (held,) = await store.post(first)
    assert standing(held)[:3] == (standing(held).no, None, "held")
    assert held.published is None
    assert held.position is not None
    assert (held.position.version, held.position.count) == (0, 0)
    (again,) = await store.post(first)
    assert standing(again).no == standing(held).no
    assert (await store.comments.since(thread, 0, 10)).comments == ()
    assert (await store.comments.newest(thread, 10)).comments == ()
    with pytest.raises(NotFound):
        await store.comments.around(thread, standing(held).no, 10)
    with pytest.raises(NotFound):
        await store.comments.place(standing(held).no, 50)
    assert await store.comments.standing([(thread, [first.op])]) == [{first.op}]


async def test_where_there_is_no_thread_nothing_is_posted_or_read(store: Store) -> None:
    thread = await store.open("story", "none")
    none, unknown = await store.post(draft(thread), draft(ThreadId(404)))
    assert (none.standing, none.thread_state) == (None, "none")
    assert (unknown.standing, unknown.thread_state, unknown.position) == (None, None, None)
    for missing in (thread, ThreadId(404)):
        for read in (
            store.comments.since(missing, 0, 1),
            store.comments.newest(missing, 1),
            store.comments.before(missing, 5, 1),
            store.comments.from_(missing, 5, 1),
            store.comments.around(missing, 5, 1),
            store.comments.retract(missing, 5, uuid.uuid4()),
        ):
            with pytest.raises(NotFound):
                await read
    assert await store.comments.positions([thread, ThreadId(404)]) == {}
    for slug in ("story", "nothing"):
        with pytest.raises(NotFound):
            await store.comments.thread(Slug(slug))


async def test_what_stands_in_a_thread_that_is_gone_is_not_shown(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (new,) = await store.post(draft(thread, "A", op))
    await store.open("story", "none")
    with pytest.raises(NotFound):
        await store.comments.place(standing(new).no, 50)
    with pytest.raises(NotFound):
        await store.comments.retract(thread, standing(new).no, op)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_what_postgres_can_not_keep_is_a_data_error_and_leaves_nothing(store: Store, text: str) -> None:
    thread = await store.open("story")
    with pytest.raises(asyncpg.DataError):
        await comments.post(store.connection, [draft(thread), Draft(thread, uuid.uuid4(), text, b"", ())])
    assert await store.value("SELECT count(*) FROM comments") == 0
    (outcome,) = await store.post(draft(thread))
    assert standing(outcome).version == 1


async def look(store: Store, thread: ThreadId, seen: int, limit: int) -> Since:
    """What a repair reads: complete from somewhere on to now, in order, each once."""
    since = await store.comments.since(thread, seen, limit)
    versions = [comment.version for comment in since.comments]
    assert versions == sorted(set(versions))
    assert all(since.from_ < version <= since.position.version for version in versions)
    if since.from_ > seen:
        assert len(versions) == limit
        assert versions[0] == since.from_ + 1
    else:
        assert since.from_ == seen
    return since


async def test_versions_have_no_holes_and_readers_always_see_a_prefix(store: Store) -> None:
    threads = [await store.open(slug) for slug in ("one", "two", "three")]
    connections = [await database.connect(store.url) for _ in range(8)]
    done = asyncio.Event()
    seen = dict.fromkeys(threads, 0)

    async def write(connection: Connection, seed: int) -> None:
        for turn in range(12):
            batch = [draft(threads[(seed + turn + item) % 3], f"{seed}.{turn}.{item}") for item in range(1 + turn % 5)]
            outcomes = await comments.post(connection, batch)
            if turn % 4 == 0:
                made = standing(outcomes[0])
                await store.comments.retract(batch[0].thread, made.no, batch[0].op)

    async def read(thread: ThreadId) -> int:
        """Follow a thread as a repair does: each look continues the one before, without a hole."""
        known: dict[int, int] = {}
        looks = 0
        while True:
            last = done.is_set()
            since = await look(store, thread, seen[thread], 7)
            if since.from_ > seen[thread]:
                since = await look(store, thread, seen[thread], 1000)
            known.update({comment.no: comment.version for comment in since.comments})
            seen[thread] = since.position.version
            below = await store.value(
                "SELECT array_agg(version) FROM comments WHERE thread = $1 AND version <= $2", thread, seen[thread]
            )
            # What is below was seen, or has changed since and comes again above.
            assert set(below or ()) <= set(known.values())
            looks += 1
            if last:
                rows = await store.pool.fetch("SELECT no, version FROM comments WHERE thread = $1", thread)
                assert known == {row["no"]: row["version"] for row in rows}
                return looks

    readers = [asyncio.create_task(read(thread)) for thread in threads]
    await asyncio.gather(*(write(connection, seed) for seed, connection in enumerate(connections)))
    done.set()
    assert all(looks > 1 for looks in await asyncio.gather(*readers))
    for thread in threads:
        row = await store.pool.fetchrow("SELECT version, count FROM threads WHERE id = $1", thread)
        assert row is not None
        every, published = await asyncio.gather(
            store.value("SELECT count(*) FROM comments WHERE thread = $1", thread),
            store.value("SELECT count(*) FROM comments WHERE thread = $1 AND state = 'published'", thread),
        )
        retracted = every - published
        assert row["version"] == every + retracted, "each act raised it by one"
        assert row["count"] == published
    for connection in connections:
        await connection.close()


async def test_numbers_grow_with_versions(store: Store) -> None:
    thread = await store.open("story")
    connections = [await database.connect(store.url) for _ in range(4)]
    await asyncio.gather(
        *(comments.post(connection, [draft(thread, str(n)) for n in range(20)]) for connection in connections)
    )
    rows = await store.pool.fetch("SELECT no, version FROM comments ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, 81))
    assert [row["no"] for row in rows] == sorted(row["no"] for row in rows)
    for connection in connections:
        await connection.close()


# Retracting


async def test_who_knows_the_op_takes_a_comment_back(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made, _) = await store.post(draft(thread, "Regretted", op), draft(thread))
    no = standing(made).no
    retracted = await store.comments.retract(thread, no, op)
    assert retracted.standing[:3] == (no, 3, "retracted")
    assert retracted.change is not None
    assert (retracted.change.no, retracted.change.version, retracted.change.gone) == (no, 3, "retracted")
    assert (retracted.position.version, retracted.position.count) == (3, 1)
    assert await store.value("SELECT text FROM comments WHERE no = $1", no) is None
    assert not await store.value("SELECT bool_or(c::text LIKE '%Regretted%') FROM comments c")


async def test_retracting_again_changes_nothing(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "A", op))
    first = await store.comments.retract(thread, standing(made).no, op)
    again = await store.comments.retract(thread, standing(made).no, op)
    assert again == first._replace(change=None)


async def test_many_retractions_at_once_are_one(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "A", op))
    results = await asyncio.gather(*(store.comments.retract(thread, standing(made).no, op) for _ in range(8)))
    assert sum(result.change is not None for result in results) == 1
    assert {result.position.version for result in results} == {2}


async def test_another_ones_comment_stays(store: Store) -> None:
    one, two = await store.open("one"), await store.open("two")
    (made,) = await store.post(draft(one))
    with pytest.raises(NotYours):
        await store.comments.retract(one, standing(made).no, uuid.uuid4())
    with pytest.raises(NotFound):
        await store.comments.retract(two, standing(made).no, uuid.uuid4())
    with pytest.raises(NotFound):
        await store.comments.retract(one, standing(made).no + 1, uuid.uuid4())
    assert (await store.comments.since(one, 0, 1)).position.version == 1


async def test_a_held_comment_is_taken_back_in_silence_and_shown_to_nobody_else(store: Store) -> None:
    thread, op = await store.open("story", "held"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "Waiting", op))
    with pytest.raises(NotFound):
        await store.comments.retract(thread, standing(made).no, uuid.uuid4())
    retracted = await store.comments.retract(thread, standing(made).no, op)
    assert retracted.standing[:3] == (standing(made).no, None, "retracted")
    assert retracted.change is None
    assert (retracted.position.version, retracted.position.count) == (0, 0)
    assert await store.value("SELECT text FROM comments") is None


async def test_a_comment_that_was_published_and_then_held_leaves_the_count_alone(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "A", op))
    await store.pool.execute("UPDATE comments SET state = 'held', version = 2; ")
    await store.pool.execute("UPDATE threads SET count = 0, version = 2")
    retracted = await store.comments.retract(thread, standing(made).no, op)
    assert (retracted.position.version, retracted.position.count) == (3, 0)
    assert retracted.change is not None


async def test_what_was_removed_stays_removed(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "A", op))
    await store.pool.execute("UPDATE comments SET state = 'removed'")
    retracted = await store.comments.retract(thread, standing(made).no, op)
    assert retracted.standing.state == "removed"
    assert retracted.change is None
    assert (await store.comments.newest(thread, 1)).comments[0].gone == "removed"


async def test_a_closed_thread_lets_one_retract(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made,) = await store.post(draft(thread, "A", op))
    await store.open("story", "closed")
    assert (await store.comments.retract(thread, standing(made).no, op)).position.version == 3


# Reading


@pytest_asyncio.fixture
async def changed_thread(store: Store) -> tuple[ThreadId, list[tuple[int, str | None]]]:
    """A thread of 10 comments, of which two were taken back, and that was closed between; its versions, in order."""
    thread = await store.open("story")
    drafts = [draft(thread, str(n)) for n in range(10)]
    made = [standing(outcome).no for outcome in await store.post(*drafts)]
    await store.comments.retract(thread, made[3], drafts[3].op)  # version 11
    await store.open("story", "closed")  # version 12
    await store.comments.retract(thread, made[0], drafts[0].op)  # version 13
    here = [(version, None) for version in range(1, 11) if version not in {1, 4}]
    return thread, [*here, (11, "retracted"), (13, "retracted")]


async def test_since_gives_what_changed_or_the_last_of_it_and_says_from_where_on_that_is_complete(
    store: Store, changed_thread: tuple[ThreadId, list[tuple[int, str | None]]]
) -> None:
    thread, every = changed_thread
    for version in range(15):
        for limit in (1, 2, 3, 9, 10, 11):
            since = await store.comments.since(thread, version, limit)
            assert since.position == Position(since.position.epoch, 13, 8, Thread("closed"), 12)
            found = [(comment.version, comment.gone or None) for comment in since.comments]
            assert found == [item for item in every if item[0] > version][-limit:]
            assert found == [item for item in every if item[0] > since.from_], "complete from there on"
            if len(found) < limit:
                assert since.from_ == min(version, 13), "nothing is left out"
            else:
                assert since.from_ == found[0][0] - 1 >= version, "there may be more before"


@pytest.mark.parametrize("version", [1, 2, 11, MAX_INTEGER, MAX_INTEGER + 1, 2**70])
async def test_since_a_version_at_the_end_or_beyond_is_just_the_position(store: Store, version: int) -> None:
    thread = await store.open("story")
    await store.post(draft(thread))
    since = await store.comments.since(thread, version, 4)
    assert (since.comments, since.from_, since.position.version) == ((), 1, 1)


async def test_since_the_beginning_of_an_empty_thread_is_its_whole_history(store: Store) -> None:
    thread = await store.open("story")
    since = await store.comments.since(thread, 0, 4)
    assert (since.comments, since.from_, since.position.version) == ((), 0, 0)


async def test_each_comment_comes_once_in_its_latest_state(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    made, _ = await store.post(draft(thread, "A", op), draft(thread, "B"))
    await store.comments.retract(thread, standing(made).no, op)
    since = await store.comments.since(thread, 0, 10)
    assert [(comment.version, comment.gone) for comment in since.comments[1:]] == [(3, "retracted")]
    assert since.comments[0].version == 2


def cut(numbers: list[int], start: int, end: int) -> tuple[list[int], bool, bool]:
    """A slice, and whether something stands before and after it."""
    start, end = max(start, 0), min(end, len(numbers))
    return numbers[start:end], start > 0, end < len(numbers)


def shown(window: Window) -> tuple[list[int], bool, bool]:
    return [comment.no for comment in window.comments], window.earlier, window.later


@pytest_asyncio.fixture
async def long_thread(store: Store) -> tuple[ThreadId, list[int]]:
    """A thread of 23 visible comments: some gone, others' and held ones between them."""
    thread, other = await store.open("story"), await store.open("other")
    drafts = [draft(thread, str(n)) for n in range(30)]
    outcomes = await store.post(*(item for each in drafts for item in (each, draft(other))))
    mine = outcomes[::2]
    for place in (0, 7, 29):
        await store.comments.retract(thread, standing(mine[place]).no, drafts[place].op)
    never = [standing(mine[place]).no for place in (3, 4, 5, 15, 20, 26, 28)]
    await store.pool.execute("UPDATE comments SET version = NULL, state = 'held' WHERE no = ANY ($1)", never)
    return thread, [standing(item).no for item in mine if standing(item).no not in never]


async def test_windows_are_those_of_a_plain_list(store: Store, long_thread: tuple[ThreadId, list[int]]) -> None:
    thread, numbers = long_thread
    loop = asyncio.get_running_loop()
    cases: list[tuple[int, int]] = []

    @settings(max_examples=120, database=None)
    @given(st.integers(0, numbers[-1] + 3), st.integers(1, 30))
    def collect(no: int, limit: int) -> None:
        cases.append((no, limit))

    await loop.run_in_executor(None, collect)
    cases += [(edge, limit) for edge in (numbers[0], numbers[-1]) for limit in (1, 2, 23, 24)]
    for no, limit in cases:
        split = sum(number < no for number in numbers)
        end = len(numbers)
        assert shown(await store.comments.newest(thread, limit)) == cut(numbers, end - limit, end)
        assert shown(await store.comments.before(thread, no, limit)) == cut(numbers, split - limit, split)
        assert shown(await store.comments.from_(thread, no, limit)) == cut(numbers, split, split + limit)
        if no in numbers:
            start = max(0, min(split - limit // 2, end - limit))
            around = await store.comments.around(thread, no, limit)
            assert shown(around) == cut(numbers, start, start + limit)
            assert no in shown(around)[0]
        else:
            with pytest.raises(NotFound):
                await store.comments.around(thread, no, limit)


async def test_a_window_tells_where_the_thread_stands(store: Store, long_thread: tuple[ThreadId, list[int]]) -> None:
    thread, _ = long_thread
    window = await store.comments.newest(thread, 50)
    assert (window.version, window.thread) == (33, Thread("open"))
    assert [comment.gone for comment in (window.comments[0], window.comments[-1])] == ["retracted", "retracted"]
    assert all(
        isinstance(comment, Comment) and isinstance(comment.at, datetime.datetime) for comment in window.comments
    )
    assert window.epoch == (await store.comments.since(thread, 0, 1)).position.epoch


async def test_the_window_of_an_empty_thread_is_open_at_no_end(store: Store) -> None:
    thread = await store.open("story")
    for window in (await store.comments.newest(thread, 5), await store.comments.from_(thread, 0, 5)):
        assert shown(window) == ([], False, False)
        assert (window.version, window.count) == (0, 0)


async def test_the_place_of_a_comment_is_its_article_and_what_follows(
    store: Store, long_thread: tuple[ThreadId, list[int]]
) -> None:
    _, numbers = long_thread
    assert await store.comments.place(numbers[-1], 5) == ("story", 0)
    assert await store.comments.place(numbers[-3], 5) == ("story", 2)
    assert await store.comments.place(numbers[0], 5) == ("story", 5)
    for unknown in (0, 10**6, MAX_INTEGER):
        with pytest.raises(NotFound):
            await store.comments.place(unknown, 5)


async def test_a_comment_is_found_by_its_number_as_windows_show_it(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    (made, _) = await store.post(draft(thread, ">>7\nRegretted", op), draft(await store.open("other")))
    no = standing(made).no
    for retract in (False, True):
        if retract:
            await store.comments.retract(thread, no, op)
        (shown_there,) = (await store.comments.newest(thread, 5)).comments
        assert await store.comments.placed(no) == Placed(no, Slug("story"), "About story", shown_there)
    assert shown_there.gone == "retracted"
    (held,) = await store.post(draft(await store.open("held", "held")))
    await store.open("story", "none")
    for unseen in (no, standing(held).no, 0, MAX_INTEGER):
        with pytest.raises(NotFound):
            await store.comments.placed(unseen)


async def test_the_epoch_has_its_form_and_differs_between_threads(store: Store) -> None:
    threads = [await store.open(slug) for slug in ("one", "two")]
    epochs = [epoch for epoch, _ in (await store.comments.positions(threads)).values()]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,40}", epoch) for epoch in epochs)
    assert epochs[0] != epochs[1]
    (outcome,) = await store.post(draft(threads[0]))
    assert outcome.position is not None
    assert outcome.position.epoch == (await store.comments.newest(threads[0], 1)).epoch == epochs[0]
    assert epochs[0].endswith(".1"), "Postgres's timeline"


# Histories that went back


async def restored(store: Store) -> tuple[ThreadId, Epoch]:
    """A thread at version 2 that stood higher before; its epoch."""
    thread = await store.open("story")
    await store.post(draft(thread), draft(thread))
    return thread, (await store.comments.positions([thread]))[thread][0]


async def test_a_thread_below_a_version_that_was_seen_gets_a_new_epoch(store: Store) -> None:
    (thread, epoch), other = await restored(store), await store.open("other")
    before = await store.comments.positions([other])
    await store.comments.renew(thread, epoch, 3)
    new, version = (await store.comments.positions([thread]))[thread]
    assert new != epoch
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,40}", new)
    assert version == 2
    assert await store.comments.positions([other]) == before
    position = (await store.comments.since(thread, 0, 1)).position
    assert (position.epoch, position.version, position.count) == (new, 2, 2)
    (outcome,) = await store.post(draft(thread))
    assert outcome.position is not None
    assert (outcome.position.epoch, outcome.position.version) == (new, 3)
    assert (await store.comments.newest(thread, 1)).epoch == new


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_a_thread_that_is_not_below_keeps_its_epoch(store: Store, version: int) -> None:
    thread, epoch = await restored(store)
    await store.comments.renew(thread, epoch, version)
    assert await store.comments.positions([thread]) == {thread: (epoch, 2)}


@pytest.mark.parametrize("seen", ["", "another.1"])
async def test_a_version_that_was_seen_in_another_epoch_says_nothing(store: Store, seen: str) -> None:
    thread, epoch = await restored(store)
    await store.comments.renew(thread, Epoch(seen), 99)
    await store.comments.renew(ThreadId(404), epoch, 99)
    assert await store.comments.positions([thread]) == {thread: (epoch, 2)}


async def test_workers_that_notice_at_once_give_one_new_epoch(store: Store) -> None:
    thread, epoch = await restored(store)
    epochs = set[Epoch]()

    async def notice() -> None:
        await store.comments.renew(thread, epoch, 3)
        epochs.add((await store.comments.positions([thread]))[thread][0])

    await asyncio.gather(*(notice() for _ in range(8)))
    assert len(epochs) == 1
    assert epoch not in epochs


async def test_the_hour_is_the_databases(store: Store) -> None:
    hour = await store.comments.hour()
    assert hour == await store.value("SELECT (extract(epoch FROM now())::bigint / 3600)")


# Articles


async def test_an_article_is_published_once_and_then_updated(store: Store) -> None:
    first = article("story", tags=("sea", "sun"), image="/pictures/x.svg", image_credit="Ida Lund")
    assert await store.articles.publish(first) == "added"
    assert await store.articles.publish(first) == "unchanged"
    before = await store.articles.article(Slug("story"))
    assert (before.revision, before.title, before.tags, before.image) == (
        1,
        "About story",
        ["sea", "sun"],
        "/pictures/x.svg",
    )
    for place, (name, value) in enumerate(
        {
            "title": "New",
            "author": "Bo",
            "published_at": datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC),
            "section": "Culture",
            "summary": "Short.",
            "html": "<p>Two.</p>",
            "image": None,
            "image_credit": None,
            "tags": (),
        }.items()
    ):
        first = msgspec.structs.replace(first, **{name: value})
        assert await store.articles.publish(first) == "updated", name
        assert await store.articles.publish(first) == "unchanged", name
        assert (await store.articles.article(Slug("story"))).revision == place + 2
    state = await store.articles.state(Slug("story"))
    assert (state.id, state.revision, state.has_thread, state.version) == (before.id, 10, True, 0)


async def test_a_declaration_raises_the_version_only_when_it_changes(store: Store) -> None:
    thread = await store.open("story")

    async def position() -> tuple[int, str, int]:
        row = await store.pool.fetchrow("SELECT version, state, state_version FROM threads WHERE id = $1", thread)
        assert row is not None
        return tuple(row)

    assert await position() == (0, "open", 0)
    await store.articles.publish(article("story", title="Another"))
    assert await position() == (0, "open", 0)
    await store.open("story", "closed")
    assert await position() == (1, "closed", 1)
    await store.open("story", "closed")
    assert await position() == (1, "closed", 1)
    await store.open("story", "none")
    assert await position() == (2, "none", 2)
    assert not (await store.articles.state(Slug("story"))).has_thread
    await store.open("story", "held")
    assert await position() == (3, "held", 3)


async def test_loading_again_does_not_reopen_what_a_moderator_closed(store: Store) -> None:
    thread = await store.open("story")
    await store.pool.execute("UPDATE threads SET state = 'closed', version = 1, state_version = 1")
    assert await store.articles.publish(article("story", title="Corrected")) == "updated"
    assert await store.value("SELECT state FROM threads WHERE id = $1", thread) == "closed"
    await store.open("story", "closed")
    assert await store.value("SELECT version FROM threads WHERE id = $1", thread) == 1, "it is closed already"


async def test_a_picture_comes_with_its_article(store: Store) -> None:
    picture = Picture("0123.svg", "image/svg+xml", b"<svg/>")
    await store.articles.publish(article("one", picture=picture))
    await store.articles.publish(article("two", picture=picture))
    assert (await store.articles.article(Slug("one"))).image == "/pictures/0123.svg"
    found = await store.articles.picture("0123.svg")
    assert (found.media_type, found.data) == ("image/svg+xml", b"<svg/>")


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for read in (
        store.articles.article(Slug("nothing")),
        store.articles.state(Slug("nothing")),
        store.articles.picture("nothing.svg"),
    ):
        with pytest.raises(NotFound):
            await read


async def test_the_lists_of_the_front_page(store: Store) -> None:
    assert not await store.articles.any()
    assert (await store.articles.recent(5), await store.articles.popular(5)) == ([], [])
    assert await store.articles.sections(5) == []
    for day, (slug, section) in enumerate((("a", "News"), ("b", "Sea"), ("c", "news"), ("d", "Sea")), 1):
        at = datetime.datetime(2026, 1, day, tzinfo=datetime.UTC)
        await store.articles.publish(article(slug, section=section, published_at=at))
    await store.open("silent", "none")
    for slug, count in (("a", 3), ("c", 1)):
        thread = await store.comments.thread(Slug(slug))
        await store.post(*(draft(thread, str(n)) for n in range(count)))
    assert await store.articles.any()
    assert [headline.slug for headline in await store.articles.recent(3)] == ["d", "c", "b"]
    assert [headline.slug for headline in await store.articles.recent(9, "NEWS")] == ["c", "silent", "a"]
    assert await store.articles.recent(9, "Nothing") == []
    assert [(headline.slug, headline.count) for headline in await store.articles.popular(3)] == [
        ("a", 3),
        ("c", 1),
        ("d", 0),
    ]
    assert [
        (name, [headline.slug for headline in headlines]) for name, headlines in await store.articles.sections(2)
    ] == [
        ("Sea", ["d", "b"]),
        ("news", ["c", "silent"]),
    ]
    assert {headline.slug: headline.has_thread for headline in await store.articles.recent(9)}[Slug("silent")] is False


# The database away


async def test_a_database_that_is_away_is_unavailable(store: Store) -> None:
    with pytest.raises(Unavailable) as refused:
        await database.connect("postgresql://nobody@/nothing?host=/nowhere/at/all")
    assert refused.value.retry_after
    with pytest.raises(Unavailable):
        await database.connect(store.url.replace("/afterword?", "/gone?"))
    async with database.pool("postgresql://nobody@/nothing?host=/nowhere/at/all", 1) as pool:
        away, articles = Comments(pool), Articles(pool)
        for read in (
            away.thread(Slug("x")),
            away.hour(),
            away.standing([(ThreadId(1), [])]),
            away.since(ThreadId(1), 0, 1),
            away.positions([]),
            away.renew(ThreadId(1), Epoch("e.1"), 1),
            away.newest(ThreadId(1), 1),
            away.retract(ThreadId(1), 1, uuid.uuid4()),
            articles.recent(1),
            articles.popular(1),
            articles.sections(1),
            articles.any(),
            articles.article(Slug("x")),
            articles.publish(article("x")),
        ):
            with pytest.raises(Unavailable):
                await read


async def test_every_session_writes_durably_and_waits_for_nothing_long(store: Store) -> None:
    rows = await store.pool.fetch(
        "SELECT name, setting FROM pg_settings WHERE name = ANY ($1)",
        ["synchronous_commit", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"],
    )
    told = {row["name"]: row["setting"] for row in rows}
    assert told["synchronous_commit"] == "on"
    assert 0 < int(told["lock_timeout"]) < int(told["statement_timeout"]) <= 5000
    assert int(told["idle_in_transaction_session_timeout"]) > 0


async def test_a_thread_that_someone_holds_makes_a_batch_unavailable(store: Store) -> None:
    thread = await store.open("story")
    holder = await asyncpg.connect(store.url)
    async with holder.transaction():
        await holder.execute("SELECT FROM threads FOR UPDATE")
        await store.connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Unavailable):
            await store.post(draft(thread))
    (outcome,) = await store.post(draft(thread))
    assert standing(outcome).version == 1
    await holder.close()
