"""Passwords: kept as argon2id, compared in the same time whoever asks, a few at once."""

import asyncio
import time

import pytest
from argon2 import extract_parameters

from service.errors import TooMany
from service.guard.passwords import NOBODY, WAITING, Passwords


async def test_a_password_matches_its_own_hash_only() -> None:
    passwords = Passwords()
    one, again = [await passwords.hash("Grüße aus dem Norden") for _ in range(2)]
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != again
    assert await passwords.match(one, "Grüße aus dem Norden")
    assert await passwords.match(one, "Gru\u0308ße aus dem Norden"), "as another keyboard writes it"
    for wrong in ("grüße aus dem norden", "", "\ud800", "x" * 60_000):
        assert not await passwords.match(one, wrong)
    assert not await passwords.match("no hash at all", "Grüße aus dem Norden")


async def test_where_there_is_no_such_name_the_same_work_is_done() -> None:
    passwords = Passwords()
    known = await passwords.hash("a long enough password")
    assert extract_parameters(NOBODY) == extract_parameters(known)

    async def work(hashed: str | None) -> float:
        begun = time.process_time()
        assert not await passwords.match(hashed, "guess")
        return time.process_time() - begun

    times = {hashed: min([await work(hashed) for _ in range(3)]) for hashed in (known, None)}
    assert 0.5 < times[known] / times[None] < 2


async def test_only_so_many_wait_for_their_turn() -> None:
    passwords = Passwords()
    asked = [asyncio.create_task(passwords.match(None, "guess")) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await passwords.match(None, "guess")
    for task in asked:
        task.cancel()
    await asyncio.wait(asked)
    assert not await passwords.match(None, "guess")
