import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.article_file import ArticleFile, ArticleFileError, find, read

BERLIN = ZoneInfo("Europe/Berlin")
STORY = """\
---
title: "Harbour clock: nobody\u2019s fault, says everybody"
author: Wilma Oakes
date: 2017-11-09 23:07:31.5
section: Local
summary: >
  It has shown ten past four
  since Easter.
image_credit: "Photo: Wilma Oakes"
tags: [clocks, harbour, clocks]
comments: held
---
The clock on the harbour office stopped on Easter Monday. \u201cWe noticed,\u201d the harbour master said.

## Who winds it

> Not us.
"""
LEAST = "---\ntitle: A title\ndate: 2017-11-09\n---\n"


class Desk:
    """A folder in which a test writes article files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, content: str | bytes, name: str = "story.md") -> ArticleFile:
        """Write a file and read it."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, BERLIN)

    def refusal(self, content: str | bytes, name: str = "story.md") -> str:
        """What is said against a file, after its path."""
        with pytest.raises(ArticleFileError) as caught:
            self.read(content, name)
        error = caught.value
        place = str(error.path) if error.line is None else f"{error.path}:{error.line}"
        assert str(error) == f"{place}: {error.reason}"
        return str(error).removeprefix(str(self.folder / name)).removeprefix(":")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def with_fields(fields: str) -> str:
    return f"---\n{fields}\n---\n"


def also(field: str) -> str:
    """Two fields that every article has, and on line 4 another one."""
    return LEAST.removesuffix("---\n") + field + "\n---\n"


def test_a_whole_article_is_read(desk: Desk) -> None:
    assert desk.read(STORY, "Harbour clock.md") == ArticleFile(
        slug="harbour-clock",
        title="Harbour clock: nobody\u2019s fault, says everybody",
        author="Wilma Oakes",
        published_at=datetime(2017, 11, 9, 22, 7, 31, tzinfo=UTC),
        section="Local",
        summary="It has shown ten past four since Easter.",
        html="<p>The clock on the harbour office stopped on Easter Monday. \u201cWe noticed,\u201d the harbour master"
        " said.</p>\n<h2>Who winds it</h2>\n<blockquote>\n<p>Not us.</p>\n</blockquote>",
        picture=None,
        image=None,
        image_credit="Photo: Wilma Oakes",
        tags=("clocks", "harbour"),
        comments="held",
        warnings=(),
    )


def test_title_and_date_are_enough(desk: Desk) -> None:
    article = desk.read(LEAST)
    assert (article.section, article.author, article.summary, article.html) == ("News", "", "", "")
    assert (article.image_credit, article.tags, article.comments) == (None, (), "open")


@pytest.mark.parametrize("null", ["", "~", "null", "''", '" "'])
def test_an_empty_field_is_an_absent_one(desk: Desk, null: str) -> None:
    fields = ("author", "section", "image", "image_credit", "slug", "comments")
    empty = desk.read(also("\n".join(f"{name}: {null}" for name in fields) + "\ntags:"))
    assert empty == desk.read(LEAST)


@pytest.mark.parametrize(
    ("date", "utc"),
    [
        ("2017-11-09", datetime(2017, 11, 8, 23, tzinfo=UTC)),
        ("2017-07-09", datetime(2017, 7, 8, 22, tzinfo=UTC)),
        ("2017-11-09T18:30", datetime(2017, 11, 9, 17, 30, tzinfo=UTC)),
        ("'2017-11-09 18:30:59.999'", datetime(2017, 11, 9, 17, 30, 59, tzinfo=UTC)),
        ("2017-11-09T18:30:00Z", datetime(2017, 11, 9, 18, 30, tzinfo=UTC)),
        ("2017-11-09T18:30:00-05:00", datetime(2017, 11, 9, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_date_without_an_offset_is_in_the_given_zone(desk: Desk, date: str, utc: datetime) -> None:
    assert desk.read(with_fields(f"title: A title\ndate: {date}")).published_at == utc


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("The Ferry (again).md", "the-ferry-again"),
        ("Caf\u00e9_O\u2019Brien.markdown", "cafe-o-brien"),
        ("--2017--11--.md", "2017-11"),
        (f"{'a' * 99}-b.md", "a" * 99),
    ],
)
def test_a_slug_is_made_of_the_file_name(desk: Desk, name: str, slug: str) -> None:
    assert desk.read(LEAST, name).slug == slug


def test_a_slug_that_is_written_wins(desk: Desk) -> None:
    assert desk.read(also("slug: my-own-1")).slug == "my-own-1"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r'"a\0b\u202Ec\uD800d\uFEFFe"', "abcde"),
        (r'"  two\n \t words\u2028 "', "two words"),
        ('"Zu\u0308rich"', "Z\u00fcrich"),
        ("Vraiment\u00a0?", "Vraiment\u00a0?"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),  # text: the template escapes it
        ("2017", "2017"),
        ("!!python/name:os.system x", "x"),
    ],
)
def test_fields_are_clean_text_of_one_line(desk: Desk, written: str, shown: str) -> None:
    assert desk.read(with_fields(f"title: {written}\ndate: 2017-11-09")).title == shown


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_and_a_byte_order_mark_are_fine(desk: Desk, end: str) -> None:
    content = STORY.replace("\n", end).encode()
    assert desk.read(b"\xef\xbb\xbf" + content) == desk.read(STORY)
    assert desk.refusal(content.replace(b"held", b"hold")).startswith("11: comments can't be 'hold'")


@pytest.mark.parametrize(
    ("field", "warning"),
    [
        ("sumary: x", "unknown field 'sumary' is ignored; did you mean 'summary'?"),
        ("Author: x", "unknown field 'Author' is ignored; did you mean 'author'?"),
        ("layout: x", "unknown field 'layout' is ignored"),
        ('"a\\nb\\u202E": x', r"unknown field 'a\nb\u202e' is ignored"),
        (f"{'x' * 100}: x", f"unknown field '{'x' * 80}\u2026' is ignored"),
    ],
)
def test_an_unknown_field_is_a_warning(desk: Desk, field: str, warning: str) -> None:
    assert desk.read(also(field)).warnings == (f"{desk.folder / 'story.md'}:4: {warning}",)


def test_warnings_stand_in_the_order_of_lines(desk: Desk) -> None:
    article = desk.read(also("image: gone.png\ncolour: red") + "\n![x](y.png)")
    lines = [warning.removeprefix(f"{desk.folder / 'story.md'}:").split(":")[0] for warning in article.warnings]
    assert lines == ["4", "5", "8"]


NO_YAML = "the front matter is not YAML: "
HINT = "; text that holds ': ' or begins with a sign needs quotation marks"


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (
            "",
            "1: the file must begin with front matter: a line '---', fields such as 'title: \u2026', and a line '---'",
        ),
        ("\n---\ntitle: x\n---\n", "1: the file must begin with front matter"),
        ("---\ntitle: x\n", "1: the front matter is not closed by a second line '---'"),
        ("---", "1: the front matter is not closed"),
        ("---\n---\n", "1: title is missing"),
        (with_fields("# nothing"), "1: title is missing"),
        (with_fields("just words"), "2: the front matter must be fields, such as 'title: \u2026'"),
        (with_fields("\n- title: x"), "3: the front matter must be fields"),
        (with_fields("date: 2017-11-09\ntitle: ''"), "3: title is missing"),
        (with_fields("date: 2017-11-09\nTitel: x"), "3: title is missing; 'Titel' is probably meant"),
        (with_fields("author: x\ntitle: x"), "1: date is missing"),
        (with_fields("title:\n- x"), "2: title must be text, not a list"),
        (with_fields("author: x\ntitle: {a: b}"), "3: title must be text, not fields"),
        (with_fields(f"title: {'x' * 301}"), "2: title is 301 characters long, of at most 300"),
        (with_fields("title: x\ntitle: y"), "3: 'title' stands twice, first in line 2"),
        (with_fields("title: x\n? [a]\n: b"), "3: the name of a field must be text"),
        (with_fields("author: a\ntitle: a: b"), f"3: {NO_YAML}mapping values are not allowed here{HINT}"),
        (with_fields("title: x\nautor\ndate: y"), f"3: {NO_YAML}while scanning a simple key, could not find"),
        (with_fields("title: 'x\ndate: y"), f"2: {NO_YAML}while scanning a quoted scalar"),
        (with_fields("title: x\n- y"), f"3: {NO_YAML}while parsing a block mapping"),
        (with_fields("title: x\ntags: [a,\nb\nslug: c"), f"3: {NO_YAML}while parsing a flow sequence"),
        (with_fields("title: x\nauthor: *nobody"), f"3: {NO_YAML}found undefined alias 'nobody'"),
        (with_fields("title: 'a\u2028b'\ntitle: c"), "3: 'title' stands twice, first in line 2"),
        (with_fields('title: x\nauthor: "\\UFFFFFFFF"'), "3: a number in the front matter is out of range"),
        (with_fields("title: x\nauthor: " + "[" * 5000), "3: the front matter is nested too deeply"),
        (with_fields("title: " + "x" * 33_000), "1: the front matter is longer than 32,768 characters"),
        (with_fields("title: x\ndate: yesterday"), "3: the date 'yesterday' can't be read; write 2017-11-09,"),
        (with_fields("title: x\ndate: 2017-02-29"), "3: the date '2017-02-29' can't be read"),
        (with_fields("title: x\ndate: 0001-01-01"), "3: the date '0001-01-01' can't be read"),
        (also("slug: My Story"), "4: the slug 'My Story' is not made of a-z, 0-9 and single hyphens between them"),
        (also("slug: ../x"), "4: the slug '../x' is not"),
        (also(f"slug: {'x' * 101}"), "4: slug is 101 characters long, of at most 100"),
        (also("comments: on"), "4: comments can't be 'on', only one of open, held, closed, none"),
        (also("tags: a, b"), "4: tags must be a list, such as [media, law]"),
        (also("tags:\n- a\n- [b]"), "6: one of tags must be text, not a list"),
        (also(f"tags:\n- a\n- {'b' * 51}"), "6: one of tags is 51 characters long, of at most 50"),
        (also(f"tags: [{'a, ' * 21}]"), "4: tags must be at most 20"),
        (b"---\ntitle: caf\xe9\n---\n", "2: is not UTF-8 from here on; save the file as UTF-8"),
        (LEAST.encode("utf-16"), "1: is not UTF-8"),
        (LEAST + "one\r\ntwo\rth\0ree", "7: holds the control character U+0000"),
        (LEAST + "It\x92s", "5: holds the control character U+0092"),
        (b"x" * (1024 * 1024 + 1), " is larger than 1 MiB"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(desk: Desk, content: str | bytes, refusal: str) -> None:
    assert desk.refusal(content).startswith(refusal)


def test_a_name_without_letters_makes_no_slug(desk: Desk) -> None:
    assert desk.refusal(LEAST, "\u2014.md").startswith("1: the file's name makes no slug")


def test_aliases_do_not_grow(desk: Desk) -> None:
    bomb = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 50)}]" for n in range(1, 50))
    assert desk.refusal(with_fields(f"x0: &x0 x\n{bomb}\ntitle: *x49")) == "52: title must be text, not a list"
    assert desk.refusal(also("x: &x [*x]\ntags: *x")) == "4: one of tags must be text, not a list"


def test_an_error_is_one_line_even_if_the_path_is_not(tmp_path: Path) -> None:
    with pytest.raises(ArticleFileError) as caught:
        read(tmp_path / "a\nb\udcff.md", BERLIN)
    assert str(caught.value) == rf"{tmp_path}/a\nb\udcff.md: can't be read: No such file or directory"


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    for path in (tmp_path, tmp_path / "pipe.md"):
        with pytest.raises(ArticleFileError, match="is not a file"):
            read(path, BERLIN)


def test_find_lists_files_below_folders_and_files_as_named(tmp_path: Path) -> None:
    for name in ("b.md", "a/2.MARKDOWN", "a/1.md", "a/x.txt", "a/readme.md", ".draft.md", ".git/c.md", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/again").symlink_to(tmp_path)
    below = [tmp_path / "a/1.md", tmp_path / "a/2.MARKDOWN", tmp_path / "b.md"]
    assert find([tmp_path]) == below
    assert find([tmp_path / "note.txt", tmp_path / "a", tmp_path]) == [tmp_path / "note.txt", *below]


def test_find_refuses_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ArticleFileError) as caught:
        find([tmp_path / "gone"])
    assert str(caught.value) == f"{tmp_path}/gone: can't be read: No such file or directory"
    assert caught.value.line is None


FIELDS = ("---\n", "title: x\n", "date: 2017-11-09\n", "tags: [a]\n", "image: ", "slug: ", "comments: ", "\n", "\0")
YAML = (*"#[]{}'\"\\\r", "&a ", "*a", "!!x ", "? ", ": ", "- ", "|\n", ">-\n", "%YAML 1.1\n", "<<: ")
MARKDOWN = ("![", "](", ")", "<", ">", "`", "|", "|-|\n", "**", "~~", "    ", "http://", "//[", "&#x202e;", "\u2028")
hostile = st.lists(st.sampled_from(FIELDS + YAML + MARKDOWN) | st.text(max_size=5)).map("".join)
anything = st.one_of(
    st.binary(),
    hostile.map(str.encode),
    hostile.map(lambda text: with_fields(text).encode()),
    hostile.map(lambda text: also(text).encode()),
    hostile.map(lambda text: (LEAST + text).encode()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=anything)
def test_any_bytes_are_an_article_or_an_error_of_one_line(desk: Desk, content: bytes) -> None:
    said: tuple[str, ...]
    try:
        said = desk.read(content).warnings
    except ArticleFileError as error:
        said = (str(error),)
    assert all(line.isprintable() for line in said)
