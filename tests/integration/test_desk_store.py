"""What the desk reads from the real store, and how acts are undone there."""

import asyncio
import uuid

import asyncpg
import pytest

from service.errors import NotFound
from service.keyring import Keyring
from service.protocol import Slug, Thread
from service.store.bans import Bans
from service.store.comments import Changed
from service.store.desk import Desk
from service.store.moderation import Moderation, Terms, ThreadChanged
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
    await moderation.judge_thread(Slug("story"), Terms(state="closed"), "late", "ida")
    await moderation.judge_thread(Slug("story"), Terms(slow=30), "hot", "ida")
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


# Steps, pins, and the newsroom

RING = Keyring("a secret for tests only")
HERE, ELSEWHERE = RING.visitor("192.0.2.7", "192.0.2.0/24"), RING.visitor("198.51.100.7", "198.51.100.0/24")


async def from_here(store: Store, slug: str, *texts: str) -> list[int]:
    """Comments from one address in a new thread; their numbers."""
    thread = await store.open(slug)
    drafts = [draft(thread, text)._replace(address=HERE.address, network=HERE.network) for text in texts]
    return [standing(outcome).no for outcome in await store.post(*drafts)]


async def test_what_was_one_step_is_undone_in_one_where_nobody_has_acted_since(store: Store) -> None:
    moderation, desk = Moderation(store.pool), Desk(store.pool)
    here, there = await posted(store, "here", "One", "Two"), await posted(store, "there", "Three")
    await moderation.judge([*here, *there], "removed", "spam", "ida")
    await moderation.judge([here[0]], "held", "", "ole")
    last = await desk.last("ida")
    assert last is not None
    assert last.together == 3
    undone = await moderation.undo_step(last.id, "ole")
    assert [each.no for each in undone] == [here[1], *there]
    assert [await state(store, no) for no in (*here, *there)] == ["held", "published", "published"]
    restored = (await acts(store))[:2]
    assert [line.together for line in await desk.record(10)] == [2, 2, 1, 3, 3, 3]
    assert [each.no for each in await moderation.undo_step(restored[0], "ida")] == [here[1], *there]
    assert await moderation.undo_step(last.id, "ida") == []
    assert await moderation.undo_step(999, "ida") == []


async def test_steps_over_the_same_threads_never_wait_for_each_other_for_ever(store: Store) -> None:
    moderation = Moderation(store.pool)
    here, there = await posted(store, "here", "A", "B"), await posted(store, "there", "C", "D")
    steps = []
    for numbers in ([here[0], there[0]], [there[1], here[1]]):
        await moderation.judge(numbers, "removed", "spam", "ida")
        steps.append((await acts(store))[0])
    undone = await asyncio.gather(*(moderation.undo_step(act, f"m{n}") for n in range(4) for act in steps))
    assert sum(map(len, undone)) == 4


async def test_an_act_from_before_steps_were_kept_is_one_of_its_own(store: Store, owner_url: str) -> None:
    moderation = Moderation(store.pool)
    numbers = await posted(store, "story", "One", "Two")
    owner = await asyncpg.connect(owner_url)
    await owner.execute("ALTER TABLE acts ALTER COLUMN step DROP DEFAULT")
    await owner.close()
    await moderation.judge(numbers, "removed", "spam", "ida")
    assert len(await moderation.undo_step((await acts(store))[0], "ida")) == 1


async def test_only_a_published_comment_is_pinned_and_one_a_thread(store: Store) -> None:
    moderation = Moderation(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    assert (await moderation.pin(one, "ida")).position.thread == Thread("open", 0, pinned=one)
    assert (await moderation.pin(two, "ida")).position.thread.pinned == two
    assert not (await moderation.pin(two, "ida")).raised
    await moderation.judge([one], "removed", "spam", "ida")
    for no in (one, 999_999):
        with pytest.raises(NotFound):
            await moderation.pin(no, "ida")
    removal, second, first = await acts(store)
    assert await moderation.undo(first, "ida") is None, "another one was pinned since"
    undone = await moderation.undo(second, "ida")
    assert isinstance(undone, ThreadChanged)
    assert undone.position.thread == Thread("open"), "the one before is removed by now"
    await moderation.undo(removal, "ida")
    assert (await moderation.pin(one, "ida")).position.thread.pinned == one


async def test_the_desk_knows_who_of_the_newsroom_wrote_and_readers_do_not(store: Store) -> None:
    moderation, desk = Moderation(store.pool), Desk(store.pool)
    thread, op = await store.open("story"), uuid.uuid4()
    await moderation.sign(thread, op, "ida")
    await moderation.sign(thread, op, "ole")
    [outcome] = await store.post(draft(thread, "We asked", op)._replace(by="Afterword newsroom"))
    no = standing(outcome).no
    [note] = (await desk.notes([no])).values()
    assert note == (no, "Afterword newsroom", "ida", False, False, 0)
    [shown] = (await store.comments.newest(thread, 10)).comments
    assert (shown.by, "ida" in str(shown)) == ("Afterword newsroom", False)


async def test_others_are_from_the_same_address_as_long_as_it_is_known(store: Store) -> None:
    desk, moderation = Desk(store.pool), Moderation(store.pool)
    numbers = await from_here(store, "story", "One", "Two", "Three", "Four")
    thread = await store.open("other")
    [outcome] = await store.post(draft(thread)._replace(address=ELSEWHERE.address, network=ELSEWHERE.network))
    await store.pool.execute("UPDATE comments SET at = at - interval '61 minutes' WHERE no = $1", numbers[0])
    await moderation.judge([numbers[1]], "removed", "spam", None)
    notes = await desk.notes([*numbers, standing(outcome).no])
    assert [notes[no].others for no in sorted(notes)] == [3, 2, 2, 2, 0]
    assert all(note.known for note in notes.values())
    assert [card.no for card in await desk.others(numbers[3], 3)] == numbers[:0:-1]
    assert sorted(await desk.lately(numbers[0])) == numbers[2:]
    await store.pool.execute("UPDATE comments SET address = NULL, network = NULL")
    assert await desk.others(numbers[3], 10) == []
    assert await desk.lately(numbers[3]) == []
    assert not (await desk.notes(numbers))[numbers[3]].known


async def test_around_a_comment_are_those_beside_it_and_those_that_it_quotes(store: Store) -> None:
    desk = Desk(store.pool)
    [away] = await posted(store, "other", "Away")
    numbers = await posted(store, "story", *(f"No. {place}" for place in range(6)), f">>{away} and the first", "a", "b")
    middle = numbers[6]
    assert [card.no for card in await desk.around(middle)] == [away, *numbers[3:9]]
    assert [card.no for card in await desk.around(numbers[0])] == numbers[:4]
    assert [card.no for card in await desk.latest(Slug("story"), 2)] == numbers[-2:]
    with pytest.raises(NotFound):
        await desk.around(999_999)


async def test_the_record_has_bans_and_what_undoes_them(store: Store) -> None:
    desk, bans = Desk(store.pool), Bans(store.pool)
    [no] = await from_here(store, "story", "One")
    seen = await desk.version()
    ban = await bans.impose(no, "address", 7, "spam", "ida")
    assert ban is not None
    assert await desk.version() != seen
    [line] = await desk.record(10)
    assert (line.kind, line.ban, line.slug, line.comment, line.stands) == ("ban", ban.id, None, None, True)
    assert await desk.last("ida") == line
    await bans.lift(ban.id, "", "ole")
    assert [line.stands for line in await desk.record(10)] == [True, False]
    assert await desk.last("ida") is None


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
    await moderation.judge_thread(Slug("story"), Terms(state="closed"), "", "ida")
    await moderation.judge_thread(Slug("story"), Terms(state="open"), "", None)
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
    await moderation.judge_thread(Slug("story"), Terms(state="closed"), "", None)
    assert await changed()
    assert await desk.version() == seen[-1]
