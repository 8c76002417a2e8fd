"""Migrations: once, in order, by any number of processes, and never over what a release does not know."""

import asyncio
import contextlib
import datetime
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from service.errors import StartError, Unavailable
from service.store import database, migrations
from service.store.database import Connection
from service.store.desk import Desk
from service.store.moderation import Moderation
from tests.conftest import Stores


@pytest_asyncio.fixture
async def url(stores: Stores) -> AsyncIterator[str]:
    """A database that nothing was done to: a schema of its own."""
    async with contextlib.AsyncExitStack() as stack:
        admin = await asyncpg.connect(stores.postgres.owner_url)
        stack.push_async_callback(admin.close)
        await admin.execute("CREATE SCHEMA bare")
        stack.push_async_callback(admin.execute, "DROP SCHEMA bare CASCADE")
        yield f"{stores.postgres.owner_url}&search_path=bare"


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await database.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Migrations of the test's own."""
    monkeypatch.setattr(migrations, "_FOLDER", tmp_path)
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (one integer);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (two integer); INSERT INTO second VALUES (2);")
    return tmp_path


async def test_an_empty_database_gets_everything_and_a_second_run_nothing(url: str) -> None:
    async with connected(url) as connection:
        done = await migrations.migrate(connection)
        assert done[0] == "0001_threads.sql"
        assert done == sorted(done)
        assert await migrations.migrate(connection) == []
        assert await connection.fetchval("SELECT count(*) FROM migrations") == len(done)
        assert await connection.fetchval("SELECT count(*) FROM threads") == 0


async def test_many_at_once_apply_each_once(url: str, folder: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(url)) for _ in range(6)]
        done = await asyncio.gather(*(migrations.migrate(connection) for connection in connections))
        assert sorted(done, key=len)[:-1] == [[]] * 5
        assert max(done, key=len) == ["0001_first.sql", "0002_second.sql"]
        assert await connections[0].fetchval("SELECT count(*) FROM second") == 1


async def test_what_is_added_later_is_applied_alone(url: str, folder: Path) -> None:
    async with connected(url) as connection:
        await migrations.migrate(connection)
        (folder / "0003_third.sql").write_text("ALTER TABLE first ADD three integer;")
        assert await migrations.migrate(connection) == ["0003_third.sql"]


async def test_a_file_changed_after_it_was_applied_is_refused(url: str, folder: Path) -> None:
    async with connected(url) as connection:
        await migrations.migrate(connection)
        (folder / "0001_first.sql").write_text("CREATE TABLE first (other integer);")
        with pytest.raises(StartError, match=r"0001_first\.sql was changed"):
            await migrations.migrate(connection)
        assert await _unlocked(url)


async def test_a_newer_database_is_refused(url: str, folder: Path) -> None:
    async with connected(url) as connection:
        await migrations.migrate(connection)
        (folder / "0002_second.sql").unlink()
        with pytest.raises(StartError, match="migration 2, which this release of Afterword does not know"):
            await migrations.migrate(connection)
        assert await _unlocked(url)


async def test_a_migration_that_fails_leaves_what_came_before_and_nothing_of_itself(url: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE second (two integer); SELECT 1 / 0;")
    async with connected(url) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrations.migrate(connection)
        assert await connection.fetchval("SELECT array_agg(number) FROM migrations") == [1]
        assert await connection.fetchval("SELECT to_regclass('second')") is None
        (folder / "0002_second.sql").write_text("CREATE TABLE second (two integer);")
        assert await migrations.migrate(connection) == ["0002_second.sql"]


async def test_a_slow_migration_is_not_cut_off_by_the_sessions_limits(url: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE second (two integer); SELECT pg_sleep(0.2);")
    async with connected(url) as connection:
        await connection.execute("SET statement_timeout = '100ms'")
        assert await migrations.migrate(connection) == ["0001_first.sql", "0002_second.sql"]
        assert await connection.fetchval("SHOW statement_timeout") == "100ms"


async def test_who_can_not_get_the_lock_says_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "_WAIT_SECONDS", 0.2)
    async with connected(url) as holder, connected(url) as connection:
        await holder.execute("SELECT pg_advisory_lock($1)", migrations._LOCK)
        with pytest.raises(Unavailable):
            await migrations.migrate(connection)
        await holder.execute("SELECT pg_advisory_unlock($1)", migrations._LOCK)
        assert await migrations.migrate(connection)


# What the release before asks of the store, and has prepared before the schema is a new one.
BEFORE = {
    "post": "SELECT * FROM post_comments($1, $2, $3, $4, $5, $6, $7, $8)",
    "judge": "SELECT * FROM judge_comments($1, $2, $3, $4)",
    "close": "SELECT * FROM judge_thread($1, $2, $3, $4, $5)",
    "retract": "SELECT * FROM retract_comment($1, $2, $3)",
    "sweep": "SELECT sweep($1, $2, $3)",
}


async def test_workers_of_the_release_before_go_on_and_what_was_done_by_them_is_undone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(url) as connection, database.pool(url, 2) as before, database.pool(url, 2) as now:
        with monkeypatch.context() as patched:
            for number in range(1, 5):
                [migration] = migrations._FOLDER.glob(f"{number:04}_*.sql")
                shutil.copy(migration, tmp_path)
            patched.setattr(migrations, "_FOLDER", tmp_path)
            await migrations.migrate(connection)
        await connection.execute(
            "SELECT publish_article('story', '', '', now(), 'News', '', '', NULL, NULL, '{}', 'open')"
        )
        thread = await connection.fetchval("SELECT id FROM threads")

        async def work(text: str, state: str, slow: int) -> None:
            """Everything that a worker of the release before does."""
            op, hashed = uuid.uuid4(), [b"h" * 16]
            values = ([thread], [op], [None], [None], [text], [text.encode()], hashed, hashed)
            [posted] = await before.fetch(BEFORE["post"], *values)
            [removed] = await before.fetch(BEFORE["judge"], [posted["no"]], "removed", "spam", "ida")
            assert (removed["state"], removed["raised"]) == ("removed", True)
            [judged] = await before.fetch(BEFORE["close"], thread, state, slow, "", "ida")
            assert (judged["thread_state"], judged["thread_slow"]) == (state, slow)
            [judged] = await before.fetch(BEFORE["close"], thread, "open", None, "", "ida")
            assert (judged["thread_state"], judged["thread_slow"]) == ("open", slow)
            [gone] = await before.fetch(BEFORE["retract"], thread, posted["no"], op)
            assert (gone["yours"], gone["state"]) == (True, "removed")
            assert await before.fetchval(BEFORE["sweep"], week, week, 500) == 0

        week = datetime.timedelta(days=7)
        await work("Before", "held", 10)
        await migrations.migrate(connection)
        await work("Meanwhile", "closed", 20)
        moderation, lines = Moderation(now), await Desk(now).record(100)
        undone = [line.kind for line in lines if line.stands and await moderation.undo(line.id, "ole")]
        assert undone == ["open", "slow", "remove", "remove"]
        rows = await connection.fetch("SELECT text, state FROM comments ORDER BY no")
        assert [tuple(row) for row in rows] == [("Before", "published"), ("Meanwhile", "published")]


async def _unlocked(url: str) -> bool:
    """Whether the next one can begin."""
    async with connected(url) as connection:
        taken = await connection.fetchval("SELECT pg_try_advisory_lock($1)", migrations._LOCK)
        await connection.execute("SELECT pg_advisory_unlock_all()")
        return bool(taken)
