"""The desk over HTTP, without a script: who is let in, whose forms are believed, and what they do."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import Awaitable
from typing import Any

import aiohttp
import asyncpg

from tests.desk import PASSWORD, Answer, Seat, ask, moderators, seat, sign_in
from tests.site import Message, Site, eventually, op, receive, send


async def comment(site: Site, text: str = "Buy my pills") -> int:
    """A comment by a reader; its number."""
    async with site.http.post("/articles/story/comments", json={"op": op(), "text": text}) as response:
        assert response.status == 201
        return int((await response.json())["no"])


async def states(site: Site) -> dict[int, str]:
    """What readers see of each comment."""
    async with site.http.get("/articles/story/comments") as response:
        return {each["no"]: each.get("gone", "published") for each in (await response.json())["comments"]}


# The door


async def test_who_is_not_signed_in_sees_the_door_alone(site: Site) -> None:
    for path in (
        *("/desk", "/desk/recent", "/desk/record", "/desk/threads", "/desk/people", "/desk/events", "/desk/bans"),
        *("/desk/articles", "/desk/comments/1", "/desk/comments/1/others", "/desk/threads/story"),
    ):
        for cookie in ("", "made-up"):
            answer = await ask(site, "GET", path, cookie=cookie)
            assert (answer.status, answer.where) == (303, "/desk/login")
    door = await ask(site, "GET", "/desk/login")
    assert door.status == 200
    assert "Sign in" in door.text
    async with site.http.get("/desk/login") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert '<meta name="robots" content="noindex">' in door.text


async def test_the_cookie_is_for_this_host_over_https_and_for_no_script(site: Site) -> None:
    await seat(site, "ida")
    cookie = (await sign_in(site, "ida")).cookies["__Host-desk"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(site: Site) -> None:
    await seat(site, "ida")
    wrong, unknown = await sign_in(site, "ida", "not the password"), await sign_in(site, "nobody", PASSWORD)
    assert wrong.status == unknown.status == 403
    assert wrong.text.replace('value="ida"', "") == unknown.text.replace('value="nobody"', "")
    assert "no moderator of that name with that password" in wrong.text
    assert not wrong.cookies


async def test_a_browser_that_keeps_no_cookie_is_told_so(site: Site) -> None:
    answer = await ask(site, "GET", "/desk?welcome")
    assert answer.where == "/desk/login?lost"
    assert "needs HTTPS" in (await ask(site, "GET", answer.where)).text


async def test_tries_are_limited_and_told_how_long_to_wait(site: Site) -> None:
    await moderators(site, "add", "ida")
    for _ in range(10):
        assert (await sign_in(site, "ida", "guess")).status == 403
    refused = await sign_in(site, "ida")
    assert refused.status == 429
    assert refused.retry_after is not None
    assert 1 <= int(refused.retry_after) <= 6
    assert f"Please wait {refused.retry_after} second" in refused.text


async def test_a_form_of_another_site_lets_nobody_in_and_nobody_out(site: Site) -> None:
    ida = await seat(site, "ida")
    fields: dict[str, object] = {"name": "ida", "password": PASSWORD}
    assert (await ask(site, "POST", "/desk/login", fields, origin="https://evil.example")).status == 403
    assert (await ida.post("/desk/logout", origin="https://evil.example")).status == 403
    assert (await ida.get()).status == 200


async def test_a_cookie_of_a_session_that_ended_is_worth_nothing(site: Site) -> None:
    ida, no = await seat(site, "ida"), await comment(site)
    stolen = Seat(site, ida.cookie)
    token = re.findall(r'name="token" value="(\w+)"', (await stolen.get()).text)[0]
    assert (await ida.post("/desk/logout")).where == "/desk/login"
    assert (await stolen.get()).where == "/desk/login"
    assert (await stolen.post("/desk/comments", token=token, one=f"remove {no}")).where == "/desk/login"
    assert (await states(site))[no] == "published"


async def test_disabling_ends_every_session_at_once_and_open_streams_too(site: Site) -> None:
    ida = await seat(site, "ida")
    cookie = {"Cookie": f"__Host-desk={ida.cookie}"}
    async with site.http.get("/desk/events", headers=cookie) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        while not (await stream.content.readline()).startswith(b"data: "):
            pass
        assert (await moderators(site, "disable", "ida"))[1] == "disabled ida\n"
        assert (await ida.get()).where == "/desk/login"
        await asyncio.wait_for(stream.content.read(), 15)
    assert (await sign_in(site, "ida")).status == 403
    assert (await moderators(site, "enable", "ida"))[0] == 0
    assert (await ida.get()).where == "/desk/login"
    assert (await sign_in(site, "ida")).status == 303


async def test_another_password_ends_every_session(site: Site) -> None:
    ida = await seat(site, "ida")
    assert (await moderators(site, "password", "ida", password="quite another one"))[0] == 0
    assert (await ida.get()).where == "/desk/login"
    assert (await sign_in(site, "ida")).status == 403
    assert (await sign_in(site, "ida", "quite another one")).status == 303


async def test_moderators_are_added_and_listed_by_the_command_line(site: Site) -> None:
    assert await moderators(site, "add", "ida", "--role", "admin") == (0, "added admin ida\n", "")
    assert (await moderators(site, "add", "ida"))[0] == 1
    status, _, errors = await moderators(site, "add", "ole", password="short")
    assert (status, "at least 12 characters" in errors) == (2, True)
    assert (await moderators(site, "disable", "nobody"))[0] == 1
    await sign_in(site, "ida")
    listed = (await moderators(site, "list"))[1]
    assert re.fullmatch(r"admin +1 signed in +\d{4}-\d\d-\d\d \d\d:\d\d +ida\n", listed)


# Forms


async def test_a_form_without_the_token_of_its_session_does_nothing(site: Site) -> None:
    ida, ole, no = await seat(site, "ida"), await seat(site, "ole"), await comment(site)
    others = re.findall(r'name="token" value="(\w+)"', (await ole.get()).text)[0]
    for token in ("", "0" * 64, "ü" * 64, others):
        assert (await ida.post("/desk/comments", token=token, one=f"remove {no}")).status == 403
    for origin in ("https://evil.example", "null"):
        assert (await ida.post("/desk/comments", origin=origin, one=f"remove {no}")).status == 403
    assert (await ida.post("/desk/comments", origin=site.url, one=f"remove {no}")).status == 303
    assert (await states(site))[no] == "removed"


async def test_what_cannot_be_read_is_refused_by_name(site: Site) -> None:
    ida = await seat(site, "ida")
    for path, fields in (
        ("/desk/comments", {"one": "burn 1"}),
        ("/desk/comments", {"one": "remove x"}),
        ("/desk/comments", {"one": f"remove {2**53}"}),
        ("/desk/comments", {"act": "remove", "no[]": [*range(201)]}),
        ("/desk/comments", {}),
        ("/desk/threads", {"one": "burn story"}),
        ("/desk/undo", {"act": "-1"}),
    ):
        assert (await ida.post(path, **fields)).status == 400, fields
    assert (await ida.post("/desk/threads", one="open nowhere\0")).status == 404
    assert (await ida.post("/desk/undo", act="999")).status == 303
    assert (await ida.get("/desk/recent?before=x")).status == 400
    assert (await ida.get("/desk/recent?q=%00%25_%ff")).status == 200
    headers = {"Cookie": f"__Host-desk={ida.cookie}"}
    async with site.http.post("/desk/undo", json={}, headers=headers) as response:
        assert response.status == 415


async def test_a_form_leads_back_to_the_desk_and_nowhere_else(site: Site) -> None:
    ida = await seat(site, "ida")
    for back, where in (
        ("/desk/recent?q=a%20b", "/desk/recent?q=a%20b"),
        ("https://evil.example", "/desk"),
        ("//evil.example", "/desk"),
        ("/deskevil", "/desk"),
        ("/desk\r\nX: y", "/desk"),
    ):
        assert (await ida.post("/desk/undo", act="1", back=back)).where == where


async def test_only_an_admin_sees_to_people(site: Site) -> None:
    chief = await seat(site, "chief", "admin")
    for role in ("moderator", "editor"):
        one = await seat(site, role, role)
        assert (await one.get("/desk/people")).status == 403
        assert (await one.post("/desk/people", one="disable chief")).status == 403
        assert 'href="/desk/people"' not in (await one.get()).text
        assert (await chief.get("/desk/people")).text.count(f"<bdi>{role}</bdi>") == 1
        assert (await chief.post("/desk/people", one=f"revoke {role}")).status == 303
        assert (await one.get()).where == "/desk/login"
        assert (await chief.post("/desk/people", one=f"disable {role}")).status == 303
        assert (await sign_in(site, role)).status == 403
        assert (await chief.post("/desk/people", one=f"enable {role}")).status == 303
        assert (await sign_in(site, role)).status == 303
    assert (await chief.post("/desk/people", one="disable nobody")).status == 404


# Acts


async def test_an_act_reaches_readers_on_every_worker_within_a_second(site: Site) -> None:
    ida, no = await seat(site, "ida"), await comment(site)
    readers = [await site.socket("story") for _ in range(6)]
    for reader in readers:
        await receive(reader, "joined")
    async with asyncio.timeout(1):
        assert (await ida.post("/desk/comments", token=None, one=f"remove {no}", reason="spam")).status == 303
        for reader in readers:
            [gone] = (await receive(reader, "changes"))["comments"]
            assert (gone["no"], gone["gone"]) == (no, "removed")
    await ida.post("/desk/comments", one=f"restore {no}")
    for reader in readers:
        [back] = (await receive(reader, "changes"))["comments"]
        assert "pills" in back["html"]
    await ida.post("/desk/threads", one="close story")
    for reader in readers:
        assert (await receive(reader, "changes"))["thread"] == {"state": "closed", "slow": 0}
        await reader.close()


async def test_what_is_done_in_one_step_reaches_a_reader_in_one_message(site: Site) -> None:
    ida, numbers = await seat(site, "ida"), [(await comment(site)) for _ in range(3)]
    readers = [await site.socket("story") for _ in range(6)]
    for reader in readers:
        await receive(reader, "joined")
    step: dict[str, Any] = {"act": "remove", "reason": "spam", "no[]": numbers}
    await ida.post("/desk/comments", **step)
    for reader in readers:
        gone = await receive(reader, "changes")
        assert (gone["from"], gone["to"], gone["count"]) == (3, 6, 0)
        assert [(each["no"], each["gone"]) for each in gone["comments"]] == [(no, "removed") for no in numbers]
    [act] = set(re.findall(r'name="all" value="(\d+)" data-key="u"', (await ida.get()).text))
    await ida.post("/desk/undo", all=act)
    for reader in readers:
        back = await receive(reader, "changes")
        assert (back["from"], back["to"], back["count"]) == (6, 9, 3)
        assert ["pills" in each["html"] for each in back["comments"]] == [True] * 3
        await reader.close()


async def test_what_waits_is_published_from_the_queue_and_everything_is_undone(site: Site) -> None:
    ida = await seat(site, "ida")
    await ida.post("/desk/threads", one="hold story")
    async with site.socket("story") as reader:
        await receive(reader, "joined")
        held = []
        for text in ("Let me in", "And <b>me</b>"):
            await send(reader, "post", op=op(), text=text)
            held.append((await receive(reader, "accepted"))["no"])
        queue = (await ida.get()).text
        assert [int(no) for no in re.findall(r'id="card-(\d+)"', queue)] == held
        assert "And &lt;b&gt;me&lt;/b&gt;" in queue
        assert "A story called story" in queue
        chosen: dict[str, Any] = {"act": "publish", "no[]": held}
        await ida.post("/desk/comments", **chosen)
        assert await states(site) == dict.fromkeys(held, "published")
        assert "Nothing is waiting." in (await ida.get()).text
        acts = [int(act) for act in re.findall(r'id="act-(\d+)"', (await ida.get("/desk/record")).text)]
        assert len(acts) == 3
        for act in acts:
            assert (await ida.post("/desk/undo", act=str(act))).status == 303
        assert await states(site) == dict.fromkeys(held, "held")
        assert (await _thread(site))["state"] == "open"
    record = (await ida.get("/desk/record")).text
    assert f"(undoes #{acts[0]})" in record
    assert record.count("<bdi>ida</bdi>") == 6 + 1  # and the one at the top of the page


async def test_search_finds_words_as_they_stand(site: Site) -> None:
    ida = await seat(site, "ida")
    sale, _ = await comment(site, "100% OFF, my_friend"), await comment(site, "100 offers, myXfriend")
    for words in ("100%25 off", "my_friend", "OFF,"):
        page = (await ida.get(f"/desk/recent?q={words}")).text
        assert re.findall(r'id="card-(\d+)"', page) == [str(sale)]
    assert "There is no such comment." in (await ida.get("/desk/recent?q=nowhere")).text


async def test_a_long_record_goes_on_by_a_short_link(site: Site, database_url: str) -> None:
    ida, connection = await seat(site, "ida"), await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO acts (kind, thread, was, reason) "
        "SELECT 'close', id, 'open', '' FROM threads, generate_series(1, 101)"
    )
    await connection.close()
    [older] = re.findall(r'class="more"><a href="([^"]*)"', (await ida.get("/desk/record")).text)
    assert re.fullmatch(r"\?before=\d+", older)
    assert len(re.findall(r'id="act-', (await ida.get(f"/desk/record{older}")).text)) == 1


def events(site: Site, seat: Seat) -> Any:
    """What an open desk hears."""
    return site.http.get("/desk/events", headers={"Cookie": f"__Host-desk={seat.cookie}"})


async def version(stream: aiohttp.ClientResponse) -> str:
    """The next version that it hears."""
    while not (line := (await stream.content.readline()).decode()).startswith("data: "):
        assert line, "the desk hears no more"
    return line.removeprefix("data: ").strip()


async def hears(stream: aiohttp.ClientResponse, before: str) -> None:
    """Wait until it is told of another version."""
    while await version(stream) == before:
        pass


async def test_an_open_desk_hears_that_something_has_changed(site: Site) -> None:
    ida = await seat(site, "ida")
    async with events(site, ida) as stream:
        before = await version(stream)
        await comment(site)
        async with asyncio.timeout(1.5):
            await hears(stream, before)


async def test_an_open_desk_holds_up_no_worker_that_leaves(site: Site) -> None:
    ida = await seat(site, "ida")
    old = await site.workers()
    async with site.http.get("/desk/events", headers={"Cookie": f"__Host-desk={ida.cookie}"}) as stream:
        site.process.send_signal(signal.SIGHUP)
        rest = await asyncio.wait_for(stream.content.read(), 15)
        assert rest.startswith(b"retry: 1000\n\ndata: ")

    async def replaced() -> bool:
        return not {*old} & {*await site.workers()}

    await eventually(replaced)
    assert (await ida.get()).status == 200, "the session is in the store, and outlives every worker"


async def test_a_page_of_the_desk_stays_out_of_search_engines_and_caches(site: Site) -> None:
    async with site.http.get("/robots.txt") as response:
        assert "Disallow: /desk\n" in await response.text()
    ida = await seat(site, "ida")
    async with site.http.get("/desk", headers={"Cookie": f"__Host-desk={ida.cookie}"}) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers


async def _thread(site: Site) -> Message:
    async with site.http.get("/articles/story/comments") as response:
        thread: Message = json.loads(await response.text())["thread"]
        return thread


async def test_what_comes_while_a_page_is_made_is_noticed(site: Site, owner_url: str) -> None:
    ida, owner, other = await seat(site, "ida"), await asyncpg.connect(owner_url), await asyncpg.connect(owner_url)

    async def shown(making: Awaitable[Answer]) -> str:
        return str(re.findall('data-version="([^"]*)"', (await making).text)[0])

    async def waits() -> bool:
        return bool(
            await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'articles'::regclass")
        )

    before = await shown(ida.get("/desk/recent"))
    async with owner.transaction():
        await owner.execute("LOCK TABLE articles")  # without which no comment is shown
        making = asyncio.create_task(ida.get("/desk/recent"))
        await eventually(waits)
        await other.execute("INSERT INTO acts (kind, thread, was, reason) SELECT 'close', id, 'open', '' FROM threads")
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(6):  # on both workers: each knows of it by now
                await hears(await stack.enter_async_context(events(site, ida)), before)
    assert await shown(making) == before
    assert await shown(ida.get("/desk/recent")) != before
    await owner.close()
    await other.close()
