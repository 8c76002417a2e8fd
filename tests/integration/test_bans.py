"""Bans in the real store, and as a worker knows them."""

import asyncio
import datetime

import pytest
import pytest_asyncio

from service.blocklist import Blocklist
from service.errors import Banned, Unavailable
from service.keyring import Keyring, Visitor
from service.protocol import ThreadId
from service.store import database
from service.store.bans import Bans
from service.store.moderation import Moderation
from service.store.retention import Retention
from service.sweep import Sweep
from tests.integration.test_store import Store, draft, standing, store
from tests.site import eventually

__all__ = ["store"]

RING = Keyring("a secret for tests only")
HERE, BESIDE = RING.visitor("192.0.2.7", "192.0.2.0/24"), RING.visitor("192.0.2.8", "192.0.2.0/24")
ELSEWHERE = RING.visitor("198.51.100.7", "198.51.100.0/24")


@pytest_asyncio.fixture
async def comment(store: Store) -> int:
    """The number of a comment that was written from `HERE`."""
    return await written(store, await store.open("story"), HERE)


async def written(store: Store, thread: ThreadId, who: Visitor) -> int:
    [outcome] = await store.post(draft(thread)._replace(address=who.address, network=who.network))
    return standing(outcome).no


async def move(store: Store, ban: int, column: str, ahead: float) -> None:
    """Move the begin or the end of a ban to some seconds from now."""
    seconds = datetime.timedelta(seconds=ahead)
    await store.pool.execute(f"UPDATE bans SET {column} = now() + $1::interval WHERE id = $2", seconds, ban)  # noqa: S608


async def test_a_ban_is_on_who_wrote_the_comment_and_on_nobody_else(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    blocklist = Blocklist(bans)
    assert await blocklist.find(HERE) is None
    ban = await bans.impose(comment, "address", 3, "spam")
    assert ban is not None
    assert (ban.scope, ban.reason, ban.ends - ban.begun) == ("address", "spam", datetime.timedelta(days=3))
    await blocklist.read()
    refusal = await blocklist.find(HERE)
    assert refusal is not None
    assert (refusal.reason, refusal.until) == ("spam", ban.ends.replace(microsecond=0))
    assert refusal.retry_after == pytest.approx(3 * 86_400, abs=60)
    assert await blocklist.find(BESIDE) is None
    assert await blocklist.find(ELSEWHERE) is None


async def test_a_ban_on_the_wider_net_is_on_all_who_are_in_it(store: Store, comment: int) -> None:
    await Bans(store.pool).impose(comment, "network", 1, "")
    blocklist = Blocklist(Bans(store.pool))
    assert await blocklist.find(HERE)
    assert await blocklist.find(BESIDE)
    assert await blocklist.find(ELSEWHERE) is None


async def test_of_several_bans_the_one_that_ends_last_is_told(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    await bans.impose(comment, "address", 2, "two days")
    await bans.impose(comment, "network", 9, "nine days")
    await bans.impose(comment, "address", 5, "five days")
    refusal = await Blocklist(bans).find(HERE)
    assert refusal is not None
    assert refusal.reason == "nine days"


async def test_a_ban_ends_by_itself_by_the_clock_of_the_store(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    ban = await bans.impose(comment, "address", 1, "")
    assert ban is not None
    await move(store, ban.id, "ends", 0.5)
    blocklist = Blocklist(bans)  # it reads once, and counts down by itself
    assert await blocklist.find(HERE)

    async def over() -> bool:
        return await blocklist.find(HERE) is None

    await eventually(over)
    assert await bans.in_force() == []
    assert await bans.lift(ban.id, "") is False


async def test_a_lifted_ban_holds_no_longer_and_keeps_its_hash_for_a_day(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    ban, blocklist = await bans.impose(comment, "address", 1, "spam"), Blocklist(bans)
    assert ban is not None
    assert await blocklist.find(HERE)
    assert await bans.lift(ban.id, "a mistake")
    assert not await bans.lift(ban.id, "again")
    assert not await bans.lift(999, "")
    await blocklist.read()
    assert await blocklist.find(HERE) is None
    retention = Retention(store.pool, 7, 30)
    await retention.step()
    assert await store.value("SELECT tag FROM bans") == HERE.address
    await store.pool.execute("UPDATE bans SET lifted = lifted - interval '1 day'")
    await retention.step()
    assert await store.value("SELECT tag FROM bans") is None
    lifting = await store.value("SELECT id FROM acts WHERE kind = 'lift'")
    assert not await bans.undo(lifting), "it is not known any more whom it was on"


async def test_a_ban_and_its_lifting_are_undone_while_nobody_has_acted_on_it_since(store: Store, comment: int) -> None:
    bans, blocklist = Bans(store.pool), Blocklist(Bans(store.pool))
    ban = await bans.impose(comment, "address", 7, "spam", "ida")
    assert ban is not None

    async def last() -> tuple[int, str, str, str]:
        act = (await Moderation(store.pool).acts(1))[0]
        return act.id, act.kind, act.was, act.reason

    imposing, *_ = await last()
    for kind, was, free in (("lift", "banned", True), ("ban", "free", False), ("lift", "banned", True)):
        act, *_ = await last()
        assert await bans.undo(act, "ole")
        assert (await last())[1:] == (kind, was, f"undo #{act}")
        await blocklist.read()
        assert (await blocklist.find(HERE) is None) == free
    assert not await bans.undo(imposing, "ole")
    assert not await bans.undo(999, "ole")
    assert await store.value("SELECT ends FROM bans") == ban.ends


async def test_many_who_undo_a_ban_at_once_undo_it_once(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    await bans.impose(comment, "address", 7, "spam")
    act = await store.value("SELECT max(id) FROM acts")
    undone = await asyncio.gather(*(bans.undo(act, f"m{number}") for number in range(8)))
    assert undone.count(True) == 1
    assert await store.value("SELECT count(*) FROM acts") == 2


async def test_a_ban_that_is_over_is_not_undone(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    ban = await bans.impose(comment, "address", 1, "spam")
    assert ban is not None
    await move(store, ban.id, "ends", -1)
    assert not await bans.undo(await store.value("SELECT max(id) FROM acts"))


async def test_a_worker_learns_of_bans_by_itself(store: Store, comment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.level.LOOK_SECONDS", 0.05)
    bans = Bans(store.pool)
    blocklist = Blocklist(bans)
    task = asyncio.create_task(blocklist.run())

    async def banned() -> Banned | None:
        return await blocklist.find(HERE)

    async def free() -> bool:
        return await blocklist.find(HERE) is None

    await eventually(free)
    ban = await bans.impose(comment, "address", 1, "spam")
    assert ban is not None
    await eventually(banned)
    await bans.lift(ban.id, "")
    await eventually(free)
    task.cancel()


async def test_a_worker_that_is_told_reads_at_once(store: Store, comment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.level.LOOK_SECONDS", 3600.0)
    bans = Bans(store.pool)
    other = Blocklist(bans)
    here = Blocklist(bans)
    here.tell = other.wake
    task = asyncio.create_task(other.run())

    async def free() -> bool:
        return await other.find(HERE) is None

    async def banned() -> bool:
        return not await free()

    await eventually(free)
    ban = await bans.impose(comment, "address", 1, "spam")
    assert ban is not None
    await here.changed()
    assert await here.find(HERE)
    await eventually(banned)
    await bans.lift(ban.id, "")
    await here.changed()
    await eventually(free)
    task.cancel()


async def test_a_ban_keeps_no_link_to_its_comment_and_its_hash_while_it_lasts(store: Store, comment: int) -> None:
    bans = Bans(store.pool)
    one, two = [await bans.impose(comment, "address", days, "") for days in (1, 2)]
    assert one is not None
    assert two is not None
    await move(store, one.id, "ends", -1)
    await Sweep(Retention(store.pool, 0, 30)).once()
    tags = await store.pool.fetch("SELECT tag IS NOT NULL FROM bans ORDER BY id")
    assert [kept for (kept,) in tags] == [False, True]
    assert await store.value("SELECT count(*) FROM acts WHERE ban IS NOT NULL AND (comment, thread) IS NULL") == 2
    assert await bans.impose(comment, "address", 1, "") is None, "its hashes are gone"
    assert await bans.impose(999, "address", 1, "") is None


async def test_each_act_on_a_ban_is_in_the_record_by_number(store: Store, comment: int) -> None:
    bans, moderation = Bans(store.pool), Moderation(store.pool)
    ban = await bans.impose(comment, "network", 1, "spam", "ida")
    assert ban is not None
    await bans.lift(ban.id, "no spam", "ole")
    assert [
        (act.moderator, act.kind, act.ban, act.slug, act.comment, act.reason) for act in await moderation.acts(9)
    ] == [
        ("ole", "lift", ban.id, None, None, "no spam"),
        ("ida", "ban", ban.id, None, None, "spam"),
    ]


async def test_what_is_known_holds_while_the_database_is_away(store: Store, comment: int) -> None:
    pool = await database.pool(store.url, 1)
    blocklist, fresh = Blocklist(Bans(pool)), Blocklist(Bans(pool))
    await Bans(pool).impose(comment, "address", 1, "")
    assert await blocklist.find(HERE)
    await pool.close()
    with pytest.raises(Unavailable):
        await blocklist.read()
    assert await blocklist.find(HERE)
    with pytest.raises(Unavailable):
        await fresh.find(HERE)
