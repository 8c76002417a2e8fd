"""Which pages may connect and post: the site's own, and those an operator listed."""

from urllib.parse import urlsplit

from aiohttp import web

from service.errors import ForeignOrigin
from service.settings import Settings

_PORTS = {"http": 80, "https": 443}


def check(request: web.BaseRequest, settings: Settings) -> None:
    """Raise `ForeignOrigin` where a browser says that another site's page sent this request (RFC 6454, Fetch metadata).

    A client that is no browser sends neither header, and may pass.
    """
    origins = request.headers.getall("Origin", [])
    if not origins:
        if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
            raise ForeignOrigin
        return
    if len(origins) != 1 or not _allowed(origins[0], request, settings):
        raise ForeignOrigin


def _allowed(origin: str, request: web.BaseRequest, settings: Settings) -> bool:
    own = _split(origin)
    if own is None:
        return False
    if any(own == _split(allowed) for allowed in settings.allowed_origins):
        return True
    if settings.site_url:
        return own == _split(settings.site_url)
    return own == _split(f"{own[0]}://{request.headers.get('Host', '')}")


def _split(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None for what is no origin ("null", say)."""
    try:
        parts = urlsplit(origin)
        if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
            return None
        return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError:
        return None
