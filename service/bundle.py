"""A page's script in one file: a module with all that it imports, each in a function of its own.

Modules in files of their own cost a reader a request each, and what one holds helps little to compress another. They
are joined as they are written here: imports and exports stand at the start of a line and name what they mean.
"""

import posixpath
import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(folder: Path, name: str) -> str:
    """The script `name` below `folder` and what it imports, before it what it needs.

    Raises `ValueError` where modules import each other in a ring, or in a form that is not read here.
    """
    joined: dict[str, str] = {}
    _join(folder, name, joined, ())
    return "".join(joined.values())


def _join(folder: Path, name: str, joined: dict[str, str], importers: tuple[str, ...]) -> None:
    """Put a module behind those that it imports, each once."""
    if name in importers:
        raise ValueError(f"{' imports '.join((*importers, name))}: a ring")
    if name in joined:
        return
    text = (folder / name).read_text("utf-8")
    for _, path in _IMPORT.findall(text):
        _join(folder, _resolved(name, path), joined, (*importers, name))
    joined[name] = _wrapped(name, text)


def _wrapped(name: str, text: str) -> str:
    names = [exported for _, exported in _EXPORT.findall(text)]

    def taken(found: re.Match[str]) -> str:
        return f"const {{{found[1].replace(' as ', ': ')}}} = {_variable(_resolved(name, found[2]))};\n"

    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(taken, text))
    if other := _OTHER.search(body):
        raise ValueError(f"{name} says what is not read here: {other[0]}")
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();\n"


def _resolved(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
