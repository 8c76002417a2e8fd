"""What the pages show: the lists beside every page, and each article's page, rendered once for all its readers."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple, Protocol

from service.fresh import Fresh, Seen
from service.protocol import Slug, ThreadId, Window
from service.store.articles import Article, Articles, Headline, State
from service.store.comments import Comments

FRESH_SECONDS = 1.0  # how old a page may be, in what it says of the store
WINDOW = 50  # comments on a page
PAGES = 256  # rendered pages kept
STATES = 4096  # articles whose state is kept
RECENT, POPULAR, TEASERS = 12, 6, 4  # articles in the lists; teasers: of each section


class Lists(NamedTuple):
    """What stands beside every page."""

    recent: list[Headline]
    popular: list[Headline]
    sections: list[tuple[str, list[Headline]]]


class View(NamedTuple):
    """Which page of an article: a window of its thread, the base of its absolute links, and whether to say "held"."""

    slug: Slug
    base: str
    around: int | None = None
    before: int | None = None
    held: bool = False


class Parts(NamedTuple):
    """What is read for a page; `window` is None where the article has no thread."""

    article: Article
    window: Window | None

    def hold(self, state: State) -> bool:
        """Whether nothing newer is known."""
        if self.article.revision != state.revision or (self.window is not None) != state.has_thread:
            return False
        return self.window is None or (self.window.epoch == state.epoch and self.window.version >= state.version)


class Page(NamedTuple):
    """A rendered page, and what it was made of."""

    body: bytes
    etag: str
    parts: Parts
    lists: Seen[Lists]
    stale: bool


class Render(Protocol):
    """How a page is made."""

    def __call__(self, view: View, parts: Parts, lists: Lists, *, stale: bool) -> str:
        """Return the page as HTML."""


class Paper:
    """The articles as pages. Every method raises `NotFound`, and `Unavailable` where nothing is remembered."""

    def __init__(self, articles: Articles, comments: Comments, render: Render) -> None:
        self._articles = articles
        self._comments = comments
        self._render = render
        self._lists = Fresh(self._read_lists, FRESH_SECONDS)
        self._states: OrderedDict[Slug, Fresh[State]] = OrderedDict()
        self._pages: OrderedDict[View, Page] = OrderedDict()

    async def lists(self) -> Seen[Lists]:
        """What stands beside every page, at most a second old."""
        return await self._lists.get()

    async def page(self, view: View, seen: int = 0) -> Page:
        """A page, at most a second old, and at least as new as version `seen` of its thread if there is such a one."""
        state = await self._state(view.slug, seen)
        lists = await self.lists()
        stale = state.stale or lists.stale
        page = self._pages.get(view)
        parts = page.parts if page and page.parts.hold(state.value) else await self._read(view, state.value)
        if page is None or page.parts is not parts or page.lists.value is not lists.value or page.stale != stale:
            body = self._render(view, parts, lists.value, stale=stale).encode()
            page = Page(body, hashlib.sha256(body).hexdigest()[:24], parts, lists, stale)
            self._pages[view] = page
            while len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(view)
        return page

    async def parts(self, view: View) -> Parts:
        """What a page is made of, for one that is not kept."""
        return await self._read(view, await self._articles.state(view.slug))

    async def _state(self, slug: Slug, seen: int) -> Seen[State]:
        known = self._states.get(slug)
        fresh = known or Fresh(lambda: self._articles.state(slug), FRESH_SECONDS)
        state = await fresh.get()
        if state.value.version < seen:
            state = await fresh.get(now=True)
        if known is None:  # only what exists is kept
            self._states[slug] = fresh
            while len(self._states) > STATES:
                self._states.popitem(last=False)
        return state

    async def _read(self, view: View, state: State) -> Parts:
        window = await self._window(view, state.id) if state.has_thread else None
        return Parts(await self._articles.article(view.slug), window)

    async def _window(self, view: View, thread: ThreadId) -> Window:
        if view.around is not None:
            return await self._comments.around(thread, view.around, WINDOW)
        if view.before is not None:
            return await self._comments.before(thread, view.before, WINDOW)
        return await self._comments.newest(thread, WINDOW)

    async def _read_lists(self) -> Lists:
        return Lists(
            await self._articles.recent(RECENT),
            await self._articles.popular(POPULAR),
            await self._articles.sections(TEASERS),
        )
