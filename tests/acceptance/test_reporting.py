"""Reports, appeals and the public record over HTTP, with and without a script: live, and settled at the desk."""

import hashlib
import json
import re
from typing import Any

import asyncpg

from tests.acceptance.test_banning import ban, holds
from tests.acceptance.test_desk import comment, states
from tests.desk import seat
from tests.site import Site, command, receive

HERE, ELSEWHERE = "203.0.113.77", "203.0.114.77"


async def send(
    site: Site, path: str, body: object, forwarded: str = HERE, **headers: str
) -> tuple[int, dict[str, Any], str]:
    """Send a report or an appeal as a program does: status, answer, and how long to wait."""
    headers |= {"X-Forwarded-For": forwarded}
    async with site.http.post(path, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None), response.headers.get("Retry-After", "")


async def submit(site: Site, path: str, forwarded: str = HERE, **fields: str) -> tuple[int, str, str]:
    """Send a form as a browser without a script does: status, where that leads, and the page."""
    headers = {"X-Forwarded-For": forwarded, "Origin": site.url}
    async with site.http.post(path, data=fields, headers=headers, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def page(site: Site, path: str) -> tuple[int, str]:
    async with site.http.get(path) as response:
        return response.status, await response.text()


async def test_three_addresses_hold_a_comment_for_every_reader_and_a_moderator_keeps_it(proxied: Site) -> None:
    ida, no = await seat(proxied, "ida"), await comment(proxied)
    readers = [await proxied.socket("story") for _ in range(4)]
    for reader in readers:
        await receive(reader, "joined")
    for number in (1, 2, 1, 1):
        assert (await send(proxied, f"/comments/{no}/report", {"reason": "spam"}, f"203.0.113.{number}"))[0] == 202
    assert (await states(proxied))[no] == "published"
    status, answer, _ = await send(
        proxied, f"/comments/{no}/report", {"reason": "abuse", "note": "Look"}, "203.0.113.3"
    )
    assert (status, answer) == (202, {"no": no})
    for reader in readers:
        [gone] = (await receive(reader, "changes"))["comments"]
        assert (gone["no"], gone["gone"]) == (no, "held")
    queue = (await ida.get()).text
    assert re.search(r"<strong>Spam</strong>\s+2 times", queue)
    assert re.search(r'<strong>Abuse or hate</strong>\s*<q dir="auto">Look</q>', queue)
    assert "Held: 3 reports" in " ".join(queue.split())
    await ida.post("/desk/comments", one=f"publish {no}")
    for reader in readers:
        [back] = (await receive(reader, "changes"))["comments"]
        assert "pills" in back["html"]
        await reader.close()
    assert "Nothing is waiting." in (await ida.get()).text
    await send(proxied, f"/comments/{no}/report", {"reason": "spam"}, "203.0.113.1")
    await send(proxied, f"/comments/{no}/report", {"reason": "spam"}, "203.0.113.4")
    assert (await states(proxied))[no] == "published"
    assert re.search(rf'value="publish {no}" data-key="a">Keep<', (await ida.get()).text)
    await ida.post("/desk/comments", one=f"publish {no}")
    assert "Nothing is waiting." in (await ida.get()).text
    record = " ".join((await ida.get("/desk/record")).text.split())
    assert "Reports dismissed: <a" in record
    assert "<bdi>Readers</bdi>" in record
    dismissal = re.findall(r'id="act-(\d+)"', record)[0]
    await ida.post("/desk/undo", act=dismissal)
    assert f'id="card-{no}"' in (await ida.get()).text


async def test_a_report_is_sent_without_a_script_and_thanked_for(proxied: Site) -> None:
    no = await comment(proxied)
    _, article = await page(proxied, "/articles/story")
    assert f'<a class="report" href="/comments/{no}/report">Report</a>' in article
    status, form = await page(proxied, f"/comments/{no}/report")
    assert status == 200
    assert '<meta name="robots" content="noindex">' in form
    assert "Buy my pills" in form
    status, where, _ = await submit(proxied, f"/comments/{no}/report", reason="illegal", text="See § 130")
    assert (status, where) == (303, f"/comments/{no}/report?thanks")
    assert "Thank you." in (await page(proxied, where))[1]
    ida = await seat(proxied, "ida")
    assert "See § 130" in (await ida.get()).text


async def test_what_cannot_be_a_report_is_refused_by_name(proxied: Site) -> None:
    no = await comment(proxied)
    path = f"/comments/{no}/report"
    bodies: tuple[object, ...] = ({}, {"reason": "boredom"}, {"reason": "appeal"}, {"reason": "spam", "note": 7}, [])
    for body in bodies:
        status, answer, _ = await send(proxied, path, body)
        assert (status, answer["code"]) == (400, "malformed"), body
    for length in (501, 5_001):
        answer = (await send(proxied, path, {"reason": "spam", "note": "x" * length}))[1]
        assert (answer["code"], answer["detail"]) == ("too-long", "That is too long; please shorten it.")
    assert (await send(proxied, "/comments/999999/report", {"reason": "spam"}))[1]["code"] == "not-found"
    assert (await send(proxied, path, {"reason": "spam"}, Origin="https://evil.example"))[1]["code"] == "origin"
    async with proxied.http.post(path, data=b"reason=spam", headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415
    status, _, refused = await submit(proxied, path, reason="other", text="x" * 501)
    assert status == 422
    assert "That is too long" in refused
    assert "x" * 501 in refused
    assert 'value="other" required checked' in refused
    assert (await submit(proxied, path, reason="boredom"))[0] == 400
    assert (await page(proxied, "/comments/999999/report"))[0] == 404
    assert (await page(proxied, "/comments/0/appeal"))[0] == 404


async def test_reports_of_an_address_are_limited_and_repeating_one_costs_nothing(proxied: Site) -> None:
    numbers = [await comment(proxied, f"No. {number}") for number in range(11)]
    for no in numbers[:10]:
        for _ in range(2):
            assert (await send(proxied, f"/comments/{no}/report", {"reason": "spam"}))[0] == 202
    status, answer, wait = await send(proxied, f"/comments/{numbers[10]}/report", {"reason": "spam"})
    assert (status, answer["code"]) == (429, "too-fast")
    assert 1 <= int(wait) <= 6
    assert (await send(proxied, f"/comments/{numbers[10]}/report", {"reason": "spam"}, ELSEWHERE))[0] == 202


async def test_who_is_banned_reports_nothing_and_may_appeal(proxied: Site) -> None:
    async with proxied.http.post(
        "/articles/story/comments",
        json={"op": "0b7ad0b5-5b1c-4f2f-9a33-0d35c66c1f33", "text": "Mine"},
        headers={"X-Forwarded-For": HERE},
    ) as response:
        no = (await response.json())["no"]
    await ban(proxied, no, "--reason", "pills")
    await holds(proxied, HERE)
    status, answer, _ = await send(proxied, f"/comments/{no}/report", {"reason": "spam"})
    assert (status, answer["code"], answer["reason"]) == (403, "banned", "pills")
    assert "pills" in (await submit(proxied, f"/comments/{no}/report", reason="spam"))[2]
    ida = await seat(proxied, "ida")
    await ida.post("/desk/comments", one=f"remove {no}", reason="spam")
    assert (await send(proxied, f"/comments/{no}/appeal", {"text": "They are vitamins"}))[0] == 202
    assert "They are vitamins" in (await ida.get()).text


async def test_an_appeal_waits_beside_the_comment_until_it_is_answered(proxied: Site) -> None:
    ida, no = await seat(proxied, "ida"), await comment(proxied)
    path = f"/comments/{no}/appeal"
    assert "No moderator has removed this comment." in (await page(proxied, path))[1]
    await ida.post("/desk/comments", one=f"remove {no}", reason="spam")
    article = (await page(proxied, "/articles/story?seen=2"))[1]
    assert f'<a class="appeal" href="{path}">Appeal</a>' in article
    assert '<a href="/articles/story/moderation">Why?</a>' in article
    assert (await submit(proxied, path, text=""))[0] == 422
    assert (await submit(proxied, path, text="x" * 1001))[0] == 422
    for _ in range(2):
        assert (await submit(proxied, path, text="It was a joke"))[1] == f"{path}?thanks"
    assert "look at it again" in (await page(proxied, f"{path}?thanks"))[1]
    queue = (await ida.get()).text
    assert queue.count("It was a joke") == 1
    assert "Buy my pills" in queue
    assert f'value="remove {no}" data-key="r">Keep it removed<' in queue
    await ida.post("/desk/comments", one=f"remove {no}", reason="spam")
    assert "Nothing is waiting." in (await ida.get()).text
    assert (await states(proxied))[no] == "removed"
    await submit(proxied, path, text="Really")
    await ida.post("/desk/comments", one=f"restore {no}")
    assert "Nothing is waiting." in (await ida.get()).text
    assert (await states(proxied))[no] == "published"


async def test_what_moderators_did_is_public_in_counts_and_names_nobody(proxied: Site) -> None:
    ida = await seat(proxied, "ida")
    numbers = [await comment(proxied, f"Text {number}") for number in range(3)]
    chosen: dict[str, Any] = {"act": "remove", "no[]": numbers[:2], "reason": "spam"}
    await ida.post("/desk/comments", **chosen)
    status, _, errors = await command(proxied.environ, "comments", "remove", str(numbers[2]), "--reason", "Ole Lund")
    assert status == 0, errors
    await ida.post("/desk/threads", one="close story")
    status, told = await page(proxied, "/articles/story/moderation")
    assert status == 200
    assert '<meta name="robots" content="noindex">' in told
    lines = [" ".join(line.split()) for line in re.findall(r"<li>(.*?)</li>", told.split('id="main"')[1], re.DOTALL)]
    assert lines[:3] == ["Comments removed: 2 (Spam)", "Thread closed: 1", "Comments removed: 1"]
    assert "when 3 readers report it" in told
    for name in ("ida", "Ole", "Text", *(f"No. {no}" for no in numbers)):
        assert name not in told
    assert 'href="/articles/story/moderation"' in (await page(proxied, "/articles/story"))[1]
    status, missing = await page(proxied, "/articles/nowhere/moderation")
    assert status == 404
    assert missing.startswith("<!doctype html>")


async def test_evidence_is_saved_whole_and_sealed_and_tells_no_hash(proxied: Site, database_url: str) -> None:
    ida, no = await seat(proxied, "ida"), await comment(proxied, "Ünlawful “words”\nof two lines 😀")
    await send(proxied, f"/comments/{no}/report", {"reason": "illegal", "note": "See § 130"})
    await ida.post("/desk/comments", one=f"remove {no}", reason="unlawful")
    path = f"/desk/comments/{no}/evidence"
    async with proxied.http.get(path, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/desk/login")
    async with proxied.http.get(path, headers={"Cookie": f"__Host-desk={ida.cookie}"}) as response:
        assert response.headers["Content-Disposition"] == f'attachment; filename="comment-{no}.json"'
        assert response.headers["Cache-Control"] == "no-store"
        saved = await response.text()
    document = json.loads(saved)
    evidence = document["evidence"]
    canonical = json.dumps(evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert document["sha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert (evidence["text"], evidence["article"], evidence["state"]) == (
        "Ünlawful “words”\nof two lines 😀",
        "story",
        "removed",
    )
    assert evidence["permalink"] == f"{proxied.url}/comments/{no}"
    assert [(each["reason"], each["note"]) for each in evidence["reports"]] == [("illegal", "See § 130")]
    assert [(each["kind"], each["reason"]) for each in evidence["acts"]] == [("remove", "unlawful")]
    database = await asyncpg.connect(database_url)
    reporter = await database.fetchval("SELECT reporter FROM reports")
    hashes = await database.fetchval("SELECT ARRAY[address, network] FROM comments")
    await database.close()
    assert not any(each.hex() in saved for each in (reporter, *hashes))
    assert reporter not in {*hashes}
    assert (await ida.get("/desk/comments/999999/evidence")).status == 404


async def test_reports_are_listed_dismissed_and_exported_from_the_command_line(proxied: Site) -> None:
    async def run(*arguments: str) -> str:
        status, out, errors = await command(proxied.environ, "reports", *arguments)
        assert status == 0, errors
        return out

    no = await comment(proxied)
    await send(proxied, f"/comments/{no}/report", {"reason": "illegal", "note": "See\n§ 130"})
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d +{no}  open     illegal    See § 130\n", await run("list"))
    assert json.loads(await run("export", str(no)))["evidence"]["permalink"] == f"/comments/{no}"
    assert await run("dismiss", str(no)) == f"dismissed what was reported of No. {no}\n"
    assert await run("list") == ""
    assert " settled  illegal " in await run("list", "--all")
    status, _, errors = await command(proxied.environ, "reports", "dismiss", str(no))
    assert (status, errors) == (1, f"Nothing is open on No. {no}.\n")
    assert (await command(proxied.environ, "reports", "export", "999999"))[0] == 1
