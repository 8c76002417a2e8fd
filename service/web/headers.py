"""The headers of every answer: what a browser may do with it."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from service.settings import Settings
from service.web.static import File

Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def adding(settings: Settings) -> Signal:
    """What gives an answer these headers, where it has none of its own."""
    of_files = {"X-Content-Type-Options": "nosniff"}
    of_documents = of_files | documents(settings.frame_ancestors)

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "Afterword"
        for name, value in (of_files if isinstance(response, File) else of_documents).items():
            response.headers.setdefault(name, value)

    return add


def documents(frame_ancestors: tuple[str, ...]) -> dict[str, str]:
    """The headers of what a browser may show by itself; `frame_ancestors`: origins that may show it in a frame.

    `connect-src 'self'` stands for the site's sockets, too (CSP 3; in Chromium since 71, in Firefox before that, in
    Safari since 16: https://github.com/w3c/webappsec-csp/issues/7). An older Safari goes on without sockets.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors " + (" ".join(frame_ancestors) or "'none'"),
        "require-trusted-types-for 'script'",
        "trusted-types afterword",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if not frame_ancestors:  # it knows no list of origins, so beside one it would forbid what that allows
        headers["X-Frame-Options"] = "DENY"
    return headers
