"""What filters refuse and hold, by every way and on every worker; tried, saved and ended at the desk."""

import re
from typing import Any
from urllib.parse import urlencode

from tests.desk import Seat, seat
from tests.site import Site, command, eventually, op, receive, send

COMMENTS = "/articles/story/comments"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TRIES = 8  # new connections, so that each of two workers gets some


async def post(site: Site, text: str, mine: str | None = None) -> dict[str, Any]:
    """Post on a new connection; the answer."""
    body = {"op": mine or op(), "text": text}
    async with site.http.post(COMMENTS, json=body, headers={"Connection": "close"}) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status == (422 if answer.get("code") == "filtered" else response.status)
        return answer


async def comes_to(site: Site, text: str, outcome: str) -> None:
    """Wait until every worker says so of a text."""

    async def everywhere() -> bool:
        answers = [await post(site, text) for _ in range(TRIES)]
        return {answer.get("code") or answer["state"] for answer in answers} == {outcome}

    await eventually(everywhere, 5)


async def filters(site: Site, *arguments: str) -> str:
    """Run `filters …`; what it printed."""
    status, out, errors = await command(site.environ, "filters", *arguments)
    assert status == 0, errors
    return out


async def tried(desk: Seat, **fields: str) -> tuple[int, str]:
    answer = await desk.post("/desk/filters", one="try", **fields)
    return answer.status, answer.text


async def test_a_filter_of_the_command_line_holds_on_every_worker_and_ends(site: Site) -> None:
    mine = op()
    first = await post(site, "Buy PILLS now", mine)
    assert "1 of the last 1 comments" in await filters(site, "try", "word", "pills", "--action", "refuse")
    assert await filters(site, "add", "word", "pills", "--action", "refuse", "--reason", "spam") == "filter 1\n"
    await comes_to(site, "p.i.l.l.s", "filtered")
    listed = await filters(site, "list")
    assert re.fullmatch(r" +1  \d{4}-\d\d-\d\d \d\d:\d\d  refuse  word     everywhere  pills  spam\n", listed)
    refused = await post(site, "Pills!")
    assert "pills" not in str(refused).lower(), "it is not told which word it was"
    assert (await post(site, "Buy PILLS now", mine))["no"] == first["no"], "what stands is answered as ever"

    async with site.socket("story") as socket:
        await receive(socket, "joined")
        await send(socket, "post", op=op(), text="More pills")
        assert (await receive(socket, "accepted", "refused"))["code"] == "filtered"
        await send(socket, "post", op=op(), text="No more")
        assert (await receive(socket, "accepted", "refused"))["state"] == "published"

    async with site.http.post(COMMENTS, data=urlencode({"text": "Pills, by a form"}), headers=FORM) as response:
        page = await response.text()
        assert response.status == 422
        assert "Pills, by a form" in page
        assert "does not publish" in page

    assert await filters(site, "end", "1") == "ended filter 1\n"
    _, record, _ = await command(site.environ, "acts")
    assert "-  unfilter 1 (was on)\n" in record
    await comes_to(site, "pills", "published")
    for arguments in (
        ("end", "1"),
        ("add", "pattern", "(", "--action", "hold"),
        ("add", "links", "x", "--action", "hold"),
    ):
        status, _, errors = await command(site.environ, "filters", *arguments)
        assert status in {1, 2}
        assert errors.endswith(".\n")


async def test_a_filter_is_tried_saved_ended_and_used_again_at_the_desk(site: Site) -> None:
    ida = await seat(site, "ida", "editor")
    for text in ("See https://evil.example/a", "See https://www.evil.example", "See nothing"):
        await post(site, text)
    fields = {"kind": "host", "value": "evil.example", "action": "hold", "reason": "a trap & more"}
    status, page = await tried(ida, **fields)
    assert status == 200
    assert "would have held 2 of the last 3 comments" in page
    assert "https://www.evil.example" in page
    assert "There is no filter." in page, "to try is not to save"
    assert (await ida.post("/desk/filters", one="save", **fields)).where == "/desk/filters"
    assert "a trap &amp; more" in (await ida.get("/desk/filters")).text
    await comes_to(site, "https://evil.example/", "held")
    queue = (await ida.get()).text
    assert "Held: Filter #1: a trap &amp; more" in queue
    again = await ida.post("/desk/filters", one="save", **fields)
    assert (again.status, "There is such a filter already." in again.text) == (422, True)
    assert (await ida.post("/desk/filters", one="end 1")).status == 303
    await comes_to(site, "https://evil.example/", "published")
    assert 'value="again 1"' in (await ida.get("/desk/filters")).text
    assert (await ida.post("/desk/filters", one="again 1")).status == 303
    await comes_to(site, "https://evil.example/", "held")
    assert (await ida.post("/desk/filters", one="again 99")).status == 404


async def test_a_form_that_can_be_no_filter_comes_back_with_the_reason(site: Site) -> None:
    ida = await seat(site, "ida", "admin")
    status, page = await tried(ida, kind="pattern", value='(a"', action="refuse")
    assert status == 422
    assert "opens a bracket" in page
    assert 'value="(a&#34;"' in page
    for fields in ({}, {"kind": "burn"}, {"kind": "word", "value": "x" * 300, "action": "hold"}, {"one": "save"}):
        answer = await ida.post("/desk/filters", **{"one": "try"} | fields)
        assert (answer.status, "That is no filter." in answer.text) == (422, True), fields
    for one in ("", "burn 1", "end", "end x", f"again {2**53}"):
        assert (await ida.post("/desk/filters", one=one)).status == 400, one


async def test_a_moderator_sees_the_filters_and_changes_none(site: Site) -> None:
    await filters(site, "add", "first", "--action", "hold")
    ole = await seat(site, "ole")
    page = (await ole.get("/desk/filters")).text
    assert "First comment of an address" in page
    assert 'value="try"' not in page
    assert 'value="end 1"' not in page
    for one in ("try", "save", "end 1", "again 1"):
        assert (await ole.post("/desk/filters", one=one, kind="word", value="x", action="hold")).status == 403
