"""All who are on one thread while a fault strikes: readers, and authors who post steadily."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import NamedTuple

import aiohttp

from tests.faults.acts import Acts
from tests.faults.author import Author, RequestAuthor, SocketAuthor
from tests.faults.reader import Reader
from tests.site import Message, Site, eventually

JOINING = 64  # readers that connect at once
PATIENCE = 40.0  # seconds: an author may wait ten for an answer, twice, and a reader twenty for a word


class Size(NamedTuple):
    """How many there are, how often they all together post in a second, and how far faults are shortened."""

    readers: int
    authors: int
    rate: float
    short: bool


FULL = Size(readers=200, authors=6, rate=40.0, short=False)
SHORT = Size(readers=24, authors=4, rate=45.0, short=True)


class Crowd:
    """Readers and authors of one thread."""

    def __init__(self, site: Site, slug: str, size: Size, random: Random, start: Message) -> None:
        self.site = site
        self.slug = slug
        self.start = start
        self.acts = Acts()
        self.talking = asyncio.Event()
        self.batch = 15 if size.short else 80  # comments that make a good deal
        self.random = random
        self.tasks: asyncio.TaskGroup
        self._running: list[asyncio.Task[None]] = []
        self.readers = [self.reader(site.url) for _ in range(size.readers)]
        self.authors = [self._author(number, size) for number in range(size.authors)]

    def reader(self, url: str) -> Reader:
        """One more reader, who begins with the empty thread."""
        return Reader(url, self.slug, self.start, self.random, self.site.http)

    def _author(self, number: int, size: Size) -> Author:
        """Of four authors one posts by form, one as JSON with a new connection each time, and two by socket."""
        where = (self.site.url, self.slug, f"Author{number}", self.acts, size.authors / size.rate)
        if number % 4 == 3:
            return RequestAuthor(*where, self.random, self.talking, form=True)
        if number % 4 == 1:
            return RequestAuthor(*where, self.random, self.talking, anew=True)
        return SocketAuthor(*where, self.random, self.talking)

    def come(self, who: Reader | Author) -> None:
        """Let someone begin; they stay to the end."""
        self._running.append(self.tasks.create_task(who.run()))

    @contextlib.contextmanager
    def long(self) -> Iterator[None]:
        """Let the authors write comments of 3 KB while inside."""
        for author in self.authors:
            author.long = True
        try:
            yield
        finally:
            for author in self.authors:
                author.long = False

    async def last(self, seconds: float) -> None:
        """Let a fault last: nothing is waited for, the authors go on."""
        await asyncio.sleep(seconds)

    async def say_once(self) -> None:
        """One comment, and return when it was accepted."""
        await self.authors[-1].say()
        await eventually(lambda: not self.acts.pending)

    async def flow(self, count: int) -> None:
        """Return when so many more comments were accepted. Raises TimeoutError."""
        wanted = len(self.acts.accepted) + count
        await eventually(lambda: len(self.acts.accepted) >= wanted, PATIENCE)

    async def hush(self) -> None:
        """Let the authors be silent, and return when everything they said was answered. Raises TimeoutError."""
        self.talking.clear()
        await eventually(lambda: not self.acts.pending, PATIENCE)

    async def level(self, version: int, seconds: float) -> bool:
        """Whether all readers come to a version, or beyond it, in that time, and are live."""
        with contextlib.suppress(TimeoutError):
            await eventually(lambda: all(r.live and r.level >= version for r in self.readers), seconds)
            return True
        return False

    def behind(self, version: int) -> str:
        """Who is not at a version, for people."""
        late = [reader for reader in self.readers if not reader.live or reader.level < version]
        some = ", ".join(f"{'live' if reader.live else 'not live'} at {reader.level}" for reader in late[:3])
        return f"{len(late)} of {len(self.readers)} ({some})"

    async def gather(self) -> None:
        """Return when all readers are there and the authors' comments flow."""
        for index in range(0, len(self.readers), JOINING):
            some = self.readers[index : index + JOINING]
            for reader in some:
                self.come(reader)
            await eventually(lambda some=some: all(reader.live for reader in some), PATIENCE)  # type: ignore[misc]
        for author in self.authors:
            self.come(author)
        self.talking.set()
        await self.flow(self.batch)

    def leave(self) -> None:
        """Let everyone go."""
        for task in self._running:
            task.cancel()


@contextlib.asynccontextmanager
async def crowd(site: Site, slug: str, size: Size, random: Random) -> AsyncIterator[Crowd]:
    """A crowd on an empty thread, gathered and talking. A failure of one of them that is ours is raised."""
    start = await window(site, slug)
    here = Crowd(site, slug, size, random, start)
    async with asyncio.TaskGroup() as here.tasks:
        try:
            await here.gather()
            yield here
        finally:
            here.leave()


async def window(site: Site, slug: str, query: str = "") -> Message:
    """A window of the thread, asked for again until it is given."""
    found: list[Message] = []

    async def given() -> bool:
        with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
            path = f"/articles/{slug}/comments{query}"
            async with site.http.get(path, timeout=aiohttp.ClientTimeout(10)) as response:
                if response.status == 200:
                    found.append(await response.json())
        return bool(found)

    await eventually(given, PATIENCE)
    return found[0]
