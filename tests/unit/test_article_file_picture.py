import hashlib
import os
from pathlib import Path

import pytest

from service.article_file.picture import MAX_BYTES, Picture, find_picture
from service.article_file.remarks import Remarks

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
LINE = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an article; beside it, outside, stands a picture."""
    (tmp_path / "outside.svg").write_bytes(SVG)
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def found(folder: Path, value: str) -> tuple[Picture | str | None, str]:
    """What the field names, and the warning after its quotation of the field."""
    remarks = Remarks(folder / "story.md")
    picture = find_picture(value, LINE, remarks)
    if not remarks.warnings:
        return picture, ""
    (warning,) = remarks.warnings
    told, reason = warning.split(" is not shown: ")
    assert told == f"{folder / 'story.md'}:{LINE}: the image '{value}'"
    return picture, reason


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF87a\x01\0", "image/gif"),
        (b"GIF89a\x01\0", "image/gif"),
        (b"RIFF\x0a\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif\0\0\0\0mif1", "image/avif"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0miafavif", "image/avif"),
        (SVG, "image/svg+xml"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>\r\n<!-- a -- > <b -->\n" + SVG, "image/svg+xml"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [ <!ENTITY a "b"> ] >' + SVG, "image/svg+xml"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(folder: Path, content: bytes, media_type: str) -> None:
    (folder / "name.txt").write_bytes(content)
    name = hashlib.sha256(content).hexdigest()[:32]
    assert found(folder, "name.txt") == (Picture(name, media_type, content), "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words",
        b"<p><svg></svg></p>",
        b"<svgx>",
        b"\0\0\0\x20ftypheic\0\0\0\0mif1",
        b"RIFF\x0a\0\0\0WAVE",
        b"<!--x-->" * 200_000,
        b"<!--" * 500_000,
        b"<!DOCTYPE x [" * 100_000,
    ],
)
def test_another_file_is_no_picture(folder: Path, content: bytes) -> None:
    (folder / "name.svg").write_bytes(content)
    assert found(folder, "name.svg") == (None, "it is no SVG, PNG, JPEG, WebP, AVIF or GIF")


@pytest.mark.parametrize("path", ["/static/fire.svg", "/a/b-c_d.png", "/p.avif?v=1&w=2", "/a/%20.png"])
def test_a_path_of_this_site_stays_one(folder: Path, path: str) -> None:
    assert found(folder, path) == (path, "")


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/x.png",
        "HTTP:x.png",
        "//elsewhere.example/x.png",
        "/\\elsewhere.example/x.png",
        "\\\\elsewhere.example\\x.png",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/hostname",
    ],
)
def test_nothing_comes_from_elsewhere(folder: Path, address: str) -> None:
    assert found(folder, address.replace("\\", "/"))[0] is None
    picture, reason = found(folder, address)
    assert picture is None
    assert reason == "nothing on the page may be loaded from elsewhere; put the file beside the article"


def test_a_file_stays_in_the_folder_of_its_article(folder: Path) -> None:
    (folder / "way-out").symlink_to(folder.parent)
    (folder / "link.svg").symlink_to(folder.parent / "outside.svg")
    outside = (None, "it is not in the folder of the article; put the file there")
    for value in ("../outside.svg", "way-out/outside.svg", "link.svg", "x/../../outside.svg", '/"x".svg'):
        assert found(folder, value) == outside


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "pictures").mkdir()
    (folder / "pictures/real.png").write_bytes(PNG)
    (folder / "link.png").symlink_to("pictures/real.png")
    assert found(folder, "link.png") == found(folder, "./pictures/../pictures/real.png")
    assert isinstance(found(folder, "link.png")[0], Picture)


def test_what_is_no_readable_file_is_not_shown(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "large.png").write_bytes(PNG.ljust(MAX_BYTES + 1))
    (folder / "largest.png").write_bytes(PNG.ljust(MAX_BYTES))
    (folder / "circle").symlink_to("circle")
    assert found(folder, "gone.png") == (None, "it can't be read (No such file or directory)")
    assert found(folder, "x" * 60 + "/" + "y" * 15) == (None, "it can't be read (No such file or directory)")
    assert found(folder, "pipe") == found(folder, ".") == (None, "it is not a file")
    assert found(folder, "large.png") == (None, "it is larger than 5 MiB")
    assert isinstance(found(folder, "largest.png")[0], Picture)
    assert found(folder, "circle")[0] is None
