"""The picture of an article: a file beside it, or a path on this site."""

import hashlib
import re
import stat
from pathlib import Path

import msgspec

from service.article_file.remarks import Remarks, quoted

MAX_BYTES = 5 * 1024 * 1024

# A path that every browser reads as one of this site: '//host' and '/\host' are not among them.
_SITE_PATH = re.compile(r"(?:/[\w.~%@+-]+)+(?:\?[\w.~%=&+-]*)?", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]{2}")

# What a file is, its own first bytes say (https://mimesniff.spec.whatwg.org, "image type pattern
# matching"). Possessive, so that a thousand comments above an SVG's root take linear time.
_SIGNATURES = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
    "image/avif": rb".{4}ftyp(?:.{4}){0,12}?avi[fs]",
    "image/svg+xml": rb"(?:\xef\xbb\xbf)?"
    rb"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>)*+<svg[\s/>]",
}
_KINDS = {kind: re.compile(signature, re.DOTALL) for kind, signature in _SIGNATURES.items()}


class Picture(msgspec.Struct, frozen=True):
    """A picture read from a file. `name` is 32 hex digits of its content's SHA-256.

    An SVG may hold scripts: harmless within <img>, but who serves it must send
    `Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; sandbox`.
    """

    name: str
    media_type: str
    data: bytes


def find_picture(value: str, line: int, remarks: Remarks) -> Picture | str | None:
    """Find what the field `image` names: the picture of a file, or a path on this site.

    What can't be shown is None and a warning: an article matters more than its picture.
    """
    if _SITE_PATH.fullmatch(value):
        return value
    try:
        return _picture(_content(_beside(remarks.path, value)))
    except _NotShownError as error:
        reason = str(error)
    except OSError as error:
        reason = f"it can't be read ({error.strerror})"
    except RuntimeError:  # before Python 3.13, from a circle of symbolic links
        reason = "it is a symbolic link to itself"
    remarks.warn(line, f"the image {quoted(value)} is not shown: {reason}")
    return None


class _NotShownError(Exception):
    """Why a picture is not shown."""


def _beside(article: Path, value: str) -> Path:
    if _ADDRESS.match(value):
        raise _NotShownError("nothing on the page may be loaded from elsewhere; put the file beside the article")
    folder = article.parent.resolve()
    file = (folder / value).resolve()  # through symbolic links: where it truly is
    if not file.is_relative_to(folder):
        raise _NotShownError("it is not in the folder of the article; put the file there")
    return file


def _content(file: Path) -> bytes:
    if not stat.S_ISREG(file.stat().st_mode):  # opening a named pipe would wait for ever
        raise _NotShownError("it is not a file")
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _NotShownError("it is larger than 5 MiB")
    return data


def _picture(data: bytes) -> Picture:
    for media_type, signature in _KINDS.items():
        if signature.match(data):
            return Picture(hashlib.sha256(data).hexdigest()[:32], media_type, data)
    raise _NotShownError("it is no SVG, PNG, JPEG, WebP, AVIF or GIF")
