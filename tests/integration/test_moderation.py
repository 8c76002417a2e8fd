"""What moderators do, in the real store: what readers see of it, and the record that nobody can change."""

import uuid

import asyncpg
import pytest

from service.errors import NotFound
from service.protocol import Slug, Thread
from service.store.comments import Position
from service.store.moderation import Moderation, Terms
from tests.integration.test_store import Store, draft, standing, store

__all__ = ["store"]


async def posted(store: Store, slug: str, *texts: str) -> list[int]:
    """Comments in a new thread; their numbers."""
    thread = await store.open(slug)
    return [standing(outcome).no for outcome in await store.post(*(draft(thread, text) for text in texts))]


async def at(store: Store, thread: int) -> Position:
    return (await store.comments.since(thread, 0, 1)).position  # type: ignore[arg-type]


async def test_what_is_removed_is_a_change_without_its_text_and_comes_back_whole(store: Store) -> None:
    moderation = Moderation(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    [removed] = await moderation.judge([one], "removed", "spam", "ida")
    assert removed.change is not None
    assert (removed.change.gone, removed.change.version, removed.position.count) == ("removed", 3, 1)
    window = await store.comments.newest(removed.thread, 10)
    assert [comment.gone for comment in window.comments if comment.no == one] == ["removed"]
    assert window.version == 3
    [restored] = await moderation.judge([one, two], "published", "a mistake", "ida")
    assert restored.change is not None
    assert (restored.no, restored.change.html, restored.position.count) == (one, "<p>One</p>", 2)
    assert restored.position == await at(store, restored.thread)


async def test_a_held_comment_is_published_under_its_number_and_never_before(store: Store) -> None:
    moderation = Moderation(store.pool)
    thread = await store.open("story", "held")
    waiting, spam = [standing(each).no for each in await store.post(draft(thread, "Waits"), draft(thread, "Spam"))]
    assert [held.no for held in await moderation.held(10)] == [waiting, spam]
    [unseen] = await moderation.judge([spam], "removed", "spam")
    assert unseen.change is None
    assert unseen.position.version == 0
    [seen] = await moderation.judge([waiting], "published", "")
    assert seen.change is not None
    assert (seen.change.no, seen.change.version, seen.change.html) == (waiting, 1, "<p>Waits</p>")
    assert await moderation.held(10) == []


async def test_many_are_judged_at_once_and_each_thread_counts_its_own(store: Store) -> None:
    moderation = Moderation(store.pool)
    here, there = await posted(store, "here", "A", "B", "C"), await posted(store, "there", "D")
    changed = await moderation.judge([*there, *here, 999_999], "removed", "a flood")
    assert [each.no for each in changed] == sorted(here + there)
    assert [each.position.version for each in changed] == [4, 5, 6, 2]
    assert {each.position.count for each in changed[2:]} == {0}
    assert await moderation.judge(here, "removed", "again") == []


async def test_a_retracted_comment_stays_retracted(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    [outcome] = await store.post(draft(thread, "Mine", op))
    no = standing(outcome).no
    await store.comments.retract(thread, no, op)
    for verdict in ("published", "held", "removed"):
        assert await Moderation(store.pool).judge([no], verdict, "") == []


async def test_a_thread_is_closed_and_opened_for_all_to_see(store: Store) -> None:
    moderation = Moderation(store.pool)
    thread = await store.open("story")
    closed = await moderation.judge_thread(Slug("story"), Terms(state="closed"), "late", "ida")
    assert closed.raised
    assert closed.position.thread == Thread("closed")
    position = await at(store, thread)
    assert (position.version, position.state_version, position.thread) == (1, 1, Thread("closed"))
    [refused] = await store.post(draft(thread, "Too late"))
    assert refused.standing is None
    assert not (await moderation.judge_thread(Slug("story"), Terms(state="closed"), "again")).raised
    opened = await moderation.judge_thread(Slug("story"), Terms(state="open", slow=30), "")
    assert opened.position.thread == Thread("open", 30)
    with pytest.raises(NotFound):
        await moderation.judge_thread(Slug("nowhere"), Terms(state="open"), "")


async def test_the_record_tells_every_act_and_cannot_be_changed(store: Store, owner_url: str) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await posted(store, "other", "Two")
    await moderation.judge([no], "held", "to be read", "ida")
    await moderation.judge([no], "removed", "spam", "ida")
    await moderation.judge([no], "published", "no spam", "ole")
    await moderation.judge_thread(Slug("story"), Terms(state="closed", slow=10), "late")
    acts = await moderation.acts(10, Slug("story"))
    assert [(act.moderator, act.kind, act.comment, act.was, act.reason) for act in reversed(acts)] == [
        ("ida", "hold", no, "published", "to be read"),
        ("ida", "remove", no, "held", "spam"),
        ("ole", "restore", no, "removed", "no spam"),
        (None, "close", None, "open", "late"),
        (None, "slow", None, "0", "late"),
    ]
    assert await moderation.acts(10, Slug("other")) == []
    owner = await asyncpg.connect(owner_url)
    for statement in ("UPDATE acts SET reason = ''", "DELETE FROM acts", "TRUNCATE acts"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(statement)
    await owner.close()
    assert await moderation.acts(10) == acts


async def test_what_a_guard_holds_waits_with_its_reason_beside_what_is_published(store: Store) -> None:
    thread = await store.open("story")
    drafts = [draft(thread, "One"), draft(thread, "Two")._replace(held="links"), draft(thread, "Three")]
    outcomes = await store.post(*drafts)
    assert [standing(outcome).state for outcome in outcomes] == ["published", "held", "published"]
    assert [standing(outcome).version for outcome in outcomes] == [1, None, 2]
    assert await store.pool.fetchval("SELECT reason FROM comments WHERE state = 'held'") == "links"
    assert (await at(store, thread)).version == 2


async def test_what_the_newsroom_writes_carries_its_name_and_waits_for_nobody(store: Store) -> None:
    moderation = Moderation(store.pool)
    thread = await store.open("story")
    await moderation.judge_thread(Slug("story"), Terms(state="held"), "")
    [outcome, waiting] = await store.post(draft(thread, "Ours")._replace(by="The desk"), draft(thread, "Theirs"))
    assert outcome.published
    assert outcome.published.by == "The desk"
    assert standing(waiting).state == "held"
    no = standing(outcome).no
    await moderation.judge([no], "removed", "")
    [restored] = await moderation.judge([no], "published", "")
    assert restored.change
    assert restored.change.by == "The desk"
    assert (await store.comments.newest(thread, 1)).comments[0].by == "The desk"


async def test_a_comment_is_pinned_while_it_can_be_read_and_each_side_of_a_thread_is_undone_apart(store: Store) -> None:
    moderation = Moderation(store.pool)
    thread = await store.open("story")
    [no] = await posted(store, "story", "Read this first")
    await moderation.judge_thread(Slug("story"), Terms(pinned=no), "", "ida")
    await moderation.judge_thread(Slug("story"), Terms(surge=True), "12 a second")
    assert (await at(store, thread)).thread == Thread("open", slow=30, surge=True, pinned=no)
    pin = next(act for act in await moderation.acts(10) if act.kind == "pin")
    assert await moderation.undo(pin.id, "ole")
    assert (await at(store, thread)).thread == Thread("open", slow=30, surge=True)
    assert not (await moderation.judge_thread(Slug("story"), Terms(pinned=no + 1), "")).raised
    assert [act.kind for act in await moderation.acts(10)] == ["unpin", "surge", "pin"]
