"""Filters in the real store, and as a worker knows them."""

import asyncio
import datetime

import pytest

from service.errors import Filtered, NotFound, Unavailable
from service.filters import Sieve, rule
from service.keyring import Keyring, Visitor
from service.protocol import CommentNo, ThreadId
from service.store import database
from service.store.filters import MOST, Filter, Filters, Rule, Unfit
from service.store.moderation import Moderation
from tests.integration.test_store import Store, draft, standing, store
from tests.site import eventually

__all__ = ["store"]

RING = Keyring("a secret for tests only")
HERE, ELSEWHERE = RING.visitor("192.0.2.7", "192.0.2.0/24"), RING.visitor("198.51.100.7", "198.51.100.0/24")
PILLS = rule("word", "pills", "refuse", reason="sold everywhere")


async def written(store: Store, thread: ThreadId, text: str, who: Visitor | None = None) -> CommentNo:
    made = draft(thread, text)
    if who:
        made = made._replace(address=who.address, network=who.network)
    [outcome] = await store.post(made)
    return standing(outcome).no


async def test_a_filter_is_kept_as_it_was_written_and_ends(store: Store) -> None:
    await store.open("story")
    filters = Filters(store.pool)
    made = [
        PILLS,
        rule("links", "2", "hold", section="News"),
        rule("host", "example.org", "pass", article="/articles/story"),
    ]
    numbers = [await filters.add(each) for each in made]
    known = await filters.in_force()
    assert [(each.id, each.rule) for each in known] == list(zip(numbers, made, strict=True))
    assert known[2].rule.article == "story"
    assert await filters.end(numbers[0], "")
    assert not await filters.end(numbers[0], "")
    assert not await filters.end(999, "")
    assert [each.id for each in await filters.in_force()] == numbers[1:]
    [over] = await filters.ended(9)
    assert over == await filters.one(numbers[0])
    assert isinstance(over.ended, datetime.datetime)
    assert await filters.one(999) is None
    assert await filters.add(over.rule) > numbers[2], "it can be used again"


async def test_what_can_not_be_put_in_force_is_told(store: Store) -> None:
    filters = Filters(store.pool)
    await filters.add(PILLS)
    for like in (PILLS, rule("word", "PILLS", "pass")):
        with pytest.raises(Unfit, match="already"):
            await filters.add(like)
    await filters.add(rule("word", "pills", "hold", section="News"))
    with pytest.raises(Unfit, match="already"):
        await filters.add(rule("word", "pills", "hold", section="news"))
    with pytest.raises(Unfit, match="article"):
        await filters.add(rule("word", "x", "hold", article="nowhere"))
    for number in range(MOST - 2):
        await filters.add(rule("word", f"x{number}", "hold"))
    with pytest.raises(Unfit, match="as many"):
        await filters.add(rule("word", "y", "hold"))


async def test_each_act_on_a_filter_is_in_the_record_by_number(store: Store) -> None:
    filters = Filters(store.pool)
    number = await filters.add(PILLS, "ida")
    await filters.end(number, "over", "ole")
    rows = await store.pool.fetch("SELECT moderator, kind, filter, was, reason FROM acts ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("ida", "filter", number, "off", "sold everywhere"),
        ("ole", "unfilter", number, "on", "over"),
    ]
    assert [(act.kind, act.filter) for act in await Moderation(store.pool).acts(9)] == [
        ("unfilter", number),
        ("filter", number),
    ]


async def test_a_text_is_refused_held_or_let_through_where_a_filter_holds(store: Store) -> None:
    story, other = await store.open("story"), await store.open("other")
    filters = Filters(store.pool)
    sieve = Sieve(filters)
    assert await sieve.judge(story, ["pills"], HERE.address) == [None]
    await filters.add(rule("word", "pills", "refuse", article="story"))
    number = await filters.add(rule("word", "tea", "hold", section="news", reason="why"))
    await sieve.read()
    assert not await sieve.empty()
    refused, held, passed = await sieve.judge(story, ["Pills!", "Tea?", "Milk."], HERE.address)
    assert isinstance(refused, Filtered)
    assert (held, passed) == (f"filter #{number}: why", None)
    assert await sieve.judge(other, ["Pills!"], HERE.address) == [None]
    with pytest.raises(NotFound):
        await sieve.judge(ThreadId(999), ["Pills!"], HERE.address)


async def test_the_first_comment_of_an_address_is_one_until_something_of_it_is_published(store: Store) -> None:
    thread, filters = await store.open("story"), Filters(store.pool)
    number = await filters.add(rule("first", "", "hold"))
    sieve, held = Sieve(filters), [f"filter #{number}: first"]
    assert await sieve.judge(thread, ["one"], HERE.address) == held
    await store.post(draft(thread)._replace(address=HERE.address, held="filter"))
    assert await sieve.judge(thread, ["two"], HERE.address) == held
    await written(store, thread, "three", HERE)
    assert await sieve.judge(thread, ["four"], HERE.address) == [None]
    assert await sieve.judge(thread, ["four"], ELSEWHERE.address) == held
    await store.pool.execute("UPDATE comments SET address = NULL")
    assert await sieve.judge(thread, ["five"], HERE.address) == held, "it is not known any more"


async def test_a_rule_is_tried_on_the_latest_comments_where_it_would_hold(store: Store) -> None:
    story, other = await store.open("story"), await store.open("other")
    numbers = [await written(store, thread, "Buy pills") for thread in (story, other) for _ in range(8)]
    await written(store, story, "Milk")
    sieve = Sieve(Filters(store.pool))
    trial = await sieve.tried(PILLS)
    assert (trial.looked, trial.met) == (17, 16)
    assert [each.no for each in trial.shown] == numbers[:5:-1]
    assert (trial.shown[0].title, trial.shown[0].place.article) == ("About other", "other")
    trial = await sieve.tried(rule("word", "pills", "pass", article="story"))
    assert (trial.looked, trial.met) == (9, 8)
    assert (await sieve.tried(rule("word", "pills", "hold", section="NEWS"))).met == 16
    assert (await sieve.tried(rule("word", "pills", "hold", section="Sport"))).looked == 0
    assert await Filters(store.pool).in_force() == []


async def test_a_trial_knows_first_comments(store: Store) -> None:
    thread = await store.open("story")
    for who in (HERE, HERE, ELSEWHERE, None):
        await written(store, thread, "Hello", who)
    assert (await Sieve(Filters(store.pool)).tried(rule("first", "", "hold"))).met == 2


async def test_a_trial_lets_others_have_their_turn_and_ends_in_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await store.open("story")
    await store.post(*(draft(thread, "x" * 5_000) for _ in range(200)))
    sieve, turns = Sieve(Filters(store.pool)), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert (await sieve.tried(PILLS)).looked == 200
    task.cancel()
    assert turns >= 200
    monkeypatch.setattr("service.filters.sieve.TRIAL_SECONDS", 0)
    assert (await sieve.tried(PILLS)).looked == 1


async def test_a_worker_learns_of_filters_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.level.LOOK_SECONDS", 0.05)
    thread, filters = await store.open("story"), Filters(store.pool)
    sieve = Sieve(filters)
    task = asyncio.create_task(sieve.run())

    async def refused() -> bool:
        return await sieve.judge(thread, ["pills"], None) != [None]

    await eventually(sieve.empty)
    number = await filters.add(PILLS)
    await eventually(refused)
    await filters.end(number, "")
    await eventually(sieve.empty)
    task.cancel()


async def test_what_is_known_holds_while_the_database_is_away(store: Store) -> None:
    thread = await store.open("story")
    pool = await database.pool(store.url, 1)
    sieve, fresh = Sieve(Filters(pool)), Sieve(Filters(pool))
    await Filters(pool).add(PILLS)
    await sieve.read()
    await pool.close()
    with pytest.raises(Unavailable):
        await sieve.read()
    assert await sieve.judge(thread, ["Milk"], None) == [None]
    with pytest.raises(Unavailable):
        await sieve.judge(thread, ["Pills"], None)
    with pytest.raises(Unavailable):
        await fresh.judge(thread, ["Milk"], None)


def test_a_filter_is_named_by_why_or_by_what() -> None:
    for made, name in (
        (PILLS, "sold everywhere"),
        (Rule(kind="word", value="x", action="hold"), "x"),
        (Rule(kind="first", value="", action="hold"), "first"),
    ):
        assert Filter(3, made).name == f"filter #3: {name}"
