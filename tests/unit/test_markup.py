import re
import time
from html import escape
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import errors
from service.markup import MAX_QUOTES, Markup, render
from service.text import clean

FRAGMENTS = (
    *("http://", "HTTPS://", "example.org", "www.", "m\u00fcnchen.de", "\u4f8b\u3048.jp", ":80"),
    *("user:pw@", "/", "/a_(b)", "?a=1&b=2", "&amp;", "#f", "(", ")", "[", "]", "'", '"', "."),
    *(",", "!", "%20", "\\", "javascript:", "data:text/html,", "//", "<", "</p>", "<script>"),
    *("<!--", "&", "&#60;", ">", ">>", ">>12", "12", "9007199254740993", "\n", "\n>", "\n\n"),
    *(" ", "\xa0", "word", "{{7*7}}", "\U0001f525", "\u200e", "\u3002", "\u0338"),
)
comments = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join) | st.text()


def link(url: str) -> str:
    return f'<a href="{url}" rel="nofollow ugc noopener">{url}</a>'


def ref(no: int) -> str:
    return f'<a class="ref" href="/comments/{no}">&gt;&gt;{no}</a>'


def quoted(html: str) -> str:
    return f'<span class="quoted">{html}</span>'


def inner(text: str) -> str:
    """Return the markup of a text of one paragraph, without its `p`."""
    return render(text).html.removeprefix("<p>").removesuffix("</p>")


class Page(HTMLParser):
    """What a browser would find in the markup: its text, its tags and its addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.hrefs: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        """Take the text between two tags, its entities resolved."""
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the tag's name and address; a line or paragraph begins as it did in the text."""
        self.tags.add(tag)
        self.text += {"br": "\n", "p": "\n\n"}.get(tag, "")
        self.hrefs += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One line.", "<p>One line.</p>"),
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        ("**a** _b_ `c` # d\n- e", "<p>**a** _b_ `c` # d<br>- e</p>"),
        ("a\n\n> b\n>c\n\nd", f"<p>a</p><p>{quoted('&gt; b')}<br>{quoted('&gt;c')}</p><p>d</p>"),
    ],
)
def test_lines_and_paragraphs_stay_apart(text: str, html: str) -> None:
    assert render(text).html == html


@pytest.mark.parametrize(
    ("line", "html"),
    [
        (">", quoted("&gt;")),
        (">text", quoted("&gt;text")),
        ("> text", quoted("&gt; text")),
        (">>text", quoted("&gt;&gt;text")),
        (">> 12", quoted("&gt;&gt; 12")),
        (">>012", quoted("&gt;&gt;012")),
        ("> see >>12", quoted(f"&gt; see {ref(12)}")),
        (">>>12", quoted(f"&gt;{ref(12)}")),
        (">http://example.org/", quoted(f"&gt;{link('http://example.org/')}")),
        (">>12", ref(12)),
        (">>12 no, >that's wrong", f"{ref(12)} no, &gt;that&#x27;s wrong"),
        ("a > b", "a &gt; b"),
        (" >a", " &gt;a"),
        ("&gt;a", "&amp;gt;a"),
    ],
)
def test_a_line_is_quoted_when_it_starts_with_the_sign_alone(line: str, html: str) -> None:
    assert inner(line) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a >>11469, b", f"a {ref(11469)}, b"),
        ("a>>1>>2", f"a{ref(1)}{ref(2)}"),
        ("a >>9007199254740991", f"a {ref(2**53 - 1)}"),
        ("a >>9007199254740992", "a &gt;&gt;9007199254740992"),
        ("a >>12345678901234567", "a &gt;&gt;12345678901234567"),
        ("a >>0", "a &gt;&gt;0"),
        ("a >>-1", "a &gt;&gt;-1"),
        ("a >>\u0661\u0662", "a &gt;&gt;\u0661\u0662"),
        ("a > >12", "a &gt; &gt;12"),
    ],
)
def test_a_reference_names_a_possible_comment(text: str, html: str) -> None:
    assert inner(text) == html


def test_quotes_are_distinct_and_in_order_of_first_mention() -> None:
    text = ">>3 and >>1\n> >>2\n\nagain >>1 >>3 >>9007199254740992 http://example.org/>>7"
    assert render(text).quotes == (3, 1, 2, 7)
    assert render("none") == Markup("<p>none</p>", ())


def test_references_beyond_the_limit_are_links_but_no_quotes() -> None:
    markup = render(" ".join(f">>{no}" for no in range(1, MAX_QUOTES + 6)))
    assert markup.quotes == tuple(range(1, MAX_QUOTES + 1))
    assert markup.html.count('class="ref"') == MAX_QUOTES + 5


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        ("http://example.org", ""),
        ("HTTPS://Example.org:8080/", ""),
        ("https://example.org/a-b_c~d/%C3%A9/?q=a+b;c=d,e&x[]=1#f!g", "."),
        ("https://example.org/wiki/Foo_(bar)", ")."),
        ("https://example.org/a(b)c[d]", "]"),
        ("https://example.org/a", ")b"),
        ("https://example.org/a", "(b"),
        ("https://example.org", ".,;:!?'"),
        ("https://example.org/it's", "'"),
        ("https://example.org", "\u2026"),
        ("https://example.org/a", "\u201d b"),
        ("https://example.org/a", "\u3002b"),
        ("https://example.org/a", '"b'),
        ("https://example.org/a", "<b"),
        ("https://example.org/a", "{{b}}"),
        ("https://example.org/a", "\\b"),
        ("https://example.org", ":"),
        ("https://example.org", ":123456"),
        ("https://example.org", "(b)"),
        ("https://example.org", ".5 a"),
        ("https://b\u00fccher.example/stra\u00dfe", " a"),
        ("http://\u0909\u0926\u093e\u0939\u0930\u0923.\u092a\u0930\u0940/\u0915?\u0916", " a"),
        ("https://xn--bcher-kva.example/", " a"),
        ("https://example.org/@user", " a"),
        ("https://example.org?to=a@example.org", " a"),
    ],
)
def test_an_address_ends_where_a_reader_would_end_it(url: str, rest: str) -> None:
    expected = link(escape(url)) + escape(rest)
    assert inner(f"({url}{rest}") == f"({expected}"
    assert inner(f"\u898b\u3066{url}{rest}") == f"\u898b\u3066{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "https://.",
        "http:///etc/passwd",
        "http:example.org",
        "http://localhost/",
        "http://intranet:80/",
        "http://2130706433/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://.example",
        "http://a..b",
        "http://-a.b/",
        "http://\u3164.b/",
        "http://\u0301a.b/",
        "http://ex%61mple.org/",
        "http://user@example.org/",
        "http://user:pass@example.org/",
        "http://example.org@other.example/",
        "http://example.org:80@other.example/",
        "http://example.org\\@other.example/",
        "http://example.org%2f@other.example/",
        "http://exam\u200eple/",
        "xhttp://example.org/",
        "ftp://example.org/",
        "httpx://example.org/",
        "http\u017f://example.org/",
        "//example.org/",
        "www.example.org",
        "me@example.org",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "javascript://example.org/%0aalert(1)",
        "data:text/html,hello",
        "vbscript:msgbox(1)",
    ],
)
def test_what_is_no_plain_address_stays_text(text: str) -> None:
    assert render(text).html == f"<p>{text}</p>"


def test_addresses_side_by_side_are_links_each() -> None:
    text = "(http://example.org/a)http://example.org/b, http://example.org/c"
    hrefs = ["http://example.org/a", "http://example.org/b", "http://example.org/c"]
    assert Page(render(text).html).hrefs == hrefs


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</p></article><svg onload=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<!-- --><![CDATA[ ]]><?php ?>",
        '" onmouseover="alert(1)',
        "' onmouseover='alert(1)",
        "&lt;script&gt; &#60;b&#62; &amp;",
        "{{ 7*7 }} {% raw %} ${7*7} #{7*7} <%= 7 %>",
        'http://example.org/"onmouseover="alert(1)',
        "http://example.org/'onmouseover='alert(1)",
        "http://example.org/?<script>alert(1)</script>",
        "http://example.org/&quot;onmouseover=alert(1)",
        'http://example.org"><script>alert(1)</script>',
        "http://javascript:alert(1)",
        "javascript:alert(1)//http://example.org/",
        'data:text/html,http://example.org/"><b>',
        '>>12"><script>alert(1)</script>',
        "> <script>alert(1)</script>",
        ">><b>12",
        "+ADw-script+AD4-alert(1)",
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    page = Page(render(text).html)
    assert page.text.removeprefix("\n\n") == text
    assert page.tags <= {"p", "span", "a"}
    assert all(re.match(r"http://example\.org\b|/comments/12$", href) for href in page.hrefs)


@given(comments)
def test_the_markup_is_what_a_sanitizer_leaves_of_it(raw: str) -> None:
    try:
        html = render(clean(raw)).html
    except errors.Empty:
        return
    sanitized = nh3.clean(
        html,
        tags={"p", "br", "span", "a"},
        attributes={"a": {"href", "rel"}},
        allowed_classes={"span": {"quoted"}, "a": {"ref"}},
        url_schemes={"http", "https"},
        link_rel=None,
    )
    # The sanitizer writes the same characters with other entities.
    plain = html.replace("&#x27;", "'").replace("&quot;", '"').replace("\xa0", "&nbsp;")
    assert sanitized == plain


@given(comments)
def test_no_character_is_lost_or_added(raw: str) -> None:
    try:
        text = clean(raw)
    except errors.Empty:
        return
    markup = render(text)
    page = Page(markup.html)
    assert page.text.removeprefix("\n\n") == text
    assert all(re.match(r"(?i)https?://[^/@]+\.|/comments/[1-9]", href) for href in page.hrefs)
    assert len(set(markup.quotes)) == len(markup.quotes) <= MAX_QUOTES


@given(st.text(st.characters(exclude_categories=())))
def test_any_string_can_be_rendered(text: str) -> None:
    render(text)


@pytest.mark.parametrize(
    "pattern",
    [
        ">",
        ">>1",
        ">>1 ",
        "\n",
        "\n>",
        "<",
        "(",
        "http://",
        "http://a",
        "http://a.bc",
        "http://a.bc@",
        "http://a.bc:",
        "http://a.bc/(",
        "http://a.bc/)",
        "http://a.bc/()",
        "http://a.bc/[(",
        "http://a.bc/.",
        "a.",
        "1.",
        "ab.",
        "ab.1.",
    ],
)
@pytest.mark.parametrize("start", ["", "http://", "http://a.bc/", "http://a.bc/("])
def test_time_is_linear(start: str, pattern: str) -> None:
    def seconds(length: int) -> float:
        text = start + pattern * (length // len(pattern)) + "@"
        best = 60.0
        for _ in range(5):
            begin = time.process_time()
            render(text)
            best = min(best, time.process_time() - begin)
        return best

    # Eight times the text takes eight times as long, 64 times if it were quadratic.
    assert seconds(65_536) < 24 * seconds(8_192) + 0.001
