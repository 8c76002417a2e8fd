"""Posts as Redis judges them: all or nothing, exact, shared by all workers; and by the same rules while it is away."""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.errors import Alike, Duplicate, Refusal, TooFast
from service.guard import posts as guard
from service.guard.posts import LASTING_SECONDS, OTHERS, OWN, Burst, Post, Posts, Rates
from service.keyring import Keyring
from service.protocol import ThreadId
from tests.site import eventually

RING = Keyring("a secret for tests only")
AWAY = "unix:///nowhere/at/all.sock"
DEFAULT = Rates.of(6, None, None)
FREE = Rates.of(1_000_000, 0, 0)
LONG = " ".join(f"word{number}" for number in range(40))


class Town:
    """A site with one worker, or more. `says` posts for somebody: what it answers, or None."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.site = secrets.token_hex(6)

    def worker(self, rates: Rates = DEFAULT) -> "Worker":
        """One more worker."""
        return Worker(Posts(self.redis, self.site, rates))

    async def kept(self) -> dict[str, int]:
        """The keys of the site, with how many ms each lasts."""
        keys = [key async for key in self.redis.scan_iter(f"afterword:{{{self.site}}}:*")]
        return {key.decode("latin-1"): await self.redis.pttl(key) for key in keys}


class Worker:
    """A worker, as far as posts go."""

    def __init__(self, posts: Posts) -> None:
        self.posts = posts

    async def says(self, text: str | None = None, by: str = "v", **given: Any) -> Refusal | None:
        """Post once."""
        [answer] = await self.says_all([text or secrets.token_hex(8)], by, **given)
        return answer

    async def says_all(
        self, texts: list[str], by: str = "v", *, at: int = 1, slow: int = 0, cost: int = 1, op: uuid.UUID | None = None
    ) -> list[Refusal | None]:
        """Post in one burst."""
        made = [Post(op or uuid.uuid4(), cost, RING.likeness(text, ThreadId(at), by)) for text in texts]
        [answers] = await self.posts.judge([Burst(by, at, slow, made)])
        return answers

    async def waits(self, *args: Any, **given: Any) -> float:
        """Post, too fast: how long to wait, or 0."""
        answer = await self.says(*args, **given)
        if answer is None:
            return 0
        assert isinstance(answer, TooFast)
        assert answer.retry_after
        return answer.retry_after


@pytest_asyncio.fixture(params=["redis", "away"])
async def town(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Town]:
    """With Redis, and without: then of one worker, which counts alone."""
    async with Redis.from_url(redis_url if request.param == "redis" else AWAY, retry=Retry(NoBackoff(), 0)) as redis:
        yield Town(redis)


@pytest_asyncio.fixture
async def shared(redis_url: str) -> AsyncIterator[Town]:
    """With Redis."""
    async with Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as redis:
        yield Town(redis)


def codes(answers: list[Refusal | None]) -> list[str]:
    """What was answered, in short."""
    return [answer.code if answer else "" for answer in answers]


@pytest.mark.parametrize("per_minute", [1, 6, 7, 11, 60])
async def test_a_burst_passes_whole_and_then_the_wait_is_exact(town: Town, per_minute: int) -> None:
    worker, begun = town.worker(Rates.of(per_minute, None, None)), time.monotonic()
    assert [await worker.says() for _ in range(per_minute)] == [None] * per_minute
    told, passed = await worker.waits(), time.monotonic() - begun
    assert 60 / per_minute - passed - 0.002 <= told <= 60 / per_minute + 0.002


async def test_six_in_one_burst_pass_and_the_seventh_waits(town: Town) -> None:
    answers = await town.worker().says_all([f"message {number}" for number in range(8)])
    assert codes(answers) == [""] * 6 + ["too-fast"] * 2
    assert all(answer is None or 9.9 < (answer.retry_after or 0) <= 10 for answer in answers)


async def test_a_thread_and_the_site_have_limits_of_their_own(town: Town) -> None:
    worker = town.worker(Rates(6, 2, 3))
    assert [await worker.says(by="a"), await worker.says(by="b")] == [None, None]
    assert 29 < await worker.waits(by="c") <= 30
    assert await worker.says(by="c", at=2) is None
    assert 19 < await worker.waits(by="d", at=3) <= 20
    assert 29 < await worker.waits(by="d") <= 30, "the longest of those that apply"


async def test_what_one_limit_refuses_costs_nothing_at_the_others(town: Town) -> None:
    worker = town.worker(Rates(3, 4, 0))
    assert codes([await worker.says(by="a") for _ in range(9)]) == [""] * 3 + ["too-fast"] * 6
    assert await worker.says(by="b") is None, "the thread has one left"
    assert codes([await worker.says(by="b") for _ in range(9)]) == ["too-fast"] * 9
    assert [await worker.says(by="b", at=2) for _ in range(2)] == [None, None], "and the address two"
    assert 19 < await worker.waits(by="b", at=2) <= 20


async def test_what_costs_more_uses_up_more_and_at_most_a_burst(town: Town) -> None:
    worker = town.worker()
    assert [await worker.says(cost=4), await worker.says(cost=2)] == [None, None]
    assert 9 < await worker.waits() <= 10
    assert 39 < await worker.waits(cost=4) <= 40
    poor = town.worker(Rates(2, 0, 0))
    assert await poor.says(by="w", cost=4) is None
    assert 29 < await poor.waits(by="w") <= 30


async def test_an_act_let_through_costs_nothing_again_and_is_not_its_own_duplicate(town: Town) -> None:
    worker, op = town.worker(Rates(1, 0, 0)), uuid.uuid4()
    assert [await worker.says(LONG, op=op) for _ in range(5)] == [None] * 5
    assert await worker.says_all([LONG, LONG], op=op) == [None, None]
    assert await worker.waits() > 0
    assert await worker.says(LONG, op=op) is None


async def test_a_refused_act_leaves_nothing_behind(town: Town) -> None:
    worker, op = town.worker(Rates(1, 0, 0)), uuid.uuid4()
    assert await worker.says(by="v") is None
    for _ in range(3):
        assert 0 < await worker.waits(LONG, by="v", op=op) <= 60
    assert await worker.says(LONG, by="w") is None


async def test_the_same_again_by_the_same_in_the_same_thread_is_refused(town: Town) -> None:
    worker = town.worker()
    assert await worker.says("Hello") is None
    for said in ("Hello", "hello!", "  HELLO\n"):
        assert type(await worker.says(said)) is Duplicate
    assert await worker.says("Hello", at=2) is None
    assert await worker.says("Hello", by="w") is None
    assert await worker.says("Hello there") is None
    assert codes(await worker.says_all(["Twice", "Twice"])) == ["", "duplicate"]


async def test_numbered_messages_pass(town: Town) -> None:
    worker = town.worker(FREE)
    for by in ("v", "w"):
        assert await worker.says_all([f"message {number}" for number in range(200)], by) == [None] * 200


async def test_nearly_the_same_is_refused_of_anybody_here_and_of_the_same_anywhere(town: Town) -> None:
    worker = town.worker()
    assert await worker.says(LONG) is None
    near = LONG.replace("word17", "changed")
    for given in ({"by": "w"}, {"at": 2}, {}):
        assert type(await worker.says(near, **given)) is Alike
    assert type(await worker.says(LONG, by="w")) is Alike
    assert await worker.says(LONG, by="w", at=2) is None


async def test_as_many_texts_as_were_last_said_are_compared(town: Town) -> None:
    worker = town.worker(FREE)

    def text(number: int) -> str:
        return " ".join(f"{number}x{each}" for each in range(20))

    assert await worker.says_all([text(number) for number in range(OTHERS + 1)]) == [None] * (OTHERS + 1)
    assert codes([await worker.says(text(1), by="w"), await worker.says(text(0), by="w")]) == ["duplicate", ""]
    last = OTHERS - OWN + 1
    assert codes([await worker.says(text(last), at=2), await worker.says(text(last - 1), at=2)]) == ["duplicate", ""]


async def test_what_was_retracted_is_not_compared(town: Town) -> None:
    worker, op = town.worker(), uuid.uuid4()
    assert await worker.says(LONG, op=op) is None
    assert type(await worker.says(LONG)) is Duplicate
    await worker.posts.forget(op)
    assert await worker.says(LONG.replace("word3 ", "edited ")) is None
    assert type(await worker.says(LONG)) is Alike


async def test_in_a_slow_thread_an_address_writes_once_in_its_seconds(town: Town) -> None:
    worker = town.worker()
    assert codes(await worker.says_all(["One", "Two"], slow=30)) == ["", "too-fast"]
    assert 29 < await worker.waits(slow=30) <= 30
    assert [await worker.says(slow=30, by="w"), await worker.says(slow=30, at=2)] == [None, None]
    assert await worker.says() is None, "slow no more"


async def test_without_limits_only_slow_is_left(town: Town) -> None:
    worker = town.worker(Rates.of(0, 5, 5))
    assert worker.posts.off
    assert await worker.says_all([LONG] * 20) == [None] * 20
    assert codes(await worker.says_all([LONG] * 3, slow=60)) == ["", "too-fast", "too-fast"]


async def test_who_waited_as_long_as_told_may_write(town: Town) -> None:
    worker = town.worker(Rates(1200, 0, 0))
    for _ in range(10_000):
        if told := await worker.waits():
            assert told <= 0.051
            await asyncio.sleep(told)
            assert await worker.says() is None
            return
    pytest.fail("never refused")


async def test_workers_share_everything_and_sites_nothing(shared: Town) -> None:
    one, two, stranger = shared.worker(Rates(3, 0, 0)), shared.worker(Rates(3, 0, 0)), Town(shared.redis).worker()
    op = uuid.uuid4()
    assert [await one.says(LONG, op=op), await two.says(LONG, op=op), await stranger.says(LONG)] == [None] * 3
    assert type(await two.says(LONG, by="w")) is Alike
    await two.posts.forget(op)
    assert [await one.says(LONG), await two.says(slow=60)] == [None, None]
    assert 59 < await one.waits(slow=60) <= 60


async def test_bursts_are_judged_together_in_their_order(town: Town) -> None:
    worker = town.worker(Rates(3, 4, 0))

    def burst(by: str, *texts: str, at: int = 1) -> Burst:
        return Burst(by, at, 0, [Post(uuid.uuid4(), 1, RING.likeness(text, ThreadId(at), by)) for text in texts])

    answers = await worker.posts.judge([burst("a", "1", "2", "3", "4"), burst("b", LONG, "2"), burst("a", "5", at=2)])
    assert [codes(each) for each in answers] == [["", "", "", "too-fast"], ["", "too-fast"], ["too-fast"]]


async def test_posts_at_once_get_exactly_the_burst(shared: Town) -> None:
    worker = shared.worker()
    answers = await asyncio.gather(*(worker.says() for _ in range(30)))
    assert codes(list(answers)).count("") == 6


async def test_nothing_is_kept_for_longer_than_it_matters_and_nothing_can_be_read(shared: Town) -> None:
    await shared.worker().says(LONG, slow=60)
    await shared.worker().says("Short")
    kept = await shared.kept()
    assert len(kept) >= 11  # the site's rate is over within milliseconds
    for key, lasting in kept.items():
        assert lasting == -2 or 0 < lasting <= LASTING_SECONDS * 1000, key
        assert "word1" not in key


async def test_of_a_text_too_long_ago_nothing_is_kept(shared: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LASTING_SECONDS", 1)
    worker = shared.worker(FREE)
    assert await worker.says(LONG) is None

    async def forgotten() -> bool:
        return await worker.says(LONG) is None

    await eventually(forgotten)
    await worker.says(" ".join(f"new{number}" for number in range(20)))
    monkeypatch.undo()
    scope = f"afterword:{{{shared.site}}}:posts:acts:in:1"
    assert await shared.redis.llen(scope) <= 2


async def test_nobody_waits_longer_where_the_clock_was_set_back(shared: Town) -> None:
    worker = shared.worker(Rates(600, 0, 0))
    await worker.says(slow=1)
    prefix = f"afterword:{{{shared.site}}}:posts"
    ahead = (time.time() + 3600) * 1000
    await shared.redis.set(f"{prefix}:rate:of:v", ahead)
    await shared.redis.set(f"{prefix}:slow:v:1", ahead)
    assert 0 < await worker.waits() <= 0.1
    assert 0 < await worker.waits(slow=1) <= 1


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ((6, None, None), (6, 600, 6000)),
        ((6, 0, 0), (6, 0, 0)),
        ((6, 5, 7), (6, 5, 7)),
        ((0, 5, 7), (0, 0, 0)),
        ((0, None, None), (0, 0, 0)),
    ],
)
def test_rates_are_what_is_set_and_follow_the_addresss(
    given: tuple[int, int | None, int | None], rates: tuple[int, ...]
) -> None:
    assert Rates.of(*given) == rates
