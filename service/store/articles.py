"""Articles in Postgres: what is published, and the lists of the front page."""

import datetime
from itertools import groupby
from typing import Literal, NamedTuple, cast

import asyncpg
import msgspec

from service.article_file import ArticleFile
from service.errors import NotFound
from service.protocol import Epoch, Slug, ThreadId
from service.store import queries
from service.store.database import Pool, available

SQL = queries.load("articles")
Published = Literal["added", "updated", "unchanged"]


class Article(NamedTuple):
    """One article, whole. `id` is its thread's, too; `html` was cleaned when it was loaded."""

    id: ThreadId
    slug: Slug
    revision: int
    title: str
    author: str
    published_at: datetime.datetime
    section: str
    summary: str
    html: str
    image: str | None
    image_credit: str | None
    tags: list[str]


class Headline(msgspec.Struct, frozen=True):
    """An article in a list. `count` is that of its comments."""

    slug: Slug
    title: str
    author: str
    published_at: datetime.datetime
    section: str
    summary: str
    image: str | None
    count: int
    has_thread: bool


class State(NamedTuple):
    """What a cached page of an article depends on."""

    id: ThreadId
    revision: int
    has_thread: bool
    epoch: Epoch
    version: int


class Picture(NamedTuple):
    """A picture's bytes and their media type."""

    media_type: str
    data: bytes


class Articles:
    """The articles in one database. Every method raises `Unavailable` while it is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def publish(self, article: ArticleFile) -> Published:
        """Add an article, or update the one of the same slug; its picture goes with it."""
        async with available(), self._pool.acquire() as connection, connection.transaction():
            image = article.image
            if picture := article.picture:
                image = f"/pictures/{picture.name}"
                await connection.execute(SQL["picture_put"], picture.name, picture.media_type, picture.data)
            return cast(
                "Published",
                await connection.fetchval(
                    SQL["publish"],
                    article.slug,
                    article.title,
                    article.author,
                    article.published_at,
                    article.section,
                    article.summary,
                    article.html,
                    image,
                    article.image_credit,
                    list(article.tags),
                    article.comments,
                ),
            )

    async def article(self, slug: Slug) -> Article:
        """One article. Raises `NotFound`."""
        return Article(*await self._row("article", slug))

    async def state(self, slug: Slug) -> State:
        """What a cached page of an article depends on. Raises `NotFound`."""
        return State(*await self._row("state", slug))

    async def picture(self, name: str) -> Picture:
        """A picture. Raises `NotFound`."""
        return Picture(*await self._row("picture", name))

    async def recent(self, limit: int, section: str | None = None) -> list[Headline]:
        """The latest articles, of one section or of all."""
        async with available():
            return [Headline(*row) for row in await self._pool.fetch(SQL["recent"], section, limit)]

    async def popular(self, limit: int) -> list[Headline]:
        """The most discussed of the latest articles."""
        async with available():
            return [Headline(*row) for row in await self._pool.fetch(SQL["popular"], limit)]

    async def sections(self, limit: int) -> list[tuple[str, list[Headline]]]:
        """Every section with its latest articles, the section with the latest first."""
        async with available():
            rows = await self._pool.fetch(SQL["sections"], limit)
        groups = groupby((Headline(*row) for row in rows), key=lambda headline: headline.section.lower())
        sections = [list(group) for _, group in groups]
        return [(headlines[0].section, headlines) for headlines in sections]

    async def any(self) -> bool:
        """Whether anything was ever published."""
        async with available():
            return cast("bool", await self._pool.fetchval(SQL["any"]))

    async def _row(self, query: str, value: str) -> asyncpg.Record:
        async with available():
            row = await self._pool.fetchrow(SQL[query], value)
        if row is None:
            raise NotFound
        return row
