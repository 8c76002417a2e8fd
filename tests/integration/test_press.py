"""The press: article files on their way into the store, one bad file never in the way of the others."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from service import press, resources
from service.errors import Unavailable
from service.protocol import Slug
from service.store import database
from service.store.articles import Articles

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
