"""Which threads are slow, or in a surge, as a worker knows it."""

import asyncio

from service.brakes import Brake, Brakes
from service.protocol import Slug, Thread
from service.store.moderation import Moderation, Terms
from tests.integration.test_store import Store, store

__all__ = ["store"]


async def test_a_thread_that_asks_more_is_known_once_it_is_read(store: Store) -> None:
    brakes, moderation = Brakes(store.comments), Moderation(store.pool)
    calm, slow, surging = await store.open("calm"), await store.open("slow"), await store.open("surging")
    await moderation.judge_thread(Slug("slow"), Terms(slow=30), "")
    await moderation.judge_thread(Slug("surging"), Terms(surge=True), "")
    assert brakes.find(slow) is None
    await brakes.read()
    assert [brakes.find(thread) for thread in (calm, slow, surging)] == [None, Brake(30, False), Brake(30, True)]
    await moderation.judge_thread(Slug("slow"), Terms(slow=0), "")
    await brakes.read()
    assert brakes.find(slow) is None


async def test_a_thread_that_its_article_has_no_more_asks_nothing(store: Store) -> None:
    brakes, moderation = Brakes(store.comments), Moderation(store.pool)
    thread = await store.open("story")
    await moderation.judge_thread(Slug("story"), Terms(surge=True), "")
    await store.open("story", "none")
    await brakes.read()
    assert brakes.surges == set(), "nobody could end it, and every worker would try each second"
    await store.open("story")
    await brakes.read()
    assert brakes.surges == {thread}


async def test_what_was_done_here_is_known_at_once_and_no_older_read_undoes_it(store: Store) -> None:
    brakes, thread = Brakes(store.comments), await store.open("story")
    async with store.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE threads")
        reading = asyncio.create_task(brakes.read())
        while not await store.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        brakes.learn(thread, Thread("open", slow=60))
        assert brakes.find(thread) == Brake(60, False)
    await reading
    assert brakes.find(thread) == Brake(60, False)
    brakes.learn(thread, Thread("open"))
    assert brakes.find(thread) is None
