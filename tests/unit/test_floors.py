"""The floors of the house: a module imports only from floors below its own, and docs/design.md says the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "service"

# Each noun is a module of `service/`, or a package, within which imports are free.
FLOORS: tuple[tuple[str, frozenset[str]], ...] = (
    ("ground", frozenset({"bundle", "errors", "gathered", "markup", "redis_pool", "resources", "roster", "stop"})),
    ("words", frozenset({"article_file", "language", "likeness", "logs", "protocol", "settings", "text"})),
    ("messages", frozenset({"frame", "run"})),
    (
        "wells",
        frozenset({"assets", "bus", "crowd", "embedded", "fresh", "guard", "keyring", "level", "store"}),
    ),
    (
        "work",
        frozenset(
            {"blocklist", "brakes", "evidence", "filters", "health", "ingest", "paper", "press", "rooms", "sweep"}
        ),
    ),
    ("gate", frozenset({"gate", "surge"})),
    ("acts", frozenset({"judging", "newsroom", "posting", "reporting"})),
    ("keys", frozenset({"keys"})),
    ("doors", frozenset({"web"})),
    ("wiring", frozenset({"app"})),
    ("process", frozenset({"worker"})),
    ("crew", frozenset({"crew"})),
    ("supervisor", frozenset({"supervisor"})),
    ("commands", frozenset({"commands"})),
    ("entrance", frozenset({"__main__"})),
)
FLOOR = {noun: number for number, (_, nouns) in enumerate(FLOORS) for noun in nouns}
MODULES = sorted(SERVICE.rglob("*.py"))


def noun_of(path: Path) -> str:
    """The noun that a file belongs to: its package below `service/`, or the module itself."""
    first = path.relative_to(SERVICE).parts[0]
    return first.removesuffix(".py")


def imported(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every noun of `service` that a source imports, with its line; inside functions and type checks too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join((*above, *filter(None, [node.module])))
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "service":
                yield node.lineno, rest[0] if rest else ""


def climbs(path: Path) -> list[str]:
    """What a module imports that is not below it."""
    noun = noun_of(path)
    package = path.relative_to(ROOT).parent.parts
    return [
        f"{path.relative_to(ROOT)}:{line}: {noun} (floor {FLOOR[noun]}) imports {other or 'service'}"
        f" (floor {FLOOR.get(other, 'none')})"
        for line, other in imported(path.read_text("utf-8"), package)
        if other != noun and FLOOR.get(other, len(FLOORS)) >= FLOOR[noun]
    ]


def test_every_module_stands_on_one_floor() -> None:
    assert {noun_of(path) for path in MODULES if path != SERVICE / "__init__.py"} == set(FLOOR)
    assert sum(len(nouns) for _, nouns in FLOORS) == len(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SERVICE)))
def test_a_module_imports_only_floors_below(path: Path) -> None:
    if path == SERVICE / "__init__.py":
        assert not list(imported(path.read_text("utf-8"), ("service",)))
    else:
        assert not climbs(path)


@pytest.mark.parametrize(
    ("source", "nouns"),
    [
        ("import service.web.live", ["web"]),
        ("import service", [""]),
        ("from service import keys, rooms", ["keys", "rooms"]),
        ("from service.store.comments import Draft", ["store"]),
        ("from .comments import Draft", ["store"]),
        ("from . import queries", ["store"]),
        ("from ..rooms import Room", ["rooms"]),
        ("from .. import rooms", ["rooms"]),
        ("def f():\n    from service import app", ["app"]),
        ("import asyncio, services", []),
    ],
)
def test_no_form_of_import_is_overlooked(source: str, nouns: list[str]) -> None:
    assert [noun for _, noun in imported(source, ("service", "store"))] == nouns


def test_the_design_draws_the_same_floors() -> None:
    design = (ROOT / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (\w+) \| ([^|]+) \|", design, re.MULTILINE)
    drawn = {int(number): (name, frozenset(re.findall(r"`(\w+)/?`", nouns))) for number, name, nouns in rows}
    assert drawn == dict(enumerate(FLOORS))
