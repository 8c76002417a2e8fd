"""Who is banned is refused by every way on every worker, is told why and until when, and nobody else is."""

import datetime
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from tests.site import Site, command, eventually, op, receive, send

COMMENTS = "/articles/story/comments"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HERE, BESIDE, ELSEWHERE = "203.0.113.77", "203.0.113.9", "203.0.114.77"
TRIES = 8  # new connections, so that each of two workers gets some


async def post(site: Site, forwarded: str | None, text: str = "Hello", mine: str | None = None) -> dict[str, Any]:
    """Post on a new connection, as the proxy passes it on; the answer."""
    headers = {"Connection": "close"} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    async with site.http.post(COMMENTS, json={"op": mine or op(), "text": text}, headers=headers) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == {"banned": 403}.get(answer.get("code", ""), response.status)
        return answer


async def ban(site: Site, no: int, *options: str) -> str:
    """Ban who wrote a comment; what was said."""
    status, out, errors = await command(site.environ, "bans", "add", str(no), "--days", "3", *options)
    assert status == 0, errors
    return out


async def holds(site: Site, forwarded: str | None) -> None:
    """Wait until every worker refuses who comes from there."""

    async def everywhere() -> bool:
        return {(await post(site, forwarded)).get("code") for _ in range(TRIES)} == {"banned"}

    await eventually(everywhere)


async def ended(site: Site, forwarded: str) -> None:
    """Wait until no worker refuses who comes from there."""

    async def everywhere() -> bool:
        return {(await post(site, forwarded)).get("state") for _ in range(TRIES)} == {"published"}

    await eventually(everywhere)


async def test_who_is_banned_is_refused_by_every_way_and_told_why_and_until_when(proxied: Site) -> None:
    mine = op()
    first = await post(proxied, HERE, "Buy my pills", mine)
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    said = await ban(proxied, first["no"], "--reason", "pills & more")
    assert said.startswith(f"ban 1 on the address of No. {first['no']} until ")
    await holds(proxied, HERE)

    refused = await post(proxied, HERE)
    assert (refused["status"], refused["reason"]) == (403, "pills & more")
    until = datetime.datetime.fromisoformat(refused["until"])
    assert datetime.timedelta(days=2, hours=23) < until - before <= datetime.timedelta(days=3, minutes=1)
    assert 0 <= 3 * 86_400 - refused["retry_after"] < 120
    assert f"{until:%Y-%m-%d %H:%M}" in refused["detail"]
    assert "pills & more" in refused["detail"]

    async with proxied.socket("story", additional_headers={"X-Forwarded-For": HERE}) as socket:
        await receive(socket, "joined")
        mine_again = op()
        await send(socket, "post", op=mine_again, text="More pills")
        told = await receive(socket, "accepted", "refused")
        assert (told["op"], told["code"], told["reason"]) == (mine_again, "banned", "pills & more")
        assert told["until"] == refused["until"]
        await send(socket, "post", op=mine, text="Buy my pills")
        assert (await receive(socket, "accepted", "refused"))["no"] == first["no"]
        await send(socket, "retract", op=op(), no=first["no"], key=first["key"])
        assert (await receive(socket, "accepted", "refused"))["state"] == "retracted"

    headers = FORM | {"X-Forwarded-For": HERE}
    async with proxied.http.post(COMMENTS, data=urlencode({"text": "By a form"}), headers=headers) as response:
        page = await response.text()
        assert response.status == 403
        assert "By a form" in page
        assert "pills &amp; more" in page
        assert f"{until:%Y-%m-%d : %H:%M}" in page

    assert (await post(proxied, BESIDE))["state"] == "published"
    assert (await post(proxied, None))["state"] == "published"


async def test_a_banned_reader_reads_as_before(proxied: Site) -> None:
    first = await post(proxied, HERE)
    await ban(proxied, first["no"])
    await holds(proxied, HERE)
    async with proxied.socket("story", additional_headers={"X-Forwarded-For": HERE}) as socket:
        await receive(socket, "joined")
        shown = await post(proxied, ELSEWHERE, "News")
        changes = await receive(socket, "changes")
        assert [comment["no"] for comment in changes["comments"]] == [shown["no"]]
    async with proxied.http.get("/articles/story", headers={"X-Forwarded-For": HERE}) as response:
        assert response.status == 200


async def test_only_what_a_trusted_proxy_says_is_believed(proxied: Site) -> None:
    first = await post(proxied, HERE)
    await ban(proxied, first["no"])
    await holds(proxied, HERE)
    for claimed in (
        f"{ELSEWHERE}, {HERE}",
        f"::ffff:{HERE}",
        f"{HERE}:4711",
        f"[::ffff:{HERE}]:80",
        f"{HERE}, 127.0.0.9",
    ):
        assert (await post(proxied, claimed)).get("code") == "banned", claimed
    for claimed in (f"{HERE}, {ELSEWHERE}", f"{HERE}x", f"{HERE}, unknown"):
        assert (await post(proxied, claimed)).get("state") == "published", claimed


async def test_without_a_trusted_proxy_no_header_helps_and_none_harms(site: Site) -> None:
    first = await post(site, ELSEWHERE)
    await ban(site, first["no"])
    for claimed in (None, ELSEWHERE, HERE, "127.0.0.2"):
        await holds(site, claimed)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([HERE, BESIDE, "203.0.113.0"], [ELSEWHERE]),
        (["2001:db8:1:2::9", "2001:db8:1:ffff::1"], ["2001:db8:2::1"]),
    ],
)
async def test_a_ban_on_the_wider_net_is_on_all_who_are_in_it(
    proxied: Site, inside: list[str], outside: list[str]
) -> None:
    first = await post(proxied, inside[0])
    assert " on the network of " in await ban(proxied, first["no"], "--network")
    for address in inside:
        await holds(proxied, address)
    for address in outside:
        assert (await post(proxied, address))["state"] == "published"


async def test_a_ban_ends_by_itself_and_can_be_lifted(proxied: Site, database_url: str) -> None:
    one, two = await post(proxied, HERE), await post(proxied, ELSEWHERE)
    await ban(proxied, one["no"], "--reason", "ends")
    await ban(proxied, two["no"], "--reason", "is lifted")
    await holds(proxied, HERE)
    await holds(proxied, ELSEWHERE)

    _, listed, _ = await command(proxied.environ, "bans", "list")
    lines = listed.splitlines()
    assert [(line.split()[:2], line.split("  ")[-1]) for line in lines] == [
        (["2", "address"], "is lifted"),
        (["1", "address"], "ends"),
    ]
    connection = await asyncpg.connect(database_url)
    for (tag,) in await connection.fetch("SELECT encode(tag, 'hex') FROM bans"):
        assert tag not in listed
    await connection.execute("UPDATE bans SET ends = now() + interval '1 s' WHERE id = 1")
    await connection.close()

    status, out, _ = await command(proxied.environ, "bans", "lift", "2", "--reason", "a mistake")
    assert (status, out) == (0, "lifted ban 2\n")
    status, _, errors = await command(proxied.environ, "bans", "lift", "2")
    assert (status, errors) == (1, "Ban 2 is not in force.\n")
    await ended(proxied, HERE)
    await ended(proxied, ELSEWHERE)
    _, record, _ = await command(proxied.environ, "acts")
    assert [line.split("  ", 2)[2] for line in record.splitlines()] == [
        "lift 2 (was banned)  a mistake",
        "ban 2 (was free)  is lifted",
        "ban 1 (was free)  ends",
    ]


async def test_what_was_kept_for_long_enough_is_swept(proxied: Site, database_url: str) -> None:
    old, young, spam = [await post(proxied, HERE, text) for text in ("Old", "Young", "Buy my pills")]
    await command(proxied.environ, "comments", "remove", str(spam["no"]))
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE comments SET at = at - interval '8 days' WHERE no = $1", old["no"])
    await connection.execute("UPDATE comments SET judged_at = judged_at - interval '31 days' WHERE no = $1", spam["no"])
    assert await command(proxied.environ, "sweep") == (0, "swept 2 comments\n", "")
    kept = await connection.fetch("SELECT text, address IS NOT NULL, network IS NOT NULL FROM comments ORDER BY no")
    assert [tuple(row) for row in kept] == [("Old", False, False), ("Young", True, True), (None, True, True)]
    await connection.close()
    status, _, errors = await command(proxied.environ, "bans", "add", str(old["no"]), "--days", "1")
    assert (status, errors) == (1, f"No. {old['no']} is not there, or it is not known any more who wrote it.\n")
    await ban(proxied, young["no"])
    await holds(proxied, HERE)
