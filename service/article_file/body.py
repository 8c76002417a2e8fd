"""The text of an article: from Markdown to HTML that is safe on the page and loads nothing.

markdown-it reads it, links and pictures are judged on its tokens, and nh3 keeps only the tags and
attributes that this makes, so that no mistake in the first two reaches a reader.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline, autolink, image, link
from markdown_it.token import Token

from service.article_file.plain_text import without_hidden
from service.article_file.remarks import Remarks, quoted

MAX_DEPTH = 20  # CommonMark's own readers stop there; nobody quotes a quotation twenty times
MAX_LINKED = 1024 * 1024  # characters of addresses; one reference may be used ten thousand times

_TAGS = {
    *("p", "h2", "h3", "h4", "h5", "h6", "em", "strong", "s", "a", "br", "hr", "blockquote", "pre", "code"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_Rule = Callable[[StateInline, bool], bool]


def render(markdown: str, first_line: int, remarks: Remarks) -> str:
    """Make safe HTML of CommonMark with tables and strikethrough; tags are shown as text.

    The highest heading becomes <h2>, since the title is the page's <h1>. Pictures and links that
    may not stand leave their text and a warning. Raises ArticleFileError where it is nested too
    deeply, or the links that references make are out of all proportion.
    """
    tokens = _MARKDOWN.parse(markdown)
    _check_size(tokens, first_line, remarks)
    _set_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = _Passage(token, first_line, remarks).judged()
    html = _HTML.render(tokens, _MARKDOWN.options, {})
    # Before nh3, not after: what is dropped may not join what it judged apart.
    return nh3.clean(
        without_hidden(html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener",
    ).strip()


def _check_size(tokens: list[Token], first_line: int, remarks: Remarks) -> None:
    linked = 0
    for token in tokens:
        if not token.map:
            continue
        line = first_line + token.map[0]
        passage = [token, *(token.children or ())]
        if max(part.level for part in passage) > MAX_DEPTH:
            raise remarks.error(line, "the text is nested too deeply")
        linked += sum(len(str(value)) for part in passage for value in part.attrs.values())
        if linked > MAX_LINKED:
            raise remarks.error(line, "the addresses of all links together are too long")


def _set_headings(tokens: list[Token]) -> None:
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    highest = min((int(token.tag[1]) for token in headings), default=2)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"


class _Passage:
    """A run of text with its links and pictures, and the lines they stand on."""

    def __init__(self, token: Token, first_line: int, remarks: Remarks) -> None:
        self._parts = token.children or []
        self._first_line = first_line + (token.map or [0])[0]
        self._breaks = [at for at, sign in enumerate(token.content) if sign == "\n"]
        self._remarks = remarks

    def judged(self) -> list[Token]:
        """Return what may stand of it."""
        return list(self._without_pictures(self._without_foul_links(self._parts)))

    def _without_foul_links(self, parts: Iterable[Token]) -> Iterator[Token]:
        foul = False
        for part in parts:
            if part.type == "link_open":
                href = str(part.attrs["href"])
                foul = _scheme(href) not in {"", *_SCHEMES}
                if foul:
                    self._warn(part, f"the link to {quoted(href)} is left out: it is no web address")
            if not (foul and part.type in {"link_open", "link_close"}):
                yield part

    def _without_pictures(self, parts: Iterable[Token]) -> Iterator[Token]:
        in_link = False
        for part in parts:
            if part.type == "image":
                yield from self._instead_of(part, in_link=in_link)
                continue
            if part.type in {"link_open", "link_close"}:
                in_link = part.nesting == 1
            yield part

    def _instead_of(self, picture: Token, *, in_link: bool) -> list[Token]:
        source = str(picture.attrs["src"])
        alt = _HTML.renderInlineAsText(picture.children, _MARKDOWN.options, {})
        if _scheme(source) not in {"http", "https"} and not source.startswith("//"):
            reason = "name it as the image of the front matter"
            self._warn(picture, f"the picture {quoted(source)} is not shown in the text; {reason}")
            return [_text(alt)]
        reason = "nothing on the page may be loaded from elsewhere"
        self._warn(picture, f"the picture {quoted(source)} is only linked: {reason}")
        if in_link:
            return [_text(alt)]
        opening = Token("link_open", "a", 1, attrs={"href": source})
        return [opening, _text(alt or source), Token("link_close", "a", -1)]

    def _warn(self, part: Token, reason: str) -> None:
        line = self._first_line + bisect_left(self._breaks, part.meta["offset"])
        self._remarks.warn(line, reason)


def _scheme(address: str) -> str:
    """Tell the scheme of an address as markdown-it normalised it, or "" if it is relative."""
    scheme = _SCHEME.match(address)
    return scheme[1].lower() if scheme else ""


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _placed(rule: _Rule) -> _Rule:
    """Make a rule note on its tokens where in the passage it stood."""

    def placed(state: StateInline, silent: bool) -> bool:
        offset, known = state.pos, len(state.tokens)
        found = rule(state, silent)
        for token in state.tokens[known:]:
            token.meta.setdefault("offset", offset)
        return found

    return placed


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - markdown-it's name
        """Read every link as one: which may stand is judged here, in one place."""
        return True


def _reader() -> MarkdownIt:
    # maxNesting bounds recursion, too. Blocks below it are dropped without a word, so _check_size is stricter.
    markdown = _Markdown("commonmark", {"html": False, "maxNesting": MAX_DEPTH + 4})
    markdown.enable(["table", "strikethrough"])
    for name, rule in {"link": link, "image": image, "autolink": autolink}.items():
        markdown.inline.ruler.at(name, _placed(rule))
    return markdown


_MARKDOWN = _reader()
_HTML = RendererHTML()
