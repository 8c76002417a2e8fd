"""The files of `static/`: in memory, compressed where it helps, and the encoding that a client likes."""

import gzip
from pathlib import Path

import brotli
import pytest

from service import resources
from service.assets import Asset, Assets, preferred
from service.errors import NotFound

SCRIPT = b"export const answer = 42;\n" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "answer.js").write_bytes(SCRIPT)
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


def test_the_scripts_of_the_checkout_are_all_there() -> None:
    assets = Assets(resources.STATIC)
    assert assets.url("main.js").startswith("/static/")


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
