"""The press and the paper: article files on their way into the store, and out again as pages."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from service import paper, press, resources
from service.errors import NotFound, Unavailable
from service.paper import Lists, Paper, Parts, View
from service.protocol import Slug
from service.store import comments, database
from service.store.articles import Articles
from service.store.comments import Comments, Draft
from service.store.database import Connection, Pool

UTC = ZoneInfo("UTC")


class Lines(list[str]):
    """What was said."""

    def __call__(self, line: str) -> None:
        """Say a line."""
        self.append(line)


@pytest_asyncio.fixture
async def articles(database_url: str) -> AsyncIterator[Articles]:
    async with database.pool(database_url, 2) as pool:
        yield Articles(pool)


def write(folder: Path, slug: str, text: str = "One.", **fields: str) -> Path:
    front = "\n".join(f"{name}: {value}" for name, value in ({"title": slug, "date": "2026-01-01"} | fields).items())
    path = folder / f"{slug}.md"
    path.write_text(f"---\n{front}\n---\n{text}\n")
    return path


async def test_files_and_folders_are_loaded_and_again_they_change_nothing(articles: Articles, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder", "one")
    write(tmp_path / "folder", "two")
    paths = [tmp_path / "folder", write(tmp_path, "three")]
    said, complained = Lines(), Lines()
    assert await press.load(articles, paths, UTC, said, complained)
    assert said == ["added     one", "added     two", "added     three"]
    said.clear()
    write(tmp_path, "three", "Two.")
    assert await press.load(articles, paths, UTC, said, complained)
    assert said == ["unchanged one", "unchanged two", "updated   three"]
    assert complained == []


async def test_a_bad_file_is_named_and_the_others_are_loaded(articles: Articles, tmp_path: Path) -> None:
    write(tmp_path, "good")
    (tmp_path / "bad.md").write_text("---\ntitle: Bad\ndate: never\n---\n")
    said, complained = Lines(), Lines()
    paths = [tmp_path / "missing.md", tmp_path]
    assert not await press.load(articles, paths, UTC, said, complained)
    assert said == ["added     good"]
    assert len(complained) == 2
    assert "missing.md" in complained[0]
    assert "bad.md:3: " in complained[1]


async def test_what_is_doubtful_is_said_and_loaded(articles: Articles, tmp_path: Path) -> None:
    said, complained = Lines(), Lines()
    path = write(tmp_path, "story", colour="red")
    assert await press.load(articles, [path], UTC, said, complained)
    assert said == ["added     story"]
    assert [line.partition(": ")[0].endswith("story.md:4") for line in complained] == [True]


async def test_a_picture_beside_the_file_comes_with_it(articles: Articles, tmp_path: Path) -> None:
    (tmp_path / "lead.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    path = write(tmp_path, "story", image="lead.svg")
    assert await press.load(articles, [path], UTC, Lines(), Lines())
    article = await articles.article(Slug("story"))
    assert article.image is not None
    picture = await articles.picture(article.image.rpartition("/")[2])
    assert picture.media_type == "image/svg+xml"


async def test_the_demonstration_is_loaded_without_a_word_of_complaint(articles: Articles) -> None:
    complained = Lines()
    assert await press.load(articles, [resources.DEMONSTRATION], UTC, Lines(), complained)
    assert complained == []
    assert len(await articles.recent(50)) >= 6
    assert len(await articles.sections(5)) >= 3


async def test_a_database_that_is_away_stops_the_press(tmp_path: Path) -> None:
    async with database.pool("postgresql://nobody@/nothing?host=/nowhere/at/all", 1) as pool:
        with pytest.raises(Unavailable):
            await press.load(Articles(pool), [write(tmp_path, "story")], UTC, Lines(), Lines())


# The paper: what the press brought, as pages


class Printer:
    """Renders a page as a line, and counts how often."""

    def __init__(self) -> None:
        self.printed = 0

    def __call__(self, view: View, parts: Parts, lists: Lists, *, stale: bool) -> str:
        """Make the page."""
        self.printed += 1
        numbers = [comment.no for comment in parts.window.comments] if parts.window else None
        assert view.slug == parts.article.slug
        return f"{parts.article.title} {numbers} {len(lists.recent)}{' stale' if stale else ''}"


class Edition:
    """A paper on a database, and what a test does to it."""

    def __init__(self, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pool = pool
        self.articles = Articles(pool)
        self.printer = Printer()
        self._patch = monkeypatch
        self.paper = Paper(self.articles, Comments(pool), self.printer)

    async def publish(self, folder: Path, slug: str, **fields: str) -> None:
        """Load an article."""
        assert await press.load(self.articles, [write(folder, slug, **fields)], UTC, Lines(), Lines())

    async def comment(self, slug: str, count: int = 1) -> list[int]:
        """Commit comments; their numbers."""
        thread = await Comments(self.pool).thread(Slug(slug))
        drafts = [Draft(thread, uuid.uuid4(), "Hello", b"tag") for _ in range(count)]
        async with self.pool.acquire() as connection:
            outcomes = await comments.post(cast("Connection", connection), drafts)
        return [outcome.standing.no for outcome in outcomes if outcome.standing]

    async def body(self, slug: str = "story", seen: int = 0, **view: Any) -> str:
        """Read a page."""
        return (await self.paper.page(View(Slug(slug), "http://x", **view), seen)).body.decode()

    def go_away(self) -> None:
        """Take the database away from the articles' reads."""

        async def refuse(*_anything: object) -> None:
            raise Unavailable

        for read in ("state", "recent", "article"):
            self._patch.setattr(self.articles, read, refuse)


@pytest_asyncio.fixture
async def edition(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edition]:
    async with database.pool(database_url, 4) as pool:
        made = Edition(pool, monkeypatch)
        await made.publish(tmp_path, "story")
        yield made


async def test_a_page_is_printed_once_while_nothing_changes(edition: Edition) -> None:
    pages = [await edition.paper.page(View(Slug("story"), "http://x")) for _ in range(5)]
    assert len(set(map(id, pages))) == edition.printer.printed == 1
    assert pages[0].body == b"story [] 1"
    assert not pages[0].stale
    assert await edition.body(held=True) == "story [] 1"
    assert edition.printer.printed == 2, "another view"


async def test_who_needs_a_version_gets_a_page_at_least_as_new(edition: Edition) -> None:
    before = await edition.paper.page(View(Slug("story"), "http://x"))
    (no,) = await edition.comment("story")
    after = await edition.paper.page(View(Slug("story"), "http://x"), seen=1)
    assert after.body == f"story [{no}] 1".encode()
    assert after.etag != before.etag
    assert await edition.body(seen=99) == f"story [{no}] 1", "as new as there is"


async def test_what_changes_in_the_store_is_printed_within_a_second(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "FRESH_SECONDS", 0.0)
    edition.paper = Paper(edition.articles, Comments(edition.pool), edition.printer)
    assert await edition.body() == "story [] 1"
    await edition.publish(tmp_path, "story", title="Changed")
    assert await edition.body() == "Changed [] 1"
    await edition.publish(tmp_path, "other")
    assert await edition.body() == "Changed [] 2"
    await edition.publish(tmp_path, "story", comments="none")
    assert await edition.body() == "story None 2"
    await edition.publish(tmp_path, "story")
    await edition.pool.execute("UPDATE threads SET epoch = 'restored'")
    printed = edition.printer.printed
    await edition.body()
    await edition.pool.execute("UPDATE threads SET epoch = 'again'")
    await edition.body()
    assert edition.printer.printed == printed + 2


async def test_a_page_shows_the_window_that_was_asked_for(edition: Edition) -> None:
    numbers = await edition.comment("story", 120)
    assert await edition.body(seen=1) == f"story {numbers[-50:]} 1"
    assert await edition.body(before=numbers[10]) == f"story {numbers[:10]} 1"
    assert await edition.body(from_=numbers[50]) == f"story {numbers[50:100]} 1"
    assert await edition.body(from_=numbers[-1] + 1) == "story [] 1"
    assert await edition.body(around=numbers[60]) == f"story {numbers[35:85]} 1"
    with pytest.raises(NotFound):
        await edition.body(around=numbers[-1] + 1)
    assert (await edition.paper.parts(View(Slug("story"), "http://x"))).window is not None


async def test_what_does_not_exist_is_not_remembered(edition: Edition, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await edition.body("other")
    await edition.publish(tmp_path, "other")
    assert (await edition.body("other")).startswith("other")


async def test_while_the_store_is_away_what_was_printed_is_shown_and_marked(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "FRESH_SECONDS", 0.0)
    edition.paper = Paper(edition.articles, Comments(edition.pool), edition.printer)
    await edition.body()
    edition.go_away()
    assert await edition.body() == await edition.body() == "story [] 1 stale"
    with pytest.raises(Unavailable):
        await edition.body("other")


async def test_a_paper_keeps_only_so_many_bytes_of_pages(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "PAGES_BYTES", 2 * len("story [] 9"))
    monkeypatch.setattr(paper, "STATES", 2)
    for slug in ("one-1", "two-2"):
        await edition.publish(tmp_path, slug)
    for slug in ("story", "one-1", "story", "two-2", "story"):
        await edition.body(slug)
    assert edition.printer.printed == 3
    await edition.body("one-1")
    assert edition.printer.printed == 4, "the one that was asked for longest ago had gone"
    assert {view.slug for view in edition.paper._places} == {"story", "one-1"}
    assert edition.paper._bytes == 2 * len("story [] 9")
    assert len(edition.paper._states) == 2


async def test_after_a_sweep_every_page_is_made_anew(edition: Edition) -> None:
    await edition.body()
    edition.paper.forget()
    await edition.body()
    assert edition.printer.printed == 2
    assert edition.paper._bytes == len("story [] 1")


async def test_other_windows_and_filled_in_forms_are_made_for_each_who_asks(edition: Edition) -> None:
    numbers = await edition.comment("story", 3)
    for _ in range(3):
        assert await edition.body(before=numbers[-1]) == f"story {numbers[:-1]} 1"
        assert await edition.body(from_=numbers[1]) == f"story {numbers[1:]} 1"
        assert await edition.body(quote=numbers[0]) == f"story {numbers} 1"
    assert edition.printer.printed == 9
    assert not edition.paper._places


async def test_who_asks_at_once_shares_a_page(edition: Edition) -> None:
    view = View(Slug("story"), "http://x")
    pages = await asyncio.gather(*(edition.paper.page(view) for _ in range(20)))
    assert len(set(map(id, pages))) == edition.printer.printed == 1
