"""The role that serves: what the database lets it do with the record of acts, and whoever migrates for it."""

import asyncio
import contextlib

import asyncpg
import pytest
import pytest_asyncio

from service import supervisor
from service.errors import StartError
from service.protocol import Slug
from service.store.moderation import Moderation, Terms
from tests.conftest import Stores
from tests.integration.test_moderation import posted
from tests.integration.test_store import Store, store

__all__ = ["store"]

ACT = "INSERT INTO acts (kind, thread, was, reason{}) {} SELECT 'close', id, 'open', ''{} FROM threads"


@pytest_asyncio.fixture
async def judged(store: Store) -> Store:
    """A store with acts, connected as the role that serves."""
    [no] = await posted(store, "story", "Mine")
    await Moderation(store.pool).judge([no], "removed", "spam", "ida")
    assert await store.value("SELECT count(*) FROM acts") == 1
    return store


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE acts SET reason = ''",
        "UPDATE acts SET moderator = NULL WHERE false",
        "DELETE FROM acts",
        "TRUNCATE acts",
        "TRUNCATE threads CASCADE",
        "MERGE INTO acts USING threads t ON thread = t.id WHEN MATCHED THEN DELETE",
        "ALTER TABLE acts DISABLE TRIGGER ALL",
        "ALTER TABLE acts ADD COLUMN more text",
        "ALTER TABLE acts OWNER TO CURRENT_USER",
        "DROP TRIGGER acts_are_kept ON acts",
        "CREATE TRIGGER mine BEFORE INSERT ON acts EXECUTE FUNCTION refuse_to_forget()",
        "CREATE OR REPLACE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE RULE mine AS ON INSERT TO acts DO INSTEAD NOTHING",
        "DROP TABLE acts",
        "SELECT * FROM acts FOR UPDATE",
        "COPY acts FROM STDIN",
        ACT.format(", at", "", ", '2001-01-01'::timestamptz"),
        ACT.format(", id", "OVERRIDING SYSTEM VALUE", ", 1::bigint"),
        "SELECT setval(pg_get_serial_sequence('acts', 'id'), 1)",
        "SET session_replication_role = replica",
        "SET ROLE afterword",
        "SET SESSION AUTHORIZATION afterword",
        "CREATE TABLE more (one integer)",
        "CREATE ROLE more",
        "INSERT INTO migrations (number, name, checksum) VALUES (99, '', '')",
        "DELETE FROM migrations",
    ],
)
async def test_the_role_that_serves_can_only_read_the_record_and_add_to_it(judged: Store, statement: str) -> None:
    acts = await Moderation(judged.pool).acts(10)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await judged.connection.execute(statement)
    assert await Moderation(judged.pool).acts(10) == acts
    await judged.connection.execute(ACT.format("", "", ""))


async def test_no_schema_with_the_record_in_it_can_be_dropped(judged: Store) -> None:
    name = await judged.value("SELECT current_schema()")
    for statement in (f"DROP SCHEMA {name} CASCADE", f"ALTER SCHEMA {name} RENAME TO other", "DROP DATABASE afterword"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectInUseError)) as refused:
            await judged.connection.execute(statement)
        assert refused.type is asyncpg.InsufficientPrivilegeError
    assert await judged.value("SELECT count(*) FROM acts") == 1


async def test_who_serves_lets_nobody_do_more(judged: Store) -> None:
    for statement in (
        "GRANT ALL ON acts TO CURRENT_USER",
        "GRANT ALL ON acts TO PUBLIC",
        "SELECT let_serve(CURRENT_USER)",
    ):
        await judged.connection.execute(statement)  # Postgres warns, and grants nothing
    assert not await judged.value("SELECT has_table_privilege('acts', 'UPDATE, DELETE, TRUNCATE, TRIGGER, INSERT')")


async def test_what_was_let_too_widely_is_narrowed_when_the_owner_migrates(
    judged: Store, stores: Stores, owner_url: str
) -> None:
    owner = await asyncpg.connect(owner_url)
    await owner.execute("GRANT ALL ON acts TO PUBLIC; GRANT ALL ON acts TO afterword_service")
    await owner.execute("REVOKE ALL ON acts FROM PUBLIC")
    assert await judged.value("SELECT has_table_privilege('acts', 'TRUNCATE')")
    await supervisor.migrate(judged.url, lambda _line: None, owner_url)
    for right in ("UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN", "INSERT"):
        assert not await judged.value("SELECT has_table_privilege('acts', $1)", right), right
    assert await judged.value("SELECT has_table_privilege('acts', 'SELECT')")
    await Moderation(judged.pool).judge_thread(Slug("story"), Terms(state="closed"), "late")
    await owner.close()


async def test_who_serves_finds_the_schema_made_and_makes_none(stores: Stores, database_url: str) -> None:
    said: list[str] = []
    await asyncio.gather(*(supervisor.migrate(database_url, said.append) for _ in range(3)))
    assert said == []
    with pytest.raises(StartError, match=r"lacks migrations, and this role may not make them .* AFTERWORD_OWNER_URL"):
        await supervisor.migrate(stores.postgres.url, said.append)


async def test_one_role_for_both_keeps_what_it_owns(stores: Stores, owner_url: str) -> None:
    await supervisor.migrate(owner_url, lambda _line: None, owner_url)
    async with contextlib.AsyncExitStack() as stack:
        owner = await asyncpg.connect(owner_url)
        stack.push_async_callback(owner.close)
        assert await owner.fetchval("SELECT has_table_privilege('acts', 'INSERT')")
        assert await owner.fetchval("SELECT has_table_privilege('migrations', 'INSERT')")
