"""Bring the catalogues in languages/ up to what the templates and the code say; what is new waits for translation."""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from service import errors

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = sorted((ROOT / "languages").glob("*.po"))
CALLS: dict[str, tuple[int, ...] | None] = {"gettext": None, "ngettext": (1, 2), "plural": (1, 2), "phrase": None}
JINJA = {"trimmed": "true", "silent": "false"}

Words = str | tuple[str, ...]


def said() -> Catalog:
    """All that the templates and the code say, with the files where they say it."""
    catalog = Catalog()
    for path, words in _said():
        catalog.add(words, locations=[(str(path.relative_to(ROOT)), 0)])
    return catalog


def _said() -> Iterator[tuple[Path, Words]]:
    for path in sorted((ROOT / "templates").iterdir()):
        for _, words, _, _ in extract_from_file("jinja2", path, CALLS, options=JINJA):
            yield path, words
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.Refusal) and kind is not errors.Refusal:
            yield Path(errors.__file__), kind().message
    for path in sorted((ROOT / "service").rglob("*.py")):
        for _, words, _, _ in extract_from_file("python", path, CALLS):
            yield path, words


def renewed(text: str, template: Catalog) -> str:
    """A catalogue's text with what is new, and without what is no longer said. Its head stays as it was written."""
    catalog = read_po(io.StringIO(text))
    catalog.update(template, no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(body, catalog, 120, omit_header=True, include_lineno=False, sort_by_file=True, ignore_obsolete=True)
    return text.strip().partition("\n\n")[0] + "\n\n" + body.getvalue().decode().strip() + "\n"


def main() -> None:
    """Renew every catalogue."""
    template = said()
    for path in CATALOGUES:
        path.write_text(renewed(path.read_text("utf-8"), template), "utf-8")


if __name__ == "__main__":
    main()
