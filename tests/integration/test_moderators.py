"""Moderators and their sessions in the real store: what ends one, and what no race brings back."""

import asyncio
import hashlib
import secrets

import pytest

from service.errors import NotFound
from service.store.moderators import Moderators, Signed
from tests.integration.test_store import Store, store

__all__ = ["store"]


def token() -> bytes:
    """What the store keeps of a cookie."""
    return hashlib.sha256(secrets.token_bytes(8)).digest()


async def signed_in(moderators: Moderators, known: str = "hash") -> bytes:
    mark = token()
    assert await moderators.begin("ida", known, mark)
    return mark


async def test_a_name_is_taken_once_and_the_list_tells_of_each(store: Store) -> None:
    moderators = Moderators(store.pool)
    assert await moderators.add("ole", "hash", "admin")
    assert await moderators.add("ida", "hash", "moderator")
    assert not await moderators.add("ida", "other", "admin")
    await signed_in(moderators)
    await signed_in(moderators)
    await moderators.disable("ole")
    ida, ole = await moderators.everybody()
    assert (ida.name, ida.role, ida.disabled, ida.sessions) == ("ida", "moderator", False, 2)
    assert ida.seen is not None
    assert (ole.name, ole.role, ole.disabled, ole.sessions, ole.seen) == ("ole", "admin", True, 0, None)
    for change in (moderators.disable("nobody"), moderators.change_password("nobody", "hash")):
        with pytest.raises(NotFound):
            await change


async def test_a_session_is_its_moderators_until_it_ends(store: Store) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "hash", "editor")
    one, other = await signed_in(moderators), await signed_in(moderators)
    assert await moderators.session(one) == Signed("ida", "editor")
    assert await moderators.session(token()) is None
    await moderators.end(one)
    assert await moderators.session(one) is None
    assert await moderators.session(other) == Signed("ida", "editor")
    await moderators.revoke("ida")
    assert await moderators.session(other) is None


@pytest.mark.parametrize(
    "passing",
    ["UPDATE sessions SET seen = now() - interval '12 hours'", "UPDATE sessions SET ends = now()"],
    ids=["unused", "old"],
)
async def test_a_session_ends_by_itself_and_goes_with_the_next_that_begins(store: Store, passing: str) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "hash", "editor")
    old = await signed_in(moderators)
    await store.pool.execute(passing)
    assert await moderators.session(old) is None
    assert [each.sessions for each in await moderators.everybody()] == [0]
    await signed_in(moderators)
    assert await store.pool.fetchval("SELECT count(*) FROM sessions") == 1


async def test_using_a_session_keeps_it(store: Store) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "hash", "editor")
    mark = await signed_in(moderators)
    await store.pool.execute("UPDATE sessions SET seen = now() - interval '11 hours 59 minutes'")
    assert await moderators.session(mark)
    assert await store.pool.fetchval("SELECT now() - seen < interval '1 minute' FROM sessions")


async def test_nobody_begins_a_session_who_is_disabled_or_has_another_password(store: Store) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "hash", "moderator")
    mark = await signed_in(moderators)
    await moderators.change_password("ida", "new")
    assert await moderators.session(mark) is None
    assert not await moderators.begin("ida", "hash", token())
    mark = await signed_in(moderators, "new")
    await moderators.disable("ida")
    assert await moderators.known("ida") is None
    assert not await moderators.begin("ida", "new", token())
    await moderators.disable("ida", disabled=False)
    assert await moderators.known("ida") == "new"
    assert await moderators.session(mark) is None


async def test_no_session_of_an_old_password_outlives_its_change(store: Store) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "0", "moderator")
    marks = [token() for _ in range(40)]
    for number in range(10):
        mine = marks[number * 4 : number * 4 + 4]
        await asyncio.gather(
            *(moderators.begin("ida", str(number), mark) for mark in mine),
            moderators.change_password("ida", str(number + 1)),
        )
        assert [await moderators.session(mark) for mark in mine] == [None] * 4


async def test_a_dump_holds_no_token(store: Store) -> None:
    moderators = Moderators(store.pool)
    await moderators.add("ida", "hash", "moderator")
    secret = secrets.token_urlsafe(32)
    await moderators.begin("ida", "hash", hashlib.sha256(secret.encode()).digest())
    kept = await store.pool.fetchval("SELECT string_agg(s::text, '') FROM sessions s")
    assert secret not in kept
    assert secret.encode().hex() not in kept
