"""The fields of an article, each with the line it stands on."""

import difflib
from collections.abc import Mapping
from typing import NamedTuple

import yaml

from service.article_file.plain_text import one_line
from service.article_file.remarks import Remarks, quoted

FIRST_LINE = 2  # of the fields: '---' stands above them
MAX_CHARACTERS = 32 * 1024  # a hundred times what anybody writes; YAML is read at some 200 KB/s
KNOWN = (
    "title",
    "author",
    "date",
    "section",
    "summary",
    "image",
    "image_credit",
    "slug",
    "tags",
    "comments",
)


class _Field(NamedTuple):
    line: int
    node: yaml.Node


class FrontMatter:
    """What the fields say, as clean plain text of one line. Absent, empty and null are the same.

    Whatever is of a wrong kind or too long is an ArticleFileError when it is asked for.
    """

    def __init__(self, fields: Mapping[str, _Field], text: str, remarks: Remarks) -> None:
        self._fields = fields
        self._text = text
        self._remarks = remarks

    def line(self, name: str) -> int:
        """Tell the line of a field; 1, where the front matter begins, if it is absent."""
        return self._fields[name].line if name in self._fields else 1

    def required(self, name: str, most: int) -> str:
        """Read a field that every article has."""
        text = self.text(name, most)
        if text:
            return text
        unknown = {other.lower(): other for other in filter(_is_unknown, self._fields)}
        if near := difflib.get_close_matches(name, unknown, 1):
            other = unknown[near[0]]
            raise self._remarks.error(self.line(other), f"{name} is missing; {quoted(other)} is probably meant")
        raise self._remarks.error(self.line(name), f"{name} is missing")

    def text(self, name: str, most: int) -> str:
        """Read a field of at most so many characters."""
        if name not in self._fields:
            return ""
        line, node = self._fields[name]
        return self._read(name, node, line, most)

    def texts(self, name: str, most_texts: int, most: int) -> tuple[str, ...]:
        """Read a list of texts of at most so many characters each; a text twice counts once."""
        if name not in self._fields:
            return ()
        line, node = self._fields[name]
        if _is_null(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            raise self._remarks.error(line, f"{name} must be a list, such as [media, law]")
        if len(node.value) > most_texts:
            raise self._remarks.error(line, f"{name} must be at most {most_texts}")
        texts = (
            self._read(f"one of {name}", item, _line(self._text, item.start_mark.index), most) for item in node.value
        )
        return tuple(dict.fromkeys(filter(None, texts)))

    def _read(self, name: str, node: yaml.Node, line: int, most: int) -> str:
        if not isinstance(node, yaml.ScalarNode):
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "fields"
            raise self._remarks.error(line, f"{name} must be text, not {kind}")
        text = "" if _is_null(node) else one_line(node.value)
        if len(text) > most:
            raise self._remarks.error(line, f"{name} is {len(text):,} characters long, of at most {most:,}")
        return text


def parse(text: str, remarks: Remarks) -> FrontMatter:
    """Read the lines between the two '---', and warn of fields that no article has.

    Only YAML's structure is read: every scalar is text, tags make no objects, and an alias is the
    very node it names, so that nothing grows.
    """
    if len(text) > MAX_CHARACTERS:
        raise remarks.error(1, f"the front matter is longer than {MAX_CHARACTERS:,} characters")
    fields = _fields(_compose(text, remarks), text, remarks)
    for name in filter(_is_unknown, fields):
        near = difflib.get_close_matches(name.lower(), KNOWN, 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        remarks.warn(fields[name].line, f"unknown field {quoted(name)} is ignored{hint}")
    return FrontMatter(fields, text, remarks)


def _compose(text: str, remarks: Remarks) -> yaml.Node | None:
    loader = yaml.BaseLoader(text)
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        reason = ", ".join(filter(None, (error.context, error.problem)))
        raise remarks.error(
            _line(text, _place(error)),
            f"the front matter is not YAML: {reason}; text that holds ': ' or begins with a sign needs quotation marks",
        ) from error
    except (ValueError, OverflowError) as error:  # an escape such as "\UFFFFFFFF"
        raise remarks.error(_line(text, loader.index), "a number in the front matter is out of range") from error
    except RecursionError as error:
        raise remarks.error(_line(text, loader.index), "the front matter is nested too deeply") from error
    finally:
        loader.dispose()


def _place(error: yaml.MarkedYAMLError) -> int:
    """Find where to look: where a thing began that has no end, or where a block goes wrong."""
    in_block = (error.context or "").startswith("while parsing a block")
    mark = error.problem_mark if in_block else error.context_mark or error.problem_mark
    return mark.index if mark else 0


def _fields(root: yaml.Node | None, text: str, remarks: Remarks) -> dict[str, _Field]:
    if root is None or _is_null(root):
        return {}
    if not isinstance(root, yaml.MappingNode):
        line = _line(text, root.start_mark.index)
        raise remarks.error(line, "the front matter must be fields, such as 'title: …'")
    fields: dict[str, _Field] = {}
    for key, node in root.value:
        line = _line(text, key.start_mark.index)
        if not isinstance(key, yaml.ScalarNode):
            raise remarks.error(line, "the name of a field must be text")
        if key.value in fields:
            first = fields[key.value].line
            raise remarks.error(line, f"{quoted(key.value)} stands twice, first in line {first}")
        fields[key.value] = _Field(line, node)
    return fields


def _is_unknown(name: str) -> bool:
    return name not in KNOWN


def _is_null(node: yaml.Node) -> bool:
    """Tell whether YAML reads null here: a bare nothing, ~ or null."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in {"", "~", "null", "Null", "NULL"}


def _line(text: str, index: int) -> int:
    """Count lines as editors do; YAML's own marks also count U+2028 and the like."""
    return FIRST_LINE + text.count("\n", 0, index)
