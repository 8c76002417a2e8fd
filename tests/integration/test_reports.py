"""Reports and appeals in the real store: counted once, enough of them hold, and what moderators do settles them."""

import asyncio
import datetime
import uuid

import pytest

from service.errors import NotFound
from service.protocol import Slug
from service.store.comments import Changed
from service.store.desk import Desk
from service.store.moderation import Moderation
from service.store.reports import Reason, Report, Reports
from tests.integration.test_desk_store import acts
from tests.integration.test_moderation import posted
from tests.integration.test_retention import sweep
from tests.integration.test_store import Store, draft, standing, store

__all__ = ["store"]

ENOUGH = 3


async def report(
    store: Store, no: int, who: int, reason: Reason = "spam", note: str | None = None, enough: int = ENOUGH
) -> Changed | None:
    """Somebody reports a comment, or appeals."""
    return (await Reports(store.pool).file(Report(no, bytes([who] * 16), reason, note), enough)).held


async def times(store: Store, no: int) -> dict[str, int]:
    """What is open on a comment, by reason."""
    return {each.reason: each.times for each in (await Reports(store.pool).open([no])).get(no, [])}


async def state(store: Store, no: int) -> str:
    found: str = await store.value("SELECT state FROM comments WHERE no = $1", no)
    return found


async def test_an_address_counts_once_however_often_it_reports(store: Store) -> None:
    [no] = await posted(store, "story", "One")
    reasons: list[Reason] = ["spam", "abuse", "illegal", "spam"]
    for reason in reasons:
        assert await report(store, no, 1, reason) is None
    assert await times(store, no) == {"spam": 1}
    assert await state(store, no) == "published"


async def test_a_report_that_changes_nothing_waits_for_no_thread_and_holds_none_up(store: Store) -> None:
    [no] = await posted(store, "story", "One")
    await report(store, no, 1)
    async with store.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM threads FOR UPDATE")
        for _ in range(3):
            assert await report(store, no, 1) is None
            assert await report(store, no, 2, "appeal", "It is not removed") is None
    assert await times(store, no) == {"spam": 1}


async def test_as_many_addresses_hold_a_comment_for_every_reader_and_it_stands_in_the_record(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    assert await report(store, no, 1) is None
    assert await report(store, no, 2, "abuse", "Look") is None
    held = await report(store, no, 3)
    assert held is not None
    assert held.change is not None
    assert (held.change.no, held.change.gone, held.change.version, held.position.count) == (no, "held", 2, 0)
    [act] = await moderation.acts(10)
    assert (act.moderator, act.kind, act.reason, act.was) == (None, "hold", "3 reports", "published")
    assert await report(store, no, 4, "illegal") is None
    assert await times(store, no) == {"spam": 2, "abuse": 1, "illegal": 1}


async def test_at_nought_nothing_is_held(store: Store) -> None:
    [no] = await posted(store, "story", "One")
    for who in range(1, 9):
        assert await report(store, no, who, enough=0) is None
    assert await state(store, no) == "published"


async def test_many_at_once_hold_it_once(store: Store) -> None:
    [no] = await posted(store, "story", "One")
    held = await asyncio.gather(*(report(store, no, who) for who in range(1, 11)))
    assert len([each for each in held if each]) == 1
    assert await times(store, no) == {"spam": 10}


async def test_what_a_moderator_published_is_not_held_again_by_the_old_reports(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    for who in (1, 2, 3):
        await report(store, no, who)
    await moderation.judge([no], "published", "", "ida")
    assert await times(store, no) == {}
    for who in (1, 2, 3, 4, 5):
        assert await report(store, no, who) is None
    assert await times(store, no) == {"spam": 2}
    assert await report(store, no, 6) is not None


async def test_only_what_readers_see_is_reported_and_only_what_is_removed_appealed_against(store: Store) -> None:
    moderation = Moderation(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    held = standing((await store.post(draft(await store.open("held", "held"), "Waits")))[0]).no
    for no in (held, 999_999):
        with pytest.raises(NotFound):
            await report(store, no, 1)
    await moderation.judge([one], "removed", "spam")
    await report(store, one, 1)
    await report(store, two, 1, "appeal", "Please")
    assert await Reports(store.pool).open([one, two]) == {}
    await report(store, one, 1, "appeal", "Please")
    await report(store, one, 1, "appeal", "Please!")
    await report(store, one, 2, "appeal", "I beg you")
    [appeals] = (await Reports(store.pool).open([one]))[one]
    assert (appeals.reason, appeals.times, appeals.notes) == ("appeal", 2, ["I beg you", "Please"])


async def test_judging_settles_what_is_open_and_undoing_that_opens_it_again(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await report(store, no, 1)
    await report(store, no, 2, "abuse")
    was = {"spam": 1, "abuse": 1}
    await moderation.judge([no], "held", "", "ida")
    assert await times(store, no) == was, "who holds it has not judged it yet"
    await moderation.judge([no], "removed", "spam", "ida")
    assert await times(store, no) == {}
    await moderation.undo((await acts(store))[0], "ida")
    assert await times(store, no) == was
    await moderation.undo((await acts(store))[0], "ida")
    assert (await state(store, no), await times(store, no)) == ("removed", {})


async def test_what_was_dismissed_in_one_step_is_undone_in_one(store: Store) -> None:
    moderation, reports, desk = Moderation(store.pool), Reports(store.pool), Desk(store.pool)
    numbers = await posted(store, "story", "One", "Two", "Three")
    for no in numbers:
        await report(store, no, 1)
    await reports.dismiss(numbers, "published", "", "ida")
    await report(store, numbers[0], 2, "abuse")
    await reports.dismiss(numbers[:1], "published", "", "ole")
    last = await desk.last("ida")
    assert last is not None
    assert last.together == 3
    assert [each.no for each in await moderation.undo_step(last.id, "ida")] == numbers[1:]
    assert [await times(store, no) for no in numbers] == [{}, {"spam": 1}, {"spam": 1}]
    assert len(await moderation.undo_step((await acts(store))[0], "ole")) == 2
    assert [await times(store, no) for no in numbers] == [{}, {}, {}]


async def test_dismissing_leaves_the_comment_and_is_undone_likewise(store: Store) -> None:
    moderation, reports = Moderation(store.pool), Reports(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    await report(store, one, 1)
    version = await store.value("SELECT version FROM threads")
    assert await reports.dismiss([one, two], "removed", "", "ida") == []
    assert await reports.dismiss([one, two], "published", "", "ida") == [one]
    assert await times(store, one) == {}
    undone = await moderation.undo((await acts(store))[0], "ida")
    assert isinstance(undone, Changed)
    assert undone.change is None
    assert await times(store, one) == {"spam": 1}
    assert await moderation.undo((await acts(store))[0], "ida")
    assert await times(store, one) == {}
    assert [act.kind for act in await moderation.acts(10)] == ["dismiss", "reopen", "dismiss"]
    assert await store.value("SELECT version FROM threads") == version, "readers see nothing of it"


async def test_restoring_settles_an_appeal_and_removing_again_by_undo_opens_it(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await report(store, no, 1)
    await moderation.judge([no], "removed", "spam", "ida")
    removal = (await acts(store))[0]
    await report(store, no, 2, "appeal", "Please")
    await moderation.judge([no], "published", "", "ole")
    assert await times(store, no) == {}
    await moderation.undo((await acts(store))[0], "ole")
    assert await times(store, no) == {"appeal": 1}
    assert await moderation.undo(removal, "ida") is None
    await Reports(store.pool).dismiss([no], "removed", "spam", "ida")
    assert await times(store, no) == {}
    await report(store, no, 2, "appeal", "Once more")
    assert await times(store, no) == {"appeal": 1}, "another one, since the first was answered"


async def test_undoing_a_removal_answers_its_appeal_and_leaves_the_reports(store: Store) -> None:
    moderation = Moderation(store.pool)
    [no] = await posted(store, "story", "One")
    await report(store, no, 1)
    await moderation.judge([no], "removed", "spam", "ida")
    await report(store, no, 2, "appeal", "Please")
    await moderation.undo((await acts(store))[0], "ida")
    assert await times(store, no) == {"spam": 1}


async def test_what_was_said_about_a_text_goes_with_it(store: Store) -> None:
    thread, op = await store.open("story"), uuid.uuid4()
    no = standing((await store.post(draft(thread, "Mine", op)))[0]).no
    await report(store, no, 1, "illegal", "It says: Mine")
    await store.comments.retract(thread, no, op)
    [about] = (await Reports(store.pool).evidence(no)).reports
    assert (about.reason, about.note, about.open) == ("illegal", None, False)
    assert await times(store, no) == {}
    assert await Desk(store.pool).queue(10) == []


async def test_the_sweep_erases_who_reported_and_what_settled_reports_say(store: Store) -> None:
    moderation = Moderation(store.pool)
    old, waits, young = await posted(store, "story", "Old", "Waits", "Young")
    for no in (old, waits, young):
        await report(store, no, 1, "other", "Look")
    await moderation.judge([old, young], "held", "")
    await moderation.judge([old, young], "published", "")
    past = datetime.timedelta(days=31)
    await store.pool.execute("UPDATE reports SET at = at - $1::interval WHERE comment = ANY ($2)", past, [old, waits])
    assert await sweep(store) == 2
    rows = await store.pool.fetch("SELECT reporter IS NULL, note FROM reports ORDER BY comment")
    assert [tuple(row) for row in rows] == [(True, None), (True, "Look"), (False, "Look")]
    assert await sweep(store) == 0


async def test_the_desk_shows_what_is_reported_and_notices_it(store: Store) -> None:
    desk = Desk(store.pool)
    one, two, three = await posted(store, "story", "One", "Two", "Three")
    versions = {await desk.version()}
    await report(store, two, 1)
    versions.add(await desk.version())
    await Moderation(store.pool).judge([three], "removed", "spam")
    versions.add(await desk.version())
    await report(store, three, 1, "appeal", "Please")
    versions.add(await desk.version())
    assert len(versions) == 4
    assert [card.no for card in await desk.queue(10)] == [two, three]
    await Moderation(store.pool).judge([one], "held", "")
    await report(store, one, 1)
    assert [card.no for card in await desk.queue(10)] == [one, two, three]
    assert await desk.waiting() == 3


async def test_evidence_holds_all_there_is_and_no_hash(store: Store) -> None:
    reports = Reports(store.pool)
    [no] = await posted(store, "story", "Bad")
    await report(store, no, 1, "illegal", "See § 130")
    await Moderation(store.pool).judge([no], "removed", "unlawful", "ida")
    await report(store, no, 2, "appeal", "It is not")
    found = await reports.evidence(no)
    assert (found.no, found.article, found.state, found.text) == (no, "story", "removed", "Bad")
    assert [(each.reason, each.note, each.open) for each in found.reports] == [("illegal", "See § 130", False)]
    assert found.reports[0].settled == found.acts[0].id
    assert [(each.note, each.open) for each in found.appeals] == [("It is not", True)]
    assert [(each.moderator, each.kind, each.reason) for each in found.acts] == [("ida", "remove", "unlawful")]
    with pytest.raises(NotFound):
        await reports.evidence(999_999)


async def test_what_was_done_is_counted_by_day_and_reason_and_free_words_are_not_told(store: Store) -> None:
    moderation = Moderation(store.pool)
    numbers = await posted(store, "story", "A", "B", "C")
    await posted(store, "other", "D")
    await moderation.judge(numbers[:2], "removed", "spam", "ida")
    await moderation.judge(numbers[2:], "removed", "It was Ole Lund", "ida")
    await moderation.undo((await acts(store))[0], "ida")
    done = await Reports(store.pool).done(Slug("story"), "Europe/Berlin", ["spam"], 100)
    assert {(line.kind, line.reason, line.times) for line in done} == {
        ("remove", "spam", 2),
        ("remove", "", 1),
        ("restore", "undo", 1),
    }
    assert await Reports(store.pool).done(Slug("other"), "UTC", ["spam"], 100) == []


async def test_the_latest_reports_are_listed_and_settled_ones_where_asked(store: Store) -> None:
    reports = Reports(store.pool)
    one, two = await posted(store, "story", "One", "Two")
    await report(store, one, 1, "abuse")
    await report(store, two, 1, "other", "Look")
    await reports.dismiss([one], None, "")
    assert [line.comment for line in await reports.latest(10, settled=False)] == [two]
    assert [(line.comment, line.open) for line in await reports.latest(10, settled=True)] == [(two, True), (one, False)]
