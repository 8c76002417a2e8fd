"""Threads of old articles, in the real store: which are closed, which stay, and what the record says of it."""

import asyncio
import datetime

import pytest

from service.protocol import Slug, Thread, ThreadId
from service.store import moderation
from service.store.moderation import Moderation, Terms
from tests.integration.test_moderation import at
from tests.integration.test_store import PATIENCE, Store, article, store
from tests.site import eventually

__all__ = ["store"]


async def published(store: Store, slug: str, days: float, mode: str = "open") -> ThreadId:
    """The thread of an article of some days ago."""
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    await store.articles.publish(article(slug, published_at=past, comments=mode))
    return ThreadId(await store.value("SELECT id FROM articles WHERE slug = $1", slug))


async def states(store: Store) -> dict[str, str]:
    rows = await store.pool.fetch("SELECT slug, state FROM threads JOIN articles USING (id) ORDER BY id")
    return {row["slug"]: row["state"] for row in rows}


async def test_the_threads_of_old_articles_close_and_no_others(store: Store) -> None:
    old = await published(store, "old", 15)
    await published(store, "waiting", 20, "held")
    await published(store, "young", 13)
    await published(store, "silent", 99, "none")
    await published(store, "done", 99, "closed")
    judge = Moderation(store.pool)
    closed = await judge.close_old(14)
    assert [each.position.version for each in closed] == [(await at(store, each.thread)).version for each in closed]
    assert [(each.thread == old, each.raised, each.position.thread) for each in closed] == [
        (True, True, Thread("closed")),
        (False, True, Thread("closed")),
    ]
    assert await judge.close_old(14) == []
    assert await states(store) == {
        "old": "closed",
        "waiting": "closed",
        "young": "open",
        "silent": "none",
        "done": "closed",
    }


async def test_it_stands_in_the_record_as_nobodys_act(store: Store) -> None:
    await published(store, "old", 15)
    judge = Moderation(store.pool)
    await judge.close_old(14)
    [act] = await judge.acts(10)
    assert (act.moderator, act.kind, act.slug, act.was, act.reason) == (None, "close", "old", "open", "14 days")


@pytest.mark.parametrize("state", ["open", "held"])
async def test_what_a_moderator_decides_later_stays(store: Store, state: str) -> None:
    await published(store, "old", 15)
    judge = Moderation(store.pool)
    await judge.close_old(14)
    await judge.judge_thread(Slug("old"), Terms(state=state), "still worth it", "ida")
    assert await judge.close_old(14) == []
    assert await states(store) == {"old": state}


async def test_an_undone_closing_stays_undone(store: Store) -> None:
    await published(store, "old", 15)
    judge = Moderation(store.pool)
    await judge.close_old(14)
    [act] = await judge.acts(10)
    assert await judge.undo(act.id, "ida")
    assert await judge.close_old(14) == []
    assert await states(store) == {"old": "open"}


async def test_what_a_moderator_decided_while_it_was_young_does_not_keep_it_open(store: Store) -> None:
    await published(store, "old", 15)
    judge = Moderation(store.pool)
    await judge.judge_thread(Slug("old"), Terms(state="held"), "too hot", "ida")
    assert await judge.close_old(14) == []
    await store.pool.execute("UPDATE articles SET published_at = now() - interval '14 days' + interval '1 second'")
    assert await judge.close_old(14) == [], "not so old yet"

    async def closed() -> bool:
        return len(await judge.close_old(14)) == 1

    await eventually(closed)


async def test_many_are_closed_in_small_steps_and_each_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moderation, "CLOSED", 3)
    for number in range(10):
        await published(store, f"old-{number}", 15)
    judge = Moderation(store.pool)

    async def all_of_them() -> int:
        total = 0
        while closed := await judge.close_old(14):
            assert len(closed) <= 3
            total += len(closed)
        return total

    assert sum(await asyncio.gather(*(all_of_them() for _ in range(4)))) == 10
    assert len(await judge.acts(100)) == 10


async def test_a_moderator_who_acts_at_the_same_moment_wins(store: Store) -> None:
    thread = await published(store, "old", 15)
    judge = Moderation(store.pool)
    async with store.pool.acquire() as connection, connection.transaction():
        await connection.fetch("SELECT FROM judge_thread($1, '{\"state\": \"held\"}', 'mine', 'ida')", thread)
        closing = asyncio.create_task(judge.close_old(14))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%lapsed($1%'"
        async with asyncio.timeout(PATIENCE):
            while not await store.value(waiting):
                await asyncio.sleep(0.01)
    assert await closing == []
    assert await states(store) == {"old": "held"}
