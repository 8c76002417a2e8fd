"""The article files below some files and folders."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from service.article_file.remarks import ArticleFileError

SUFFIXES = {".md", ".markdown"}


def find(paths: Iterable[Path]) -> list[Path]:
    """List files as they are named, and every Markdown file below a folder, sorted, each once.

    Hidden files and folders, symbolic links to folders and README files are left out below a
    folder; a file named itself is always taken. Raises ArticleFileError, without a line, for what
    is missing or can't be listed.
    """
    return list(dict.fromkeys(file for path in paths for file in _files(path)))


def _files(path: Path) -> Iterable[Path]:
    try:
        path.stat()
        return sorted(_below(path)) if path.is_dir() else [path]
    except OSError as error:
        missing = Path(error.filename or path)
        raise ArticleFileError(missing, None, f"can't be read: {error.strerror}") from error


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():  # it may lead back here
                yield from _below(entry)
        elif entry.suffix.lower() in SUFFIXES and entry.stem.lower() != "readme":
            yield entry
