"""The pages over HTTP: their headers, and what they answer without a script."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from service.app import make_app
from service.settings import Settings
from tests.site import Site, telling
from tests.threads import Thread

OF_FILES = {
    "Server",
    "X-Content-Type-Options",
    "Cache-Control",
    "Vary",
    "Etag",
    "Content-Encoding",
    "Content-Type",
    "Content-Length",
    "Date",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/articles/story", 200),
        ("/articles/story/comments", 200),
        ("/articles/story/live", 426),
        ("/nowhere", 404),
        ("/static/000000000000/nowhere.js", 404),
        ("/articles/story?before=x", 400),
    ],
)
async def test_every_answer_but_a_file_carries_the_policy(shared: Site, path: str, status: int) -> None:
    async with shared.http.get(path) as response:
        assert response.status == status
        assert "script-src 'self';" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Server"] == "Afterword"


async def test_a_script_comes_with_few_headers(shared: Site) -> None:
    async with shared.http.get("/articles/story") as response:
        page = await response.text()
    script, *_ = [part.split('"')[0] for part in page.split('type="module" src="')[1:]]
    async with shared.http.get(script, headers={"Accept-Encoding": "br"}) as response:
        assert set(response.headers) == OF_FILES
        tag = response.headers["ETag"]
        assert (await response.text()).startswith("const $")
    async with shared.http.get(script, headers={"Accept-Encoding": "br", "If-None-Match": tag}) as response:
        assert response.status == 304
        assert set(response.headers) <= OF_FILES


async def test_a_comment_is_shown_to_programs_wherever_it_stands(thread: Thread) -> None:
    no = (await thread.post("Quote me"))["no"]
    async with thread.site.http.get(thread.comments) as response:
        [comment] = (await response.json())["comments"]
    as_json = {"Accept": "application/json"}
    async with thread.site.http.get(f"/comments/{no}", headers=as_json, allow_redirects=False) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert (response.headers["Cache-Control"], response.headers["Vary"]) == ("no-store", "Accept")
        assert await response.json() == {
            "no": no,
            "slug": thread.slug,
            "title": f"A {thread.slug}",
            "comment": comment,
        }
    async with thread.site.http.get(f"/comments/{no}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"/articles/{thread.slug}#no-{no}")
        assert (response.headers["Cache-Control"], response.headers["Vary"]) == ("no-store", "Accept")
    for unknown in (no + 1, 9_999_999_999_999_999):
        async with thread.site.http.get(f"/comments/{unknown}", headers=as_json) as response:
            assert (response.status, response.content_type) == (404, "application/problem+json")
        async with thread.site.http.get(f"/comments/{unknown}") as response:
            assert (response.status, response.content_type) == (404, "text/html")


async def test_a_thread_is_paged_both_ways_without_a_script(thread: Thread) -> None:
    numbers = await thread.posts(52)

    async def shown(query: str) -> list[int]:
        async with thread.site.http.get(f"/articles/{thread.slug}?seen=52{query}") as response:
            page = await response.text()
        return [int(part.split('"')[0]) for part in page.split(' id="no-')[1:]]

    assert await shown("") == numbers[2:]
    assert await shown(f"&before={numbers[2]}") == numbers[:2]
    assert await shown(f"&from={numbers[0]}") == numbers[:50]
    assert await shown(f"&from={numbers[50]}") == numbers[50:]
    assert await shown(f"&from={numbers[-1] + 1}") == []


async def test_a_quote_stands_in_the_form_of_the_newest_window(shared: Site) -> None:
    async with shared.http.get("/articles/story?quote=11469") as response:
        assert ">\n&gt;&gt;11469\n</textarea>" in await response.text()
    async with shared.http.get("/articles/story") as response:
        assert "11469" not in await response.text()


@pytest.mark.parametrize("query", ["before=1&from=1", "from=1&around=1", "from=x", "quote=0", "quote=x", "quote=1e9"])
async def test_a_page_that_is_asked_for_unclearly_is_refused(shared: Site, query: str) -> None:
    async with shared.http.get(f"/articles/story?{query}") as response:
        assert response.status == 400


async def test_search_engines_read_pages_and_nothing_else(shared: Site) -> None:
    async with shared.http.get("/robots.txt") as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        rules = (await response.text()).splitlines()
    assert rules[0] == "User-agent: *"
    patterns = [re.compile(re.escape(rule.removeprefix("Disallow: ")).replace(r"\*", ".*")) for rule in rules[1:]]

    def allowed(path: str) -> bool:
        return not any(pattern.match(path) for pattern in patterns)

    assert all(map(allowed, ("/", "/sections/News", "/articles/story", "/articles/story?around=7", "/comments/7")))
    below = [f"/articles/story/{name}" for name in ("comments", "comments?before=7", "events", "live")]
    assert not any(map(allowed, (*below, "/articles/story?quote=7")))


async def test_a_form_keeps_its_text_where_nothing_else_is_known(redis_url: str) -> None:
    away = "postgresql://nobody@/nothing?host=/nowhere/at/all"
    written = "Three paragraphs,\n\nwritten & thought over."
    async with asyncio.TaskGroup() as tasks:
        app = make_app(Settings(database_url=away, redis_url=redis_url, secret="x" * 16), tasks)
        async with TestClient(TestServer(app)) as client:
            async with client.post("/articles/story/comments", data={"text": written}) as response:
                page = await response.text()
                assert (response.status, response.content_type) == (503, "text/html")
                assert (response.headers["Cache-Control"], response.headers["Retry-After"]) == ("no-store", "2")
            assert '<form method="post" action="/articles/story/comments#form">' in page
            assert ">\nThree paragraphs,\n\nwritten &amp; thought over.</textarea>" in page
            assert "keep your text and try again" in page


async def test_the_page_on_privacy_has_the_figures_of_the_settings(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    settings = {"ADDRESS_RETENTION_DAYS": "1234", "REMOVED_RETENTION_DAYS": "43", "BACKUP_RETENTION_DAYS": "1"}
    async with telling(tmp_path, database_url, redis_url, **settings) as site:
        async with site.http.get("/privacy") as response:
            page = await response.text()
        assert response.status == 200
        for words in ("Once 1,234 days have passed", "once 43 days have passed", "after 1 day.", "60 minutes after"):
            assert words in page


async def test_every_page_leads_to_the_one_on_privacy(shared: Site) -> None:
    for path in ("/", "/articles/story", "/sections/News", "/privacy", "/nowhere"):
        async with shared.http.get(path) as response:
            assert '<a href="/privacy">Privacy</a>' in await response.text()
    async with shared.http.get("/privacy") as response:
        page = await response.text()
    assert "Once 7 days have passed" in page
    assert "once 30 days have passed" in page
    assert "Backups are deleted" not in page
