"""What the desk reads from the real store, and how acts are undone there."""

import asyncio

from service.protocol import Slug, Thread
from service.store.comments import Changed
from service.store.desk import Desk
from service.store.moderation import Moderation, ThreadChanged
from tests.integration.test_moderation import posted
from tests.integration.test_store import Store, draft, standing, store

__all__ = ["store"]


async def state(store: Store, no: int) -> str:
    return str(await store.pool.fetchval("SELECT state FROM comments WHERE no = $1", no))


async def acts(store: Store) -> list[int]:
    """The numbers of all acts, the latest first."""
    return [act.id for act in await Moderation(store.pool).acts(100)]


# Undoing


async def test_undoing_brings_back_what_was_and_is_an_act_itself(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await moderation.judge([no], "removed", "spam", "ida")
    [removal] = await acts(store)
    undone = await moderation.undo(removal, "ole")
    assert isinstance(undone, Changed)
    assert undone.change is not None
    assert (undone.change.html, undone.position.count) == ("<p>One</p>", 1)
    restoring = (await moderation.acts(1))[0]
    assert (restoring.moderator, restoring.kind, restoring.reason) == ("ole", "restore", f"undo #{removal}")
    await moderation.undo(restoring.id, "ida")
    assert await state(store, no) == "removed"


async def test_a_held_comment_waits_again_when_its_publishing_is_undone(store: Store) -> None:
    moderation = Moderation(store.pool)
    thread = await store.open("story", "held")
    [no] = [standing(each).no for each in await store.post(draft(thread, "Waits"))]
    await moderation.judge([no], "published", "", "ida")
    undone = await moderation.undo((await acts(store))[0], "ida")
    assert isinstance(undone, Changed)
    assert undone.change is not None
    assert undone.change.gone == "held"
    assert [held.no for held in await moderation.held(10)] == [no]


async def test_an_act_on_which_another_was_built_is_not_undone(store: Store) -> None:
    moderation = Moderation(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    await moderation.judge([one], "held", "", "ida")
    [holding] = await acts(store)
    await moderation.judge([one], "removed", "spam", "ole")
    await moderation.judge([two], "held", "", "ole")
    assert await moderation.undo(holding, "ida") is None
    assert await state(store, one) == "removed"
    assert await moderation.undo(999_999, "ida") is None
    assert len(await acts(store)) == 3


async def test_many_who_undo_at_once_undo_once(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await moderation.judge([no], "removed", "spam", "ida")
    [removal] = await acts(store)
    undone = await asyncio.gather(*(moderation.undo(removal, f"m{number}") for number in range(8)))
    assert sum(each is not None for each in undone) == 1
    assert await state(store, no) == "published"
    assert len(await acts(store)) == 2


async def test_an_undo_never_takes_back_what_somebody_does_meanwhile(store: Store) -> None:
    moderation = Moderation(store.pool)
    for number in range(10):
        [no] = await posted(store, f"story-{number}", "One")
        await moderation.judge([no], "held", "", "ida")
        holding = (await acts(store))[0]
        await asyncio.gather(moderation.undo(holding, "ida"), moderation.judge([no], "removed", "spam", "ole"))
        assert await state(store, no) == "removed"


async def test_the_state_of_a_thread_and_its_pace_are_undone_apart(store: Store) -> None:
    moderation = Moderation(store.pool)
    await store.open("story")
    await moderation.judge_thread(Slug("story"), "closed", None, "late", "ida")
    await moderation.judge_thread(Slug("story"), None, 30, "hot", "ida")
    slowing, closing = await acts(store)
    undone = await moderation.undo(closing, "ole")
    assert isinstance(undone, ThreadChanged)
    assert undone.raised
    assert undone.position.thread == Thread("open", 30)
    undone = await moderation.undo(slowing, "ole")
    assert isinstance(undone, ThreadChanged)
    assert undone.position.thread == Thread("open", 0)
    assert await moderation.undo(closing, "ole") is None


async def test_a_retracted_comment_stays_so_whatever_is_undone(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await moderation.judge([no], "held", "", "ida")
    await store.pool.execute("UPDATE comments SET state = 'retracted', text = NULL WHERE no = $1", no)
    assert await moderation.undo((await acts(store))[0], "ida") is None
    assert await state(store, no) == "retracted"


# What is shown


async def test_the_queue_has_the_oldest_first_and_the_rest_the_newest(store: Store) -> None:
    desk, moderation = Desk(store.pool), Moderation(store.pool)
    numbers = await posted(store, "story", "One", "Two", "Three")
    await moderation.judge(numbers[:2], "held", "", "ida")
    held = await desk.queue(10)
    assert [(card.no, card.state, card.text, card.slug, card.seen) for card in held] == [
        (numbers[0], "held", "One", "story", True),
        (numbers[1], "held", "Two", "story", True),
    ]
    assert await desk.waiting() == 2
    assert [card.no for card in await desk.recent(2)] == numbers[:0:-1]
    assert [card.no for card in await desk.recent(10, numbers[1])] == numbers[:1]


async def test_a_search_takes_words_as_they_stand(store: Store) -> None:
    desk = Desk(store.pool)
    sale, path, other = await posted(store, "story", "100% Off_er", "a\\b", "1000 offers")
    for words, found in (
        ("100%", [sale]),
        ("off_er", [sale]),
        ("\\", [path]),
        ("0", [other, sale]),
        ("nowhere", []),
    ):
        assert [card.no for card in await desk.found(words, 10)] == found
    assert [card.no for card in await desk.found("0", 10, other)] == [sale]


async def test_the_record_says_what_can_still_be_undone(store: Store) -> None:
    desk, moderation = Desk(store.pool), Moderation(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    await moderation.judge([one], "held", "", "ida")
    await moderation.judge([one, two], "removed", "spam", "ole")
    await moderation.judge_thread(Slug("story"), "closed", None, "", "ida")
    await moderation.judge_thread(Slug("story"), "open", None, "", None)
    lines = await desk.record(10)
    assert [(line.kind, line.comment, line.stands) for line in lines] == [
        ("open", None, True),
        ("close", None, False),
        ("remove", two, True),
        ("remove", one, True),
        ("hold", one, False),
    ]
    assert [line.id for line in await desk.record(2, lines[1].id)] == [lines[2].id, lines[3].id]


async def test_ones_own_acts_are_undone_one_after_the_other_from_the_last(store: Store) -> None:
    desk, moderation = Desk(store.pool), Moderation(store.pool)
    numbers = await posted(store, "story", "One", "Two", "Three")
    for no in numbers:
        await moderation.judge([no], "removed", "spam", "ida")
    await moderation.judge([numbers[1]], "published", "", "ole")
    undone = []
    while last := await desk.last("ida"):
        undone.append(last.comment)
        assert await moderation.undo(last.id, "ida")
    assert undone == [numbers[2], numbers[0]]
    assert await desk.last("nobody") is None


async def test_the_version_differs_whenever_something_is_shown_that_was_not(store: Store) -> None:
    desk, moderation = Desk(store.pool), Moderation(store.pool)
    seen = [await desk.version()]

    async def changed() -> bool:
        seen.append(await desk.version())
        return len(set(seen)) == len(seen)

    [no] = await posted(store, "story", "One")
    assert await changed()
    await moderation.judge([no], "held", "", None)
    assert await changed()
    await moderation.undo((await acts(store))[0], None)
    assert await changed()
    thread = await store.open("other", "held")
    [waiting] = [standing(each).no for each in await store.post(draft(thread, "Waits"))]
    assert await changed()
    await store.pool.execute("UPDATE comments SET state = 'retracted', text = NULL WHERE no = $1", waiting)
    assert await changed()
    await moderation.judge_thread(Slug("story"), "closed", None, "", None)
    assert await changed()
    assert await desk.version() == seen[-1]
