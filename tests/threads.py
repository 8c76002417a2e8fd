"""One thread below one long article: what happens in it while somebody reads."""

import itertools
from typing import Any

from websockets.asyncio.client import connect

from service.store.database import Connection
from tests.site import Site, op

PARAGRAPHS = 60
WORDS = "Twenty-four seconds is one verse of the horn, and the ferry sings two of them before the light changes. "

_names = itertools.count(1)


class Thread:
    """A thread of its own on a site that others use, too."""

    def __init__(self, site: Site, database: Connection, slug: str, number: int) -> None:
        self.site = site
        self.slug = slug
        self.id = number
        self._database = database

    @classmethod
    async def begin(cls, site: Site, database: Connection) -> "Thread":
        """Publish an article of many paragraphs, past the command line, which would take a second for each."""
        slug = f"story-{next(_names)}"
        html = f"<p>{WORDS * 3}</p>" * PARAGRAPHS
        await database.execute(
            """
            SELECT publish_article($1, 'A ' || $1, 'Mara Quill', now(), 'City', 'All of it.', $2, NULL, NULL, '{}',
                                   'open')
            """,
            slug,
            html,
        )
        return cls(site, database, slug, await database.fetchval("SELECT id FROM articles WHERE slug = $1", slug))

    @property
    def url(self) -> str:
        """The article's address."""
        return f"{self.site.url}/articles/{self.slug}"

    @property
    def comments(self) -> str:
        """Where its comments are, on the site."""
        return f"/articles/{self.slug}/comments"

    def socket(self, query: str = "", **options: Any) -> connect:
        """A foreign WebSocket client on it."""
        return self.site.socket(self.slug, query, **options)

    async def post(self, text: str = WORDS) -> dict[str, Any]:
        """A comment by somebody else: the fields of `accepted`."""
        async with self.site.http.post(self.comments, json={"op": op(), "text": text}) as response:
            assert response.status == 201, await response.text()
            accepted: dict[str, Any] = await response.json()
            return accepted

    async def posts(self, count: int) -> list[int]:
        """Comments by somebody else, one after the other: their numbers."""
        return [(await self.post(f"{number}. {WORDS * (number % 4)}"))["no"] for number in range(1, count + 1)]

    async def retract(self, accepted: dict[str, Any]) -> None:
        """Take a comment back, as its author does."""
        address = f"{self.comments}/{accepted['no']}"
        async with self.site.http.delete(address, json={"key": accepted["key"]}) as response:
            assert response.status == 200, await response.text()

    async def fill(self, count: int, *, hold: int = 0) -> list[int]:
        """Put comments into it at once, every `hold`th of them held: the numbers of all. Not while it is posted to."""
        rows = await self._database.fetch(
            """
            WITH drafts AS (
                SELECT n, $3 > 0 AND n % greatest($3, 1) = 0 AS held FROM generate_series(1, $2::int) n
            ), put AS (
                INSERT INTO comments (thread, version, op, text_tag, text, state)
                SELECT id, CASE WHEN NOT held THEN version + row_number() OVER (PARTITION BY held ORDER BY n) END,
                       gen_random_uuid(), '', n || '. ' || repeat($4, n % 4),
                       CASE WHEN held THEN 'held' ELSE 'published' END
                FROM threads, drafts WHERE id = $1 ORDER BY n
                RETURNING no, version
            ), raised AS (
                UPDATE threads SET version = version + n, count = count + n
                FROM (SELECT count(version) AS n FROM put) s WHERE id = $1
            )
            SELECT no FROM put ORDER BY no
            """,
            self.id,
            count,
            hold,
            WORDS,
        )
        return [row["no"] for row in rows]

    async def publish(self, *numbers: int) -> None:
        """Publish comments that were held, as a moderator does: readers are told by the check, within 2 s."""
        await self._moderate("published", 1, numbers)

    async def reject(self, no: int) -> None:
        """Not publish what was held, as a moderator does: no reader is told."""
        await self._database.execute("UPDATE comments SET state = 'removed' WHERE no = $1 AND version IS NULL", no)

    async def last(self) -> int:
        """The number of what was accepted last."""
        number: int = await self._database.fetchval("SELECT max(no) FROM comments WHERE thread = $1", self.id)
        return number

    async def remove(self, *numbers: int) -> None:
        """Take comments away, as a moderator does."""
        await self._moderate("removed", -1, numbers)

    async def declare(self, state: str) -> None:
        """Open, hold or close it, as a new version of the article's file does: readers are told by the check."""
        await self._database.execute(
            "UPDATE threads SET state = $2, version = version + 1, state_version = version + 1 WHERE id = $1",
            self.id,
            state,
        )

    async def stored(self) -> list[tuple[str, str | None]]:
        """Every comment that was accepted, in order: its state and its text."""
        rows = await self._database.fetch("SELECT state, text FROM comments WHERE thread = $1 ORDER BY no", self.id)
        return [(row["state"], row["text"]) for row in rows]

    async def reported(self, no: int) -> list[str]:
        """For which reasons a comment was reported."""
        return [
            row["reason"] for row in await self._database.fetch("SELECT reason FROM reports WHERE comment = $1", no)
        ]

    async def restore(self) -> None:
        """Begin a new epoch, as after a restore: what every reader shows is to be replaced."""
        await self._database.execute(
            "UPDATE threads SET epoch = left(replace(gen_random_uuid()::text, '-', ''), 12) WHERE id = $1", self.id
        )

    async def _moderate(self, state: str, counted: int, numbers: tuple[int, ...]) -> None:
        async with self._database.transaction():
            await self._database.execute("SELECT FROM threads WHERE id = $1 FOR UPDATE", self.id)
            for no in numbers:
                version = await self._database.fetchval(
                    "UPDATE threads SET version = version + 1, count = count + $2 WHERE id = $1 RETURNING version",
                    self.id,
                    counted,
                )
                await self._database.execute(
                    "UPDATE comments SET state = $2, version = $3 WHERE no = $1", no, state, version
                )
