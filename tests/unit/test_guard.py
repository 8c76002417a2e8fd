"""The guard: which address is counted, which origin may post, and the limits while Redis is away."""

import asyncio
import logging
import uuid
from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service.errors import ForeignOrigin
from service.guard import limits, origin, visitors
from service.guard.limits import Limits
from service.keyring import Keyring, Visitor
from service.settings import Network, Settings

PROXIES: list[Network] = [ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.1")]


class Peer:
    """The other end of a connection."""

    def __init__(self, peername: object) -> None:
        self.peername = peername

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Answer what aiohttp asks for."""
        return self.peername if name == "peername" else default


def address(peer: str | None, *forwarded: str, proxies: list[Network] = PROXIES) -> str:
    headers = CIMultiDict(("X-Forwarded-For", line) for line in forwarded)
    request = make_mocked_request("POST", "/", headers, transport=Peer((peer, 1) if peer is not None else ""))
    return visitors.address(request, proxies)


@pytest.fixture(autouse=True)
def _not_warned() -> None:
    visitors._warned.clear()


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        # No proxy in front.
        ("192.0.2.7", [], "192.0.2.7"),
        ("::ffff:192.0.2.7", [], "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", [], "2001:db8:1:3::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        # Whoever is no proxy of ours can't speak for another.
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("2001:db8::1", ["198.51.100.1, 10.0.0.1"], "2001:db8::/64"),
        # A proxy of ours tells who asked it; what stands further left was the visitor's own claim.
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.9.9.9, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1,192.0.2.7,10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7", "10.0.0.2, fd00::2"], "192.0.2.7"),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("fd00::1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("fd00::1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::/64"),
        # Only proxies: the farthest of them.
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        # Ports and brackets.
        ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("10.0.0.1", ["[2001:db8:1:2::9]"], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["[2001:db8:1:2::9]:4711"], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["192.0.2.7, [fd00::2]:80, 10.0.0.4:81"], "192.0.2.7"),
        # Garbage ends the walk at the last hop that can be believed.
        ("10.0.0.1", ["garbage"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["192.0.2.256"], "10.0.0.1"),
        ("10.0.0.1", ["[::1"], "10.0.0.1"),
        ("10.0.0.1", ["[x]:80"], "10.0.0.1"),
        ("10.0.0.1", ["<script>"], "10.0.0.1"),
        ("10.0.0.1", ["fe80::1%eth0"], "fe80::/64"),
        # A Unix socket has no address.
        (None, [], "unknown"),
        (None, ["192.0.2.7"], "unknown"),
    ],
)
def test_the_address_that_is_counted(peer: str | None, forwarded: list[str], counted: str) -> None:
    assert address(peer, *forwarded) == counted


@pytest.mark.parametrize(
    ("known", "net"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::/64", "2001:db8:1::/48"),
        ("unknown", "unknown"),
    ],
)
def test_the_wider_net_around_an_address(known: str, net: str) -> None:
    assert visitors.network(known) == net


def test_all_forms_of_an_address_are_one_visitor() -> None:
    ring = Keyring("a secret for tests only")

    def seen(forms: list[str]) -> set[Visitor]:
        direct = [address(form.strip("[]")) for form in forms]
        told = [address("10.0.0.1", form) for form in forms]
        return {ring.visitor(each, visitors.network(each)) for each in (*direct, *told)}

    assert len(seen(["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:c000:0207"])) == 1
    assert len(seen(["2001:db8:1:2::9", "2001:DB8:1:2:0:0:0:9", "2001:0db8:0001:0002::1", "[2001:db8:1:2::9]"])) == 1
    assert len(seen(["192.0.2.7", "192.0.2.8"])) == 2
    assert len({each.network for each in seen(["192.0.2.7", "192.0.2.8", "::ffff:192.0.2.9"])}) == 1


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert address("127.0.0.1", "192.0.2.7", proxies=[]) == "127.0.0.1"


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0")))
def test_no_header_breaks_it(text: str) -> None:
    assert address("10.0.0.1", text)


def test_an_unnamed_proxy_is_warned_of_once_and_without_an_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            address("192.0.2.7", "198.51.100.1")
    (record,) = caplog.records
    assert "AFTERWORD_TRUSTED_PROXIES" in record.getMessage()
    assert "192.0.2.7" not in record.getMessage()
    assert "198.51.100.1" not in record.getMessage()


OWN = Settings()
SET = Settings(site_url="https://paper.example/", allowed_origins=("https://a.example", "http://b.example:8080"))


def passes(settings: Settings, *headers: tuple[str, str]) -> bool:
    try:
        origin.check(make_mocked_request("POST", "/", CIMultiDict(headers)), settings)
    except ForeignOrigin:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "sent", "allowed"),
    [
        ("localhost:8080", "http://localhost:8080", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("127.0.0.1:8080", "http://localhost:8080", False),
        ("localhost:8080", "http://localhost:8081", False),
        ("localhost:8080", "http://localhost", False),
        ("paper.example", "https://paper.example", True),
        ("paper.example", "http://paper.example", True),
        ("paper.example:443", "https://paper.example", True),
        ("paper.example:80", "http://paper.example", True),
        ("paper.example:80", "https://paper.example", False),
        ("PAPER.example", "https://paper.example", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("paper.example", "https://evil.example", False),
        ("paper.example", "https://paper.example.evil.example", False),
        ("paper.example", "https://evil.example/paper.example", False),
        ("paper.example", "https://paper.example@evil.example", False),
        ("paper.example", "https://me@paper.example", False),
        ("paper.example", "null", False),
        ("paper.example", "", False),
        ("paper.example", "paper.example", False),
        ("paper.example", "file://paper.example", False),
        ("paper.example", "chrome-extension://paper.example", False),
        ("paper.example", "https://[paper", False),
        ("paper.example", "https://paper.example:99999", False),
        ("paper.example", "https://paper.example https://paper.example", False),
        ("", "http://", False),
        ("evil@paper.example", "https://paper.example", False),
    ],
)
def test_without_a_site_url_the_origin_must_name_the_host_that_was_asked(host: str, sent: str, allowed: bool) -> None:
    assert passes(OWN, ("Host", host), ("Origin", sent)) is allowed


@pytest.mark.parametrize(
    ("sent", "allowed"),
    [
        ("https://paper.example", True),
        ("https://paper.example:443", True),
        ("http://paper.example", False),
        ("https://paper.example:8443", False),
        ("https://www.paper.example", False),
        ("http://inside:8080", False),
        ("https://a.example", True),
        ("http://a.example", False),
        ("http://b.example:8080", True),
        ("http://b.example", False),
        ("null", False),
    ],
)
def test_with_a_site_url_only_it_and_the_listed_origins_pass(sent: str, allowed: bool) -> None:
    assert passes(SET, ("Host", "inside:8080"), ("Origin", sent)) is allowed


def test_two_origins_are_none() -> None:
    own = ("Origin", "https://paper.example")
    assert passes(SET, own)
    assert not passes(SET, own, own)
    assert not passes(SET, own, ("Origin", "https://evil.example"))


@pytest.mark.parametrize(
    ("site", "allowed"),
    [(None, True), ("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False)],
)
def test_without_an_origin_the_fetch_metadata_decides(site: str | None, allowed: bool) -> None:
    headers = [("Host", "paper.example")] + ([("Sec-Fetch-Site", site)] if site else [])
    assert passes(SET, *headers) is allowed
    assert passes(SET, *headers, ("Origin", "https://paper.example"))


# Limits while Redis is away: nobody listens at this address.
AWAY = "unix:///nowhere/at/all.sock"


class Clock:
    """A clock that stands until it is moved; in seconds."""

    now = 1000.0

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def away(per_minute: int) -> Limits:
    return Limits(Redis.from_url(AWAY, retry=Retry(NoBackoff(), 0)), "site", per_minute)


async def wait(limit: Limits, visitor: str = "v", op: uuid.UUID | None = None) -> float:
    """How long to wait, or 0."""
    return await limit.wait(visitor, op or uuid.uuid4())


@pytest.mark.parametrize("per_minute", [1, 6, 7, 11, 60, 700])
async def test_a_burst_passes_and_then_one_at_a_time(clock: Clock, per_minute: int) -> None:
    limit, cost = away(per_minute), 60 / per_minute
    assert [await wait(limit) for _ in range(per_minute)] == [0] * per_minute
    assert await wait(limit) == pytest.approx(cost, abs=0.002)
    clock.now += cost / 2
    assert await wait(limit) == pytest.approx(cost / 2, abs=0.002)
    clock.now += cost / 2
    assert await wait(limit) == 0
    assert await wait(limit) == pytest.approx(cost, abs=0.002)
    clock.now += 60
    assert [await wait(limit) for _ in range(per_minute)] == [0] * per_minute
    assert await wait(limit) > 0


async def test_who_waits_as_long_as_told_may_post(clock: Clock) -> None:
    limit = away(7)
    for _ in range(50):
        clock.now += await wait(limit)
        assert await wait(limit) == 0 or clock.now == 1000.0


async def test_an_act_let_through_costs_nothing_again(clock: Clock) -> None:
    limit, op = away(1), uuid.uuid4()
    assert [await wait(limit, op=op) for _ in range(5)] == [0] * 5
    assert await wait(limit) == pytest.approx(60, abs=0.002)
    assert await wait(limit, op=op) == 0


async def test_a_refused_act_is_not_let_through_by_repeating_it(clock: Clock) -> None:
    limit, op = away(1), uuid.uuid4()
    assert await wait(limit) == 0
    assert await wait(limit, op=op) == await wait(limit, op=op) == pytest.approx(60, abs=0.002)


async def test_addresses_do_not_share_a_limit(clock: Clock) -> None:
    limit = away(1)
    assert [await wait(limit, visitor) for visitor in "abc"] == [0, 0, 0]
    assert await wait(limit, "a") > 0


async def test_memory_of_addresses_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCAL", 3)
    limit = away(1)
    assert [await wait(limit, visitor) for visitor in "abcd"] == [0] * 4
    assert await wait(limit, "d") > 0
    assert await wait(limit, "a") == 0  # the oldest is forgotten
    assert len(limit._paces) == len(limit._marks) == 3


async def test_zero_is_no_limit_and_asks_nobody() -> None:
    limit = away(0)
    assert limit.off
    async with asyncio.timeout(5):
        assert [await wait(limit) for _ in range(1000)] == [0] * 1000
