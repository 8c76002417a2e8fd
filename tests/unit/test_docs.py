"""What the docs say of addresses, messages, codes, settings and commands is what the code has, and nothing else."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest
import yaml
from aiohttp import web

from service import protocol, settings
from service.commands import parser as _parser
from service.errors import Refusal
from service.health import Readiness
from service.web.routes import ROUTES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MARKDOWN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MESSAGES: tuple[type[msgspec.Struct], ...] = (*get_args(protocol.Outbound), *get_args(protocol.Inbound))
OVER_HTTP: tuple[type[msgspec.Struct], ...] = (
    protocol.Window,
    protocol.Placed,
    protocol.Joined,
    protocol.Accepted,
    protocol.Problem,
    protocol.PostBody,
    protocol.RetractBody,
    protocol.Retraction,
    protocol.ReportBody,
    protocol.AppealBody,
    protocol.Filed,
    Readiness,
)
PLAIN: tuple[type[msgspec.Struct], ...] = (
    protocol.Comment,
    protocol.Thread,
    protocol.Window,
    protocol.Placed,
    protocol.Problem,
    protocol.Challenge,
    protocol.Parameters,
)
Schema = dict[str, Any]


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@cache
def described(name: str) -> Schema:
    loaded: Schema = yaml.safe_load(text(name))
    return loaded


def rows(name: str) -> Iterator[list[str]]:
    """The cells of every row of every table."""
    for line in text(name).splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def section(name: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no heading {heading!r}"
    return found[1]


def fields(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def tag(struct: type[msgspec.Struct]) -> str:
    kind = struct.__struct_config__.tag
    assert isinstance(kind, str)
    return kind


def schemas(structs: tuple[type[msgspec.Struct], ...]) -> dict[str, Schema]:
    """The types as JSON Schema, by name, with all that they hold; messages hold their comments encoded already."""
    _, components = msgspec.json.schema_components(
        (*structs, protocol.Comment), ref_template="#/components/schemas/{name}"
    )
    for schema in components.values():
        comments = schema["properties"].get("comments")
        if comments == {"type": "array", "items": {}}:
            comments["items"] = {"$ref": "#/components/schemas/Comment"}
    return {name: bare(schema) for name, schema in components.items()}


def bare(schema: Any) -> Any:
    """A schema without what is said to people, and with its sets in order."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: bare(each) for name, each in value.items()}
        elif key in {"enum", "required"}:
            kept[key] = sorted(value)
        elif key not in {"title", "description", "format"} and not key.startswith("x-"):
            kept[key] = bare(value)
    return kept


def refusals() -> set[tuple[str, int]]:
    """Every code with its status; one code may have two."""

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    return {(kind.code, kind.status) for kind in below(Refusal)}


def addresses() -> set[tuple[str, str]]:
    """Every method and address, patterns left out."""
    app = web.Application()
    app.add_routes(ROUTES)
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.method != "HEAD"
    }


def commands(parser: argparse.ArgumentParser, *words: str) -> Iterator[str]:
    """Every command that `--help` lists, those with commands of their own left out."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield from commands(action.choices[choice.dest], *words, choice.dest)
            return
    yield " ".join(words)


# Settings and commands


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/protocol.md"])
def test_every_setting_is_told_with_its_default(name: str) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(name) if re.fullmatch("`AFTERWORD_[A-Z_]+`", row[0])}
    defaults = {variable: f"`{default}`" if default else "none" for variable, _, default in settings.table()}
    assert told == defaults


def test_every_setting_but_the_data_dir_reaches_the_service_in_compose() -> None:
    given = set(re.findall(r"^ +(AFTERWORD_[A-Z_]+?)(?:_FILE)?: ", text("docker-compose.yml"), re.MULTILINE))
    assert {variable for variable, _, _ in settings.table()} - given == {"AFTERWORD_DATA_DIR"}


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/protocol.md"])
def test_every_command_is_told(name: str) -> None:
    listed = list(commands(_parser()))
    assert "articles load" in listed
    for command in listed:
        assert f"`python -m service {command}" in text(name)


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4}.*)\bmake ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)) <= targets


def sentences(path: Path) -> Iterator[str]:
    """What the start errors of a module say, with … for what differs."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="StartError" | "InUseError"), args=[ast.Constant(value=str(told)), *_]):
                yield told
            case ast.Call(func=ast.Name(id="StartError" | "InUseError"), args=[ast.JoinedStr(values=parts), *_]):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


def test_every_start_error_is_told_with_what_to_do() -> None:
    body = section("docs/operations.md", "When it does not start")
    cells = re.findall(r"^\| (`.+?) \|", body, re.MULTILINE)
    told = [phrase.replace("AFTERWORD_…", "…") for cell in cells for phrase in re.findall("`([^`]+)`", cell)]
    patterns = [".*".join(map(re.escape, phrase.split("…"))) for phrase in told]
    said = [sentence for path in sorted((ROOT / "service").rglob("*.py")) for sentence in sentences(path)]
    assert len(said) > 20
    assert [sentence for sentence in said if not any(re.search(pattern, sentence) for pattern in patterns)] == []


# Addresses


def test_every_route_is_in_the_protocol() -> None:
    told = set(re.findall(r"^\| `([A-Z]+) (/[^`?]*)", text("docs/protocol.md"), re.MULTILINE))
    assert told == addresses()


def test_every_route_is_in_openapi() -> None:
    methods = {"get", "post", "put", "patch", "delete"}
    paths: dict[str, Schema] = described("docs/openapi.yaml")["paths"]
    told = {(method.upper(), path) for path, item in paths.items() for method in item if method in methods}
    assert told == addresses()


@pytest.mark.parametrize("name", ["docs/openapi.yaml", "docs/asyncapi.yaml"])
def test_every_reference_within_a_description_leads_somewhere(name: str) -> None:
    for reference in re.findall(r'\$ref: "#/([^"]+)"', text(name)):
        part: Any = described(name)
        for step in reference.split("/"):
            part = part[step]


# Messages


def test_openapi_has_the_types_of_the_code() -> None:
    told = described("docs/openapi.yaml")["components"]["schemas"]
    for name, schema in schemas(OVER_HTTP).items():
        assert bare(told[name]) == schema, name


def test_asyncapi_has_the_types_of_the_code_and_no_others() -> None:
    told = described("docs/asyncapi.yaml")["components"]["schemas"]
    assert {name: bare(schema) for name, schema in told.items()} == schemas(MESSAGES)


@pytest.mark.parametrize(
    ("operation", "union"), [("toReader", protocol.Outbound), ("fromReader", protocol.Inbound)], ids=str
)
def test_asyncapi_has_every_message_in_its_direction(operation: str, union: UnionType) -> None:
    document = described("docs/asyncapi.yaml")
    named = [message["$ref"].split("/")[-1] for message in document["operations"][operation]["messages"]]
    assert sorted(named) == sorted(tag(struct) for struct in get_args(union))
    for struct in get_args(union):
        payload = document["components"]["messages"][tag(struct)]["payload"]["$ref"]
        assert payload == f"#/components/schemas/{struct.__name__}"
        assert document["channels"]["live"]["messages"][tag(struct)]["$ref"] == f"#/components/messages/{tag(struct)}"


@pytest.mark.parametrize("struct", MESSAGES, ids=lambda struct: struct.__name__)
def test_every_message_is_in_the_protocol_with_its_fields(struct: type[msgspec.Struct]) -> None:
    (row,) = [row for row in rows("docs/protocol.md") if row[0] == f"`{tag(struct)}`" and len(row) == 3]
    assert set(re.findall(r"`(\w+)`", row[1])) == fields(struct)


@pytest.mark.parametrize("struct", PLAIN, ids=lambda struct: struct.__name__)
def test_every_type_is_in_the_protocol_with_its_fields(struct: type[msgspec.Struct]) -> None:
    body = section("docs/protocol.md", struct.__name__)
    assert set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)) == fields(struct)


# Codes


def test_every_refusal_is_in_the_protocol_with_its_status() -> None:
    body = section("docs/protocol.md", "Refusals")
    told = {(code, int(status)) for code, status in re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", body, re.MULTILINE)}
    assert told == refusals()


def test_every_refusal_is_in_openapi_with_its_status() -> None:
    codes = described("docs/openapi.yaml")["components"]["schemas"]["Problem"]["x-codes"]
    assert {(code, status) for code, statuses in codes.items() for status in statuses} == refusals()


def test_every_close_code_is_told() -> None:
    codes = {int(code) for code in protocol.Close}
    body = section("docs/protocol.md", "Close codes")
    assert {int(code) for code in re.findall(r"^\| (\d{4}) \|", body, re.MULTILINE)} == codes
    assert set(described("docs/asyncapi.yaml")["channels"]["live"]["x-close-codes"]) == codes


# Links


def anchors(path: Path) -> set[str]:
    """What links may name after `#`, made of the headings as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        file = path.parent / name if name else path
        assert file.is_file(), link
        assert not anchor or anchor in anchors(file), link


def test_every_decision_is_listed_in_the_design() -> None:
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")}
    assert pages == set(re.findall(r"\(decisions/([^)]+)\)", text("docs/design.md")))


def test_every_test_that_the_guarantees_name_is_there() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", text("docs/guarantees.md"))
    assert len(named) > 20
    assert [name for name in named if not re.search(rf"def {name}\(", source)] == []
