"""An article file as text, cut into front matter and body."""

import codecs
import re
import stat
from typing import NamedTuple

from service.article_file.remarks import ArticleFileError, Remarks

MAX_BYTES = 1024 * 1024

_RULE = re.compile(r"^---[ \t]*$", re.MULTILINE)
# What YAML 1.2 calls printable (§5.1) without U+0085: also what XML can carry, and what Postgres stores.
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Manuscript(NamedTuple):
    """The two parts of a file. The front matter begins on line 2, the body on `body_line`."""

    front_matter: str
    body: str
    body_line: int


def open_manuscript(remarks: Remarks) -> Manuscript:
    """Read the file that the remarks are about and cut it in two.

    Raises ArticleFileError where it is no regular file, larger than 1 MiB, not UTF-8, holds control characters, or
    has no front matter.
    """
    return _cut(_decoded(_bytes(remarks), remarks), remarks)


def _bytes(remarks: Remarks) -> bytes:
    path = remarks.path
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a named pipe would wait for ever
            raise remarks.error(None, "is not a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise remarks.error(None, f"can't be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise remarks.error(None, "is larger than 1 MiB")
    return data


def _decoded(data: bytes, remarks: Remarks) -> str:
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = _unified(data.decode())
    except UnicodeDecodeError as error:
        line = _last_line(_unified(data[: error.start].decode()))
        raise remarks.error(line, "is not UTF-8 from here on; save the file as UTF-8") from error
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = _last_line(text[: unprintable.start()])
        raise remarks.error(line, f"holds the control character U+{ord(unprintable[0]):04X}")
    return text


def _cut(text: str, remarks: Remarks) -> Manuscript:
    opening = _RULE.match(text)
    if not opening:
        raise _missing_rule(remarks, "the file must begin with front matter: a line '---'")
    closing = _RULE.search(text, opening.end())
    if not closing:
        raise _missing_rule(remarks, "the front matter is not closed by a second line '---'")
    return Manuscript(
        front_matter=text[opening.end() + 1 : closing.start()],
        body=text[closing.end() + 1 :],
        body_line=_last_line(text[: closing.end()]) + 1,
    )


def _missing_rule(remarks: Remarks, reason: str) -> ArticleFileError:
    return remarks.error(1, f"{reason}, fields such as 'title: …', and a line '---'")


def _unified(text: str) -> str:
    """Make every line end a single newline, as editors count lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _last_line(text: str) -> int:
    return text.count("\n") + 1
