"""What is kept for a time only, in the real store: the hashes of who wrote, and text that was removed."""

import asyncio
import datetime
from typing import Any

from service.protocol import ThreadId
from service.store.comments import Draft
from service.store.moderation import Moderation
from service.store.retention import STEP, Retention
from service.sweep import Sweep
from tests.integration.test_moderation import at, posted
from tests.integration.test_store import PATIENCE, Store, draft, standing, store

__all__ = ["store"]

ADDRESS, NETWORK = b"a" * 16, b"n" * 16


def known(thread: ThreadId, text: str = "Hello") -> Draft:
    """A draft of somebody."""
    return draft(thread, text)._replace(address=ADDRESS, network=NETWORK)


async def sweep(store: Store, address_days: int = 7, removed_days: int = 30) -> int:
    return await Sweep(Retention(store.pool, address_days, removed_days)).once()


async def age(store: Store, column: str, days: int, *numbers: int) -> None:
    """Move comments into the past."""
    past = datetime.timedelta(days=days)
    await store.pool.execute(f"UPDATE comments SET {column} = now() - $1::interval WHERE no = ANY ($2)", past, numbers)  # noqa: S608


async def kept(store: Store, what: str) -> list[Any]:
    return [row[0] for row in await store.pool.fetch(f"SELECT {what} FROM comments ORDER BY no")]  # noqa: S608


async def test_a_comment_keeps_the_hashes_of_who_wrote_it(store: Store) -> None:
    thread = await store.open("story")
    await store.post(known(thread, "Known"), draft(thread, "Unknown"))
    assert await kept(store, "address") == [ADDRESS, None]
    assert await kept(store, "network") == [NETWORK, None]


async def test_the_hashes_go_after_their_days_and_nothing_else_does(store: Store) -> None:
    thread = await store.open("story")
    old, young, taken = [
        standing(each).no for each in await store.post(*(known(thread, text) for text in ("A", "B", "C")))
    ]
    await store.pool.execute("UPDATE comments SET state = 'retracted', text = NULL WHERE no = $1", taken)
    await age(store, "at", 6, young)
    await age(store, "at", 8, old, taken)
    before = await at(store, thread)
    assert await sweep(store) == 2
    assert await kept(store, "address") == [None, ADDRESS, None]
    assert await kept(store, "network") == [None, NETWORK, None]
    assert await kept(store, "text") == ["A", "B", None]
    assert await at(store, thread) == before
    assert await sweep(store) == 0
    assert await sweep(store, address_days=0) == 1


async def test_removed_text_goes_after_its_days_and_what_was_restored_stays(store: Store) -> None:
    moderation = Moderation(store.pool)
    old, young, back, held = await posted(store, "story", "Old", "Young", "Back", "Held")
    await moderation.judge([old, young, back], "removed", "spam")
    await moderation.judge([back], "published", "no spam")
    await moderation.judge([held], "held", "to be read")
    await age(store, "judged_at", 31, old, back, held)
    await age(store, "judged_at", 29, young)
    assert await sweep(store) == 1
    assert await kept(store, "text") == [None, "Young", "Back", "Held"]
    assert await kept(store, "text_tag IS NULL") == [False] * 4
    assert await moderation.judge([old], "published", "too late") == []


async def test_a_sweep_takes_small_steps_and_many_at_once_are_one(store: Store) -> None:
    one, two = await store.open("one"), await store.open("two")
    drafts = [known((one, two)[number % 2], f"No. {number}") for number in range(STEP + 100)]
    await store.post(*drafts)
    assert await Retention(store.pool, 0, 30).step() == STEP
    swept = await asyncio.gather(*(sweep(store, address_days=0) for _ in range(4)))
    assert sum(swept) == 100
    assert set(await kept(store, "address")) == {None}


async def test_who_posts_while_a_sweep_runs_is_served(store: Store) -> None:
    thread = await store.open("story")
    await store.post(*(known(thread, f"No. {number}") for number in range(STEP * 2)))

    async def write() -> None:
        for number in range(50):
            [outcome] = await store.post(draft(thread, f"Later {number}"))
            assert standing(outcome).fresh

    swept, _ = await asyncio.gather(sweep(store, address_days=0), write())
    assert swept == STEP * 2
    assert (await at(store, thread)).version == STEP * 2 + 50


async def test_a_thread_is_locked_before_its_comments(store: Store) -> None:
    thread = await store.open("story")
    await store.post(known(thread))
    async with store.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM threads WHERE id = $1 FOR UPDATE", thread)
        sweeping = asyncio.create_task(sweep(store, address_days=0))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%sweep($1%'"
        async with asyncio.timeout(PATIENCE):
            while not await store.value(waiting):
                await asyncio.sleep(0.01)
        await connection.execute("SELECT FROM comments WHERE thread = $1 FOR UPDATE NOWAIT", thread)
    assert await sweeping == 1
