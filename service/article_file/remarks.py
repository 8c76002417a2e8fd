"""What there is to say to the editor of one article file; every remark names its line."""

from pathlib import Path

from service.errors import AfterwordError

QUOTED = 80  # characters of somebody's text that a remark repeats


class ArticleFileError(AfterwordError):
    """An article file can't be read: "path:line: reason", one line.

    `line` counts from 1 and is None where the whole file or folder is meant.
    """

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        super().__init__(_remark(path, line, reason))


class Remarks:
    """The remarks on one file: warnings are collected, an error ends its reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._warnings: list[tuple[int, str]] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings so far, in the order of their lines."""
        in_order = sorted(self._warnings, key=lambda warning: warning[0])
        return tuple(_remark(self.path, line, reason) for line, reason in in_order)

    def warn(self, line: int, reason: str) -> None:
        """Keep a warning; the article is read all the same."""
        self._warnings.append((line, reason))

    def error(self, line: int | None, reason: str) -> ArticleFileError:
        """Make the error that ends the reading of this file, to be raised by the caller."""
        return ArticleFileError(self.path, line, reason)


def quoted(text: str) -> str:
    """Somebody's text as a remark may repeat it: in quotation marks, short, on one line."""
    return f"'{_printable(text if len(text) <= QUOTED else text[:QUOTED] + '…')}'"


def _remark(path: Path, line: int | None, reason: str) -> str:
    place = _printable(str(path)) if line is None else f"{_printable(str(path))}:{line}"
    return f"{place}: {_printable(reason)}"


def _printable(text: str) -> str:
    """Write out what would break the line, reorder it, or not encode (lone surrogates of odd file names)."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
