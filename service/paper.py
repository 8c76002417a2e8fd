"""What the pages show: the lists beside every page, and each article's page, rendered once for all its readers."""

import asyncio
import functools
import hashlib
from collections import OrderedDict
from typing import NamedTuple, Protocol

from msgspec import UNSET

from service.errors import NotFound
from service.fresh import Fresh, Seen
from service.protocol import Comment, Slug, ThreadId, Window
from service.store.articles import Article, Articles, Headline, State
from service.store.comments import Comments

FRESH_SECONDS = 1.0  # how old a page may be, in what it says of the store
WINDOW = 50  # comments on a page
PAGES_BYTES = 64 * 1024 * 1024  # of rendered pages kept
STATES = 4096  # articles whose state is kept
RECENT, POPULAR, TEASERS = 12, 6, 4  # articles in the lists; teasers: of each section


class Lists(NamedTuple):
    """What stands beside every page."""

    recent: list[Headline]
    popular: list[Headline]
    sections: list[tuple[str, list[Headline]]]


class View(NamedTuple):
    """Which page of an article: a window of its thread, the base of its absolute links, and what its form says.

    `quote` is a comment that one is about to answer; `held`: the last one waits for a moderator.
    """

    slug: Slug
    base: str
    around: int | None = None
    before: int | None = None
    from_: int | None = None
    quote: int | None = None
    held: bool = False

    @property
    def common(self) -> bool:
        """Whether many ask for it: the newest comments, and nothing in the form."""
        return all(number is None for number in (self.around, self.before, self.from_, self.quote))


class Parts(NamedTuple):
    """What is read for a page; `window` is None where the article has no thread.

    `pinned`: the comment that stands first, as long as it is published.
    """

    article: Article
    window: Window | None
    pinned: Comment | None = None

    @property
    def earlier(self) -> int | None:
        """How many published comments stand before the window, or None: then one would have to count them."""
        if self.window is None or (self.window.earlier and self.window.later):
            return None
        if not self.window.earlier:
            return 0
        return self.window.count - sum(comment.gone is UNSET for comment in self.window.comments)

    @property
    def answers(self) -> dict[int, list[int]]:
        """Which comments of the window quote a number, for every number that is quoted."""
        found: dict[int, list[int]] = {}
        for comment in self.window.comments if self.window else ():
            for quoted in comment.quotes or ():
                found.setdefault(quoted, []).append(comment.no)
        return found

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
    lists: Lists
    stale: bool


def etag(body: bytes) -> str:
    """The entity tag of a page: a hash of its bytes."""
    return hashlib.sha256(body).hexdigest()[:24]


class _Place:
    """Where a page is kept; whoever makes it has the turn, and the others wait for what comes of it."""

    __slots__ = ("page", "turn")

    def __init__(self) -> None:
        self.page: Page | None = None
        self.turn = asyncio.Lock()


class Render(Protocol):
    """How a page is made."""

    def __call__(self, view: View, parts: Parts, lists: Lists, *, stale: bool) -> str:
        """Return the page as HTML."""


class Paper:
    """The articles as pages. Every method raises `NotFound`, and `Unavailable` where nothing is remembered.

    What is remembered must be as new as what this worker last saw of the thread: an older page might show what was
    removed since.
    """

    def __init__(self, articles: Articles, comments: Comments, render: Render) -> None:
        self._articles = articles
        self._comments = comments
        self._render = render
        self._lists = Fresh(self._read_lists, FRESH_SECONDS)
        self._states: OrderedDict[Slug, Fresh[State]] = OrderedDict()
        self._places: OrderedDict[View, _Place] = OrderedDict()
        self._bytes = 0

    async def lists(self) -> Seen[Lists]:
        """What stands beside every page, at most a second old."""
        return await self._lists.get()

    async def page(self, view: View, seen: int = 0) -> Page:
        """A page, at most a second old, and at least as new as version `seen` of its thread if there is such a one.

        What is common is kept; other windows and filled-in forms are made for each who asks.
        """
        state = await self._state(view.slug, seen)
        lists = await self.lists()
        place = self._place(view)
        async with place.turn:
            before = place.page
            place.page = await self._made(view, state, lists, before)
            if self._places.get(view) is place:  # else it was forgotten meanwhile
                self._bytes += len(place.page.body) - (len(before.body) if before else 0)
                self._trim()
            return place.page

    async def _made(self, view: View, state: Seen[State], lists: Seen[Lists], page: Page | None) -> Page:
        """The page there is, where it still holds, else a new one."""
        stale = state.stale or lists.stale
        parts = page.parts if page and page.parts.hold(state.value) else await self._read(view, state.value)
        if page and page.parts is parts and page.lists is lists.value and page.stale == stale:
            return page
        body = self._render(view, parts, lists.value, stale=stale).encode()
        return Page(body, etag(body), parts, lists.value, stale)

    def _place(self, view: View) -> "_Place":
        if not view.common:
            return _Place()
        if (place := self._places.get(view)) is None:
            place = self._places[view] = _Place()
        self._places.move_to_end(view)
        return place

    def _trim(self) -> None:
        """Forget the pages that were not asked for the longest."""
        while self._bytes > PAGES_BYTES and len(self._places) > 1:
            _, place = self._places.popitem(last=False)
            self._bytes -= len(place.page.body) if place.page else 0
            place.page = None

    def forget(self) -> None:
        """Make each page anew when it is next asked for: what was erased raises no version, and may stand in one."""
        self._places.clear()
        self._bytes = 0

    async def parts(self, view: View) -> Parts:
        """What a page is made of, for one that is not kept."""
        return await self._read(view, await self._articles.state(view.slug))

    async def _state(self, slug: Slug, seen: int) -> Seen[State]:
        """What is known of an article, at most a second old, or older than `seen` only where nothing newer is."""
        if (fresh := self._states.get(slug)) is None:
            fresh = self._states[slug] = Fresh(functools.partial(self._articles.state, slug), FRESH_SECONDS)
        while len(self._states) > STATES:
            self._states.popitem(last=False)
        try:
            state = await fresh.get()
            return await fresh.get(now=True) if state.value.version < seen else state
        except NotFound:
            self._states.pop(slug, None)
            raise

    async def _read(self, view: View, state: State) -> Parts:
        window = await self._window(view, state.id) if state.has_thread else None
        return Parts(await self._articles.article(view.slug), window, await self._pinned(window) if window else None)

    async def _pinned(self, window: Window) -> Comment | None:
        if (no := window.thread.pinned) is UNSET:
            return None
        here = next((comment for comment in window.comments if comment.no == no), None)
        comment = here or (await self._comments.placed(no)).comment
        return comment if comment.gone is UNSET else None

    async def _window(self, view: View, thread: ThreadId) -> Window:
        if view.around is not None:
            return await self._comments.around(thread, view.around, WINDOW)
        if view.before is not None:
            return await self._comments.before(thread, view.before, WINDOW)
        if view.from_ is not None:
            return await self._comments.from_(thread, view.from_, WINDOW)
        return await self._comments.newest(thread, WINDOW)

    async def _read_lists(self) -> Lists:
        return Lists(
            await self._articles.recent(RECENT),
            await self._articles.popular(POPULAR),
            await self._articles.sections(TEASERS),
        )
