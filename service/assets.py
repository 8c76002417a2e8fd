"""The files of `static/`: in memory, made small once at start, named by their content and so kept for ever.

All stand below one digest of them all, `/static/{digest}/…`: a release that changes any of them changes every address.
Another digest (a page of another release) gets the present file. The scripts that pages name stand at the top; what
they import, in the folders below, is served within them.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import brotli
import rcssmin
import rjsmin

from service.bundle import bundle
from service.errors import NotFound

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED = {"text/javascript", "text/css", "image/svg+xml"}
_MINIFIED: dict[str, Callable[[str], str]] = {"text/javascript": rjsmin.jsmin, "text/css": rcssmin.cssmin}


class Asset(NamedTuple):
    """A file in each encoding that makes it smaller; `identity` is always there."""

    content_type: str
    etag: str
    encodings: dict[str, bytes]


class Assets:
    """Every file below a folder."""

    def __init__(self, folder: Path) -> None:
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        modules = {name for name in names if name.endswith(".js") and "/" in name}
        self._assets = {name: _load(folder, name) for name in names if name not in modules}
        whole = "".join(f"{name} {asset.etag}\n" for name, asset in self._assets.items())
        self._digest = hashlib.sha256(whole.encode()).hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file. Raises `KeyError` where there is none."""
        if name not in self._assets:
            raise KeyError(name)
        return f"/static/{self._digest}/{name}"

    def find(self, digest: str, name: str) -> tuple[Asset, bool]:
        """A file, and whether that address will always have these bytes. Raises `NotFound`."""
        asset = self._assets.get(name)
        if asset is None:
            raise NotFound
        return asset, digest == self._digest


def _load(folder: Path, name: str) -> Asset:
    path = folder / name
    data = bundle(folder, name).encode() if path.suffix == ".js" else path.read_bytes()
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if minify := _MINIFIED.get(media_type):
        data = minify(data.decode()).encode()
    encodings = {"identity": data}
    if media_type in _COMPRESSED:
        compressed = {"br": brotli.compress(data, quality=11), "gzip": gzip.compress(data, 9, mtime=0)}
        encodings |= {name: smaller for name, smaller in compressed.items() if len(smaller) < len(data)}
    content_type = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    return Asset(content_type, hashlib.sha256(data).hexdigest()[:16], encodings)


def preferred(accept: str, asset: Asset) -> str:
    """The smallest encoding that the client likes best (RFC 9110 §12.5.3); the file as it is where it likes none."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = _weight(parameters)

    def rank(encoding: str) -> tuple[float, int]:
        default = weights.get("*", 1e-4 if encoding == "identity" else 0.0)
        return weights.get(encoding, default), -len(asset.encodings[encoding])

    best = max(asset.encodings, key=rank)
    return best if rank(best)[0] > 0 else "identity"


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
