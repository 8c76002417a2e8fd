"""What holds for every request: its line in the log, how a refusal is worded, and the last answer while draining."""

import logging
import time
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import UNSET

from service import keys, protocol
from service.errors import (
    Internal,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Refusal,
    TooLarge,
    Unavailable,
)
from service.protocol import Problem
from service.web import pages

log = logging.getLogger(__name__)

HAS_LEFT = 499  # the client, before the answer: nobody gets this, but the log has a word for it (nginx's)


@web.middleware
async def close_when_draining(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make an answer the last one on its connection while the worker drains: the next request goes elsewhere."""
    response = await handler(request)
    if request.app[keys.HEALTH].draining:
        response.force_close()
    return response


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One line a request: what was asked, by which route, and how it went. Never who asked, nor a query."""
    if not log.isEnabledFor(logging.INFO):
        return await handler(request)
    begun = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    finally:
        resource = request.match_info.route.resource
        log.info(
            "request",
            extra={
                "method": request.method,
                "route": resource.canonical if resource else None,
                "status": status,
                "ms": round((time.perf_counter() - begun) * 1000, 1),
            },
        )
    return response


@web.middleware
async def word_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal into an answer: a page for people, a problem document (RFC 9457) for programs."""
    try:
        return await handler(request)
    except Refusal as refusal:
        # Its traceback has the frame that has it: by itself that circle would stay, request and all, for the collector.
        return _worded(request, refusal.with_traceback(None), {})
    except web.HTTPMethodNotAllowed as error:
        return _worded(request, MethodNotAllowed(), {"Allow": error.headers["Allow"]})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        known = {404: NotFound(), 413: TooLarge(), 503: Unavailable()}
        return _worded(request, known.get(error.status) or Malformed(), {})
    except Exception as error:
        if isinstance(error, OSError) and _has_left(request):
            return web.Response(status=HAS_LEFT)
        log.exception("internal error")
        return _worded(request, Internal(), {})


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _worded(request: web.Request, refusal: Refusal, headers: dict[str, str]) -> web.Response:
    if _for_programs(request):
        wait = protocol.whole_seconds(refusal.retry_after)
        title = HTTPStatus(refusal.status).phrase
        problem = Problem(
            "about:blank",
            title,
            refusal.status,
            refusal.code,
            refusal.message,
            wait,
            refusal.until or UNSET,
            refusal.reason or UNSET,
            protocol.challenge(refusal),
        )
        response = web.Response(
            body=protocol.encode(problem), status=refusal.status, content_type="application/problem+json"
        )
    else:
        response = pages.error(request, refusal)
    response.headers.update({"Cache-Control": "no-store", **headers, **pages.refusal_headers(refusal)})
    return response


def _for_programs(request: web.Request) -> bool:
    """Whether a program asked: for what stands below an article, for health, or for JSON by name.

    A form is posted by a person, who gets a page; JSON by a program.
    """
    if request.method == "POST" and request.content_type in {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }:
        return False
    if request.method == "POST" and request.content_type == "application/json":
        return True
    path = request.path.rstrip("/")
    below_article = path.startswith("/articles/") and path.count("/") > 2 and not path.endswith("/moderation")
    return below_article or path in {"/healthz", "/readyz"} or pages.asks_for_json(request)
