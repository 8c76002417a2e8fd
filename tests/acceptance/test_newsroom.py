"""The newsroom at the desk, over HTTP: it answers, pins, bans, publishes articles, and everything can be undone."""

import asyncio
import re
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.acceptance.test_banning import COMMENTS, ELSEWHERE, HERE, TRIES, post
from tests.acceptance.test_desk import comment, states
from tests.desk import Seat, seat
from tests.site import Message, Site, command, eventually, op, receive, send

NEWSROOM = "Afterword newsroom"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


async def window(site: Site) -> Message:
    async with site.http.get(COMMENTS) as response:
        answer: Message = await response.json()
        return answer


async def page(site: Site) -> str:
    async with site.http.get(f"/articles/story?seen={(await window(site))['version']}") as response:
        return await response.text()


async def acts(ida: Seat) -> list[int]:
    """The numbers of the acts in the record, the latest first."""
    return [int(act) for act in re.findall(r'id="act-(\d+)"', (await ida.get("/desk/record")).text)]


# Answers


async def test_an_answer_is_live_on_every_worker_in_the_newsrooms_name_and_stands_once(site: Site) -> None:
    ida, no, mine = await seat(site, "ida-lund"), await comment(site), op()
    readers = [await site.socket("story") for _ in range(6)]
    for reader in readers:
        await receive(reader, "joined")
    form = (await ida.get(f"/desk/comments/{no}")).text
    assert f"&gt;&gt;{no}" in form
    assert f"Write as {NEWSROOM}" in form
    fields = {"op": mine, "slug": "story", "no": str(no), "text": f">>{no}\nWe asked the makers."}
    async with asyncio.timeout(1):
        sent = await asyncio.gather(*(ida.post("/desk/answers", **fields) for _ in range(3)))
        for reader in readers:
            [answer] = (await receive(reader, "changes"))["comments"]
            assert (answer["by"], answer["quotes"]) == (NEWSROOM, [no])
    assert [each.where for each in sent] == ["/desk/threads/story"] * 3
    for reader in readers:
        await reader.close()
    assert (await window(site))["count"] == 2
    shown = await page(site)
    assert f'<span class="by staff">{NEWSROOM}</span>' in shown
    assert "ida-lund" not in shown + str(await window(site))
    assert f"<bdi>{NEWSROOM}</bdi> (<bdi>ida-lund</bdi>)" in (await ida.get("/desk/recent")).text


async def test_an_answer_passes_where_readers_wait_and_what_is_refused_stands_in_the_form_again(site: Site) -> None:
    ida = await seat(site, "ida")
    await ida.post("/desk/threads", one="hold story")
    await ida.post("/desk/answers", op=op(), slug="story", text="We read each of them.")
    assert [each["by"] for each in (await window(site))["comments"]] == [NEWSROOM]
    empty = await ida.post("/desk/answers", op=op(), slug="story", text=" ")
    assert (empty.status, "please write something first" in empty.text) == (422, True)
    long = await ida.post("/desk/answers", op=op(), slug="story", text="x" * 5001)
    assert (long.status, "x" * 5001 in long.text) == (422, True)
    await ida.post("/desk/threads", one="close story")
    mine = op()
    closed = await ida.post("/desk/answers", op=mine, slug="story", text="Too <late>")
    assert closed.status == 403
    for kept in ("Too &lt;late&gt;", "This conversation is closed", f'value="{mine}"'):
        assert kept in closed.text
    assert (await ida.post("/desk/answers", op="1", slug="story", text="Hello")).status == 400
    assert (await ida.post("/desk/answers", op=op(), slug="nowhere", text="Hello")).status == 404
    assert (await window(site))["count"] == 1


async def test_nobody_else_speaks_as_the_newsroom(site: Site) -> None:
    for field in ("by", "author"):
        body = {"op": op(), "text": "It is us", field: NEWSROOM}
        async with site.http.post(COMMENTS, json=body) as response:
            assert response.status == 201
        async with site.http.post(COMMENTS, data={"text": f"By a form: {field}", field: NEWSROOM}) as response:
            assert response.status == 200
        async with site.socket("story") as socket:
            await receive(socket, "joined")
            await send(socket, "post", op=op(), text="By a socket", **{field: NEWSROOM})
            await receive(socket, "accepted")
    assert {each["by"] for each in (await window(site))["comments"]} == {"Anonymous"}
    assert 'class="by staff"' not in await page(site)


# Pins


async def test_one_comment_stands_first_as_long_as_it_is_published(site: Site) -> None:
    ida, one, two = await seat(site, "ida"), await comment(site, "First of all"), await comment(site, "Another")
    readers = [await site.socket("story") for _ in range(4)]
    for reader in readers:
        await receive(reader, "joined")
    assert (await ida.post("/desk/pins", one=f"pin {one}")).status == 303
    for reader in readers:
        assert (await receive(reader, "changes"))["thread"]["pinned"] == one
        await reader.close()

    async def first() -> str | None:
        """What stands first on the page."""
        found = re.search(
            r'<section class="pinned" aria-labelledby="pinned">(.*?)</section>', await page(site), re.DOTALL
        )
        return re.findall(r"<p>(.*?)</p>", found[1])[0] if found else None

    assert await first() == "First of all"
    shown = await page(site)
    assert shown.count(f'id="no-{one}"') == 1
    await ida.post("/desk/pins", one=f"pin {two}")
    assert await first() == "Another"
    await ida.post("/desk/undo", act=(await acts(ida))[0])
    assert await first() == "First of all"
    await ida.post("/desk/comments", one=f"remove {one}")
    assert await first() is None
    assert (await ida.post("/desk/pins", one=f"pin {one}")).status == 404
    await ida.post("/desk/comments", one=f"restore {one}")
    assert await first() == "First of all"
    await ida.post("/desk/pins", one="unpin story")
    assert "pinned" not in (await window(site))["thread"]


async def test_a_comment_is_pinned_and_unpinned_from_the_command_line(site: Site) -> None:
    no = await comment(site)
    async with site.socket("story") as reader:
        await receive(reader, "joined")
        assert await command(site.environ, "comments", "pin", str(no)) == (0, f"pinned {no}\n", "")
        assert (await receive(reader, "changes"))["thread"]["pinned"] == no
        assert await command(site.environ, "threads", "unpin", "story") == (0, "nothing pinned: story\n", "")
        assert "pinned" not in (await receive(reader, "changes"))["thread"]
    status, _, errors = await command(site.environ, "comments", "pin", "999")
    assert (status, errors) == (1, "That comment is not there, or not published.\n")
    _, record, _ = await command(site.environ, "acts")
    assert [line.split("  ", 2)[2] for line in record.splitlines()] == [
        f"unpin story (was {no})",
        f"pin story (was )  No. {no}",
    ]


async def test_a_pinned_comment_stands_first_though_the_window_is_elsewhere(site: Site) -> None:
    ida, no = await seat(site, "ida"), await comment(site, "Long ago")
    for number in range(60):
        await comment(site, f"No. {number}")
    await ida.post("/desk/pins", one=f"pin {no}")
    shown = await page(site)
    assert "Long ago" in shown.split('<div class="comments"')[0]
    assert f'id="no-{no}"' not in shown


# Bans


async def test_a_ban_holds_at_once_where_it_was_made_and_soon_everywhere(proxied: Site) -> None:
    ida = await seat(proxied, "ida")
    token = await ida.token()
    async with aiohttp.ClientSession(proxied.url, connector=aiohttp.TCPConnector(limit=1)) as one_worker:

        async def write() -> dict[str, Any]:
            body, headers = {"op": op(), "text": "Pills"}, {"X-Forwarded-For": HERE}
            async with one_worker.post(COMMENTS, json=body, headers=headers) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
                return answer

        no = (await write())["no"]
        form = {"token": token, "one": f"ban {no}", "scope": "address", "days": "7", "why": "Spam"}
        headers = {"Cookie": f"__Host-desk={ida.cookie}"}
        async with one_worker.post("/desk/bans", data=form, headers=headers, allow_redirects=False) as response:
            assert response.status == 303
            assert response.connection is None
        assert await write() | {"reason": "Spam"} == {"code": "banned", "reason": "Spam"} | await write()

    async def everywhere() -> bool:
        return {(await post(proxied, HERE)).get("code") for _ in range(TRIES)} == {"banned"}

    await eventually(everywhere, 3)
    assert (await post(proxied, ELSEWHERE))["state"] == "published"
    listed = (await ida.get("/desk/bans")).text
    assert "Spam" in listed
    assert "An address" in listed
    await ida.post("/desk/bans", one="lift 1")
    assert "Nobody is banned." in (await ida.get("/desk/bans")).text

    async def free() -> bool:
        return {(await post(proxied, HERE)).get("state") for _ in range(TRIES)} == {"published"}

    await eventually(free, 3)


async def test_all_of_one_address_are_removed_in_one_step_and_brought_back_in_one(
    proxied: Site, database_url: str
) -> None:
    ida = await seat(proxied, "ida")
    flood = [(await post(proxied, HERE, f"Pills {number}"))["no"] for number in range(4)]
    other = (await post(proxied, ELSEWHERE, "News"))["no"]
    card = (await ida.get("/desk/recent")).text
    assert "3 others by the same address in the last hour" in card
    shown = (await ida.get(f"/desk/comments/{flood[0]}/others")).text
    assert [int(no) for no in re.findall(r'id="card-(\d+)"', shown)] == flood[::-1]
    assert "Remove all 4 of the last hour" in shown
    connection = await asyncpg.connect(database_url)
    for row in await connection.fetch("SELECT encode(address, 'hex'), encode(network, 'hex') FROM comments"):
        assert not any(tag in shown + card for tag in row)
    await connection.close()
    await ida.post("/desk/others", no=flood[0], reason="spam")
    assert await states(proxied) == dict.fromkeys(flood, "removed") | {other: "published"}
    last = (await ida.get()).text
    assert "Undo all 4" in last
    [step] = re.findall(r'name="all" value="(\d+)"', last)
    assert len(await acts(ida)) == 4
    await ida.post("/desk/undo", all=step)
    assert await states(proxied) == dict.fromkeys([*flood, other], "published")


async def test_who_wrote_can_be_banned_only_while_that_is_known(proxied: Site, database_url: str) -> None:
    ida, no = await seat(proxied, "ida"), (await post(proxied, HERE))["no"]
    assert f'value="ban {no}"' in (await ida.get("/desk/recent")).text
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE comments SET address = NULL, network = NULL")
    await connection.close()
    assert f'value="ban {no}"' not in (await ida.get("/desk/recent")).text
    form = {"scope": "address", "days": "7", "why": "Spam"}
    assert (await ida.post("/desk/bans", one=f"ban {no}", **form)).status == 404
    assert "not known any more" in (await ida.get(f"/desk/comments/{no}/others")).text


# Articles


def article(title: str = "From the desk", *lines: str) -> bytes:
    return "\n".join(["---", f"title: {title}", "date: 2026-02-01", *lines, "---", "A paragraph.", ""]).encode()


async def test_an_editor_publishes_an_article_with_its_picture_and_updates_it(site: Site) -> None:
    ida = await seat(site, "ida", "editor")
    text, picture = ("a-story.md", article("One", "image: beach.svg")), ("beach.svg", SVG)
    done = await ida.upload("/desk/articles", article=[text], picture=[picture])
    assert (done.status, "a-story</a>: added" in done.text) == (200, True)
    async with site.http.get("/articles/a-story") as response:
        shown = await response.text()
    [image] = re.findall(r'<img src="(/pictures/\w+)"', shown)
    async with site.http.get(image) as response:
        assert await response.read() == SVG
    assert "unchanged" in (await ida.upload("/desk/articles", article=[text], picture=[picture])).text
    again = await ida.upload("/desk/articles", article=[("folder/a-story.md", article("Two"))])
    assert "a-story</a>: updated" in again.text
    assert ">Two</a>" in again.text


async def test_what_is_wrong_with_an_article_is_told_by_file_and_line(site: Site) -> None:
    ida = await seat(site, "ida", "editor")
    wrong = await ida.upload("/desk/articles", article=[("wrong.md", article("One").replace(b"2026-02-01", b"soon"))])
    assert wrong.status == 422
    assert "wrong.md:3: the date &#39;soon&#39; can&#39;t be read" in wrong.text
    assert "/wrong.md" not in wrong.text, "no folder is named"
    doubtful = await ida.upload("/desk/articles", article=[("doubtful.md", article("One", "image: nowhere.png"))])
    assert doubtful.status == 200
    assert "doubtful.md:4: the image" in doubtful.text
    none = await ida.upload("/desk/articles", picture=[("beach.svg", SVG)])
    assert (none.status, "There was no article among these files." in none.text) == (422, True)
    for name in ("../.md", ".hidden.md"):
        assert (await ida.upload("/desk/articles", article=[(name, article())])).status == 400, name
    assert (await ida.upload("/desk/articles", picture=[(f"{n}.svg", SVG) for n in range(21)])).status == 400
    large = await ida.upload("/desk/articles", picture=[("large.svg", SVG + b" " * 13_000_000)])
    assert (large.status, "at most 12 MiB" in large.text) == (413, True)
    assert (await ida.upload("/desk/articles", token="0" * 64, article=[("a.md", article())])).status == 403
    assert (await ida.post("/desk/articles")).status == 415


# Roles

FORMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("moderator", "/desk/comments", {"one": "remove 1"}),
    ("moderator", "/desk/threads", {"one": "open story"}),
    ("moderator", "/desk/pins", {"one": "unpin story"}),
    ("moderator", "/desk/bans", {"one": "lift 1"}),
    ("moderator", "/desk/others", {"no": "1"}),
    ("moderator", "/desk/answers", {"op": "0b1f1b0e-8a83-4a5e-9d7c-0d7a5c1b2a3f", "slug": "story", "text": "Hello"}),
    ("moderator", "/desk/undo", {"act": "1"}),
    ("admin", "/desk/people", {"one": "revoke nobody"}),
)
PAGES = (
    *(("moderator", path) for path in ("/desk", "/desk/recent", "/desk/record", "/desk/threads", "/desk/bans")),
    *(("moderator", path) for path in ("/desk/comments/1", "/desk/comments/1/others", "/desk/threads/story")),
    ("editor", "/desk/articles"),
    ("admin", "/desk/people"),
)
RANKS = ("moderator", "editor", "admin")


async def test_each_role_may_what_is_its_own_and_nothing_more(site: Site) -> None:
    await comment(site)
    for role in RANKS:
        one = await seat(site, role, role)
        for least, path in PAGES:
            assert (await one.get(path)).status == (403 if RANKS.index(least) > RANKS.index(role) else 200), path
        for least, path, fields in FORMS:
            answer = await one.post(path, **fields)
            assert answer.status == (403 if RANKS.index(least) > RANKS.index(role) else 303), path
        sent = await one.upload("/desk/articles", article=[("role.md", article())])
        assert sent.status == (403 if role == "moderator" else 200)
        assert ('href="/desk/articles"' in (await one.get()).text) == (role != "moderator")


async def test_no_form_of_the_newsroom_is_believed_without_the_token_of_its_session(site: Site) -> None:
    ida = await seat(site, "ida", "admin")
    for _, path, fields in FORMS:
        assert (await ida.post(path, token="0" * 64, **fields)).status == 403, path
        assert (await ida.post(path, origin="https://evil.example", **fields)).status == 403, path


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/desk/pins", {"one": "pin x"}),
        ("/desk/pins", {"one": "burn 1"}),
        ("/desk/bans", {"one": "ban 1"}),
        ("/desk/bans", {"one": "ban 1", "scope": "world", "days": "7"}),
        ("/desk/bans", {"one": "ban 1", "scope": "address", "days": "9999"}),
        ("/desk/bans", {"one": "burn 1"}),
        ("/desk/others", {"no": "x"}),
        ("/desk/undo", {"all": "x"}),
    ],
)
async def test_what_the_newsroom_cannot_mean_is_refused(site: Site, path: str, fields: dict[str, str]) -> None:
    assert (await (await seat(site, "ida")).post(path, **fields)).status == 400


# Undoing


async def test_every_act_of_the_desk_can_be_undone(site: Site) -> None:
    ida, no = await seat(site, "ida"), await comment(site)

    async def now() -> tuple[object, ...]:
        listed = (await ida.get("/desk/bans")).text
        return (await window(site))["thread"], await states(site), re.findall(r'id="ban-(\d+)"', listed)

    terms = {"scope": "network", "days": "30", "why": "Spam"}
    table: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("hold", "/desk/comments", f"hold {no}", {}),
        ("publish", "/desk/comments", f"publish {no}", {}),
        ("remove", "/desk/comments", f"remove {no}", {"reason": "spam"}),
        ("restore", "/desk/comments", f"restore {no}", {}),
        ("close", "/desk/threads", "close story", {}),
        ("open", "/desk/threads", "open story", {}),
        ("hold-thread", "/desk/threads", "hold story", {}),
        ("pin", "/desk/pins", f"pin {no}", {}),
        ("unpin", "/desk/pins", "unpin story", {}),
        ("ban", "/desk/bans", f"ban {no}", terms),
        ("lift", "/desk/bans", "lift 1", {}),
    )
    for kind, path, one, fields in table:
        before = await now()
        assert (await ida.post(path, one=one, **fields)).status == 303
        after = await now()
        assert after != before, kind
        await ida.post("/desk/undo", act=(await acts(ida))[0])
        assert await now() == before, kind
        await ida.post("/desk/undo", act=(await acts(ida))[0])
        assert await now() == after, kind
    record = (await ida.get("/desk/record")).text
    for told in ("Pinned: ", "Unpinned: ", "Banned: ", "Ban lifted: "):
        assert told in record
