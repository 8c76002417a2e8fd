import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.article_file import ArticleFileError
from service.article_file.body import render
from service.article_file.remarks import Remarks

ARTICLE = Path("story.md")
FIRST_LINE = 10
BARE = "p h2 h3 h4 h5 h6 em strong s br hr blockquote pre code ul li table thead tbody tr th td"
ATTRIBUTES = {"a": {"href", "title", "rel"}, "ol": {"start"}}


def rendered(markdown: str) -> tuple[str, list[str]]:
    """The markup, and the warnings without the file's name."""
    remarks = Remarks(ARTICLE)
    html = render(markdown, FIRST_LINE, remarks)
    return html, [warning.removeprefix(f"{ARTICLE}:") for warning in remarks.warnings]


def html_of(markdown: str) -> str:
    html, warnings = rendered(markdown)
    assert not warnings
    return html


class Judge(HTMLParser):
    """A second opinion on what is safe, by another parser."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only the tags and attributes of CommonMark, only links to the web, to mail or within the site."""
        assert tag in {*ATTRIBUTES, *BARE.split()}
        assert {name for name, _ in attrs} <= ATTRIBUTES.get(tag, set())
        href = re.sub(r"[\x00-\x20]", "", dict(attrs).get("href") or "").lower()
        assert re.match(r"(https?:|mailto:|[^:]*$|[^:]*[/?#%&])", href), href
        if tag == "a":
            assert dict(attrs)["rel"] == "noopener"

    def handle_comment(self, data: str) -> None:
        """No comments."""
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        """No declarations."""
        raise AssertionError(decl)


def judge(html: str) -> None:
    opinion = Judge()
    opinion.feed(html)
    opinion.close()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\ufeff]", html)


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("", ""),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>"),
        ("\u201cI\u2019m \"here\"\u201d -- 'so'...", "<p>\u201cI\u2019m \"here\"\u201d -- 'so'...</p>"),
        ("a  \nb\n\n***", "<p>a<br>\nb</p>\n<hr>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> a\n\n- b", "<blockquote>\n<p>a</p>\n</blockquote>\n<ul>\n<li>b</li>\n</ul>"),
        ("```js evil\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        (
            "|a|b|\n|-|-:|\n|1|2|",
            """<table>
<thead>
<tr>
<th>a</th>
<th>b</th>
</tr>
</thead>
<tbody>
<tr>
<td>1</td>
<td>2</td>
</tr>
</tbody>
</table>""",
        ),
        ('[a](/b "c")', '<p><a href="/b" title="c" rel="noopener">a</a></p>'),
        ("[a][b]\n\n[b]: https://x.example/", '<p><a href="https://x.example/" rel="noopener">a</a></p>'),
        ("<https://x.example>", '<p><a href="https://x.example" rel="noopener">https://x.example</a></p>'),
        ("<desk@x.example>", '<p><a href="mailto:desk@x.example" rel="noopener">desk@x.example</a></p>'),
        ("https://x.example", "<p>https://x.example</p>"),
    ],
)
def test_commonmark_tables_and_strikethrough_are_read(markdown: str, html: str) -> None:
    assert html_of(markdown) == html


@pytest.mark.parametrize(
    ("markdown", "tags"),
    [
        ("# a\n## b\n# c", ["h2", "h3", "h2"]),
        ("## a\n### b", ["h2", "h3"]),
        ("#### a", ["h2"]),
        ("a\n=\n###### b", ["h2", "h6"]),
        ("## a\n\n> # b", ["h3", "h2"]),
    ],
)
def test_the_highest_heading_is_second_to_the_title(markdown: str, tags: list[str]) -> None:
    assert re.findall(r"<(h\d)>", html_of(markdown)) == tags


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a <b onclick=x>", "<p>a &lt;b onclick=x&gt;</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("<svg/onload=alert(1)>", "<p>&lt;svg/onload=alert(1)&gt;</p>"),
        ("<style>p{}</style>", "<p>&lt;style&gt;p{}&lt;/style&gt;</p>"),
        ("<!-- a -->", "<p>&lt;!-- a --&gt;</p>"),
        ("&lt;script>", "<p>&lt;script&gt;</p>"),
        ("a&#x202e;b\u2067c\ufeff", "<p>abc</p>"),
        ("a\u200eb", "<p>a\u200eb</p>"),
        (
            '[a](/b "x\\" onclick=alert(1) y=\\"")',
            '<p><a href="/b" title="x&quot; onclick=alert(1) y=&quot;" rel="noopener">a</a></p>',
        ),
        ("[a](java&#x202e;script:b)", '<p><a href="java%E2%80%AEscript:b" rel="noopener">a</a></p>'),
        ("[a](java&Tab;script:b)", '<p><a href="java%09script:b" rel="noopener">a</a></p>'),
        ("[a](java\u0000script:b)", '<p><a href="java%EF%BF%BDscript:b" rel="noopener">a</a></p>'),
        ("[a]: b (x><script>)\n\n[a]", '<p><a href="b" title="x&gt;&lt;script&gt;" rel="noopener">a</a></p>'),
    ],
)
def test_markup_in_the_text_is_text(markdown: str, html: str) -> None:
    assert html in html_of(markdown)
    judge(html_of(markdown))


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("[a](javascript:alert(1))", "javascript:alert(1)"),
        ("[a](JaVaScRiPt:b)", "JaVaScRiPt:b"),
        ("[a](&#106;avascript&colon;b)", "javascript:b"),
        ("[a](<  javascript:b>)", "javascript:b"),
        ("[a](vbscript:b)", "vbscript:b"),
        ("[a](data:text/html,b)", "data:text/html,b"),
        ("[a](data:image/png;base64,b)", "data:image/png;base64,b"),
        ("[a](file:///b)", "file:///b"),
        ("[a](tel:1)", "tel:1"),
    ],
)
def test_only_links_to_the_web_mail_and_the_site_stand(link: str, told: str) -> None:
    warning = f"{FIRST_LINE + 1}: the link to '{told}' is left out: it is no web address"
    html = '<p>x\na <a href="d" rel="noopener">c</a></p>'
    assert rendered(f"x\n{link} [c](d)") == (html, [warning])


def test_a_reference_is_judged_like_a_link() -> None:
    html, warnings = rendered("[a]: javascript:b\n\n[a] ![a]")
    assert html == "<p>a a</p>"
    assert [warning.split(" is ")[0] for warning in warnings] == [
        "12: the link to 'javascript:b'",
        "12: the picture 'javascript:b'",
    ]


def test_a_picture_from_elsewhere_is_a_link() -> None:
    reason = "is only linked: nothing on the page may be loaded from elsewhere"
    html, warnings = rendered("![a *b*](https://x.example/y.png)\n![](//x.example)\n[![c](HTTPS://x.example)](/d)")
    assert html == (
        '<p><a href="https://x.example/y.png" rel="noopener">a b</a>\n'
        '<a href="//x.example" rel="noopener">//x.example</a>\n'
        '<a href="/d" rel="noopener">c</a></p>'
    )
    assert warnings == [
        f"10: the picture 'https://x.example/y.png' {reason}",
        f"11: the picture '//x.example' {reason}",
        f"12: the picture 'HTTPS://x.example' {reason}",
    ]


@pytest.mark.parametrize("source", ["y.png", "../y.png", "/static/y.svg", "data:image/png;base64,y", "javascript:y"])
def test_any_other_picture_leaves_its_words(source: str) -> None:
    reason = "is not shown in the text; name it as the image of the front matter"
    warnings = [f"{FIRST_LINE}: the picture '{source}' {reason}"]
    assert rendered(f"![a &amp; <b>]({source})") == ("<p>a &amp; &lt;b&gt;</p>", warnings)


def test_a_warning_names_the_line_wherever_it_stands() -> None:
    text = "a\n\nb `c\nd` [e\n](f) ![](g)\n\n> - h\n>   ![](i)\n\n| j |\n|---|\n| ![](k) |\n\n## ![](l)\n"
    assert [warning.split(" is ")[0] for warning in rendered(text)[1]] == [
        "14: the picture 'g'",
        "17: the picture 'i'",
        "21: the picture 'k'",
        "23: the picture 'l'",
    ]


@pytest.mark.parametrize(
    ("markdown", "refusal"),
    [
        ("\n" + "> " * 30 + "a", "11: the text is nested too deeply"),
        ("a\n\n" + "- " * 30 + "a", "12: the text is nested too deeply"),
        ("*" * 5_000 + "a" + "*" * 5_000, "10: the text is nested too deeply"),
        (f"[a]: {'b' * 60_000}\n\n" + "[a] " * 20, "12: the addresses of all links together are too long"),
        (
            "a\n\n" + f"[a]: b '{'c' * 60_000}'\n\n" + "[a] " * 20,
            "14: the addresses of all links together are too long",
        ),
    ],
)
def test_what_would_grow_without_bound_is_refused(markdown: str, refusal: str) -> None:
    with pytest.raises(ArticleFileError) as caught:
        rendered(markdown)
    assert str(caught.value) == f"{ARTICLE}:{refusal}"


@pytest.mark.parametrize("pair", [("![", "](b)"), ("[", "](b)"), ("![", "]"), ("[", "]"), ("`", "`"), ("<", ">")])
def test_brackets_in_brackets_are_read_in_linear_time(pair: tuple[str, str]) -> None:
    opening, closing = pair
    judge(rendered(opening * 5_000 + "a" + closing * 5_000)[0])


SIGNS = (*"[]()<>!*_~`|\\&;:#-+=\"'\n \t\f", "](", "![", "    ", "\n\n", "\n> ", "\n- ", "\n1. ", "|-|\n", "~~")
TRICKS = ("javascript:", "data:", "https://", "//", "&#", "&Tab;", "<a href=", "<img src=", "<!--", " onx=", "[a]: ")
hostile = st.lists(st.sampled_from(SIGNS + TRICKS) | st.text(max_size=4)).map("".join)


@settings(deadline=None)
@given(markdown=hostile)
def test_any_text_is_safe_or_refused(markdown: str) -> None:
    remarks = Remarks(ARTICLE)
    try:
        html = render(markdown, FIRST_LINE, remarks)
    except ArticleFileError:
        return
    judge(html)
    assert all(warning.isprintable() for warning in remarks.warnings)
