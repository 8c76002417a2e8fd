"""Named queries: every statement stands in `sql/*.sql` under a line `-- name: its purpose`."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "sql"
_HEAD = re.compile(r"^-- (\w+): .+\n", re.MULTILINE)


def load(noun: str) -> Mapping[str, str]:
    """The queries of `sql/{noun}.sql`, by name."""
    _, *parts = _HEAD.split((_FOLDER / f"{noun}.sql").read_text("utf-8"))
    return MappingProxyType(dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True)))
