"""How a refused request is answered."""

import gc
import weakref

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from service.errors import TooFast
from service.web.middleware import word_refusals


class Large:
    """What a handler had in its hands."""


async def test_a_refused_request_leaves_the_collector_nothing_to_do() -> None:
    left = []

    async def handler(_request: web.Request) -> web.Response:
        large, refusal = Large(), TooFast(retry_after=3)
        left.append(weakref.ref(large))
        raise refusal

    gc.disable()
    try:
        request = make_mocked_request("POST", "/articles/story/comments", {"Content-Type": "application/json"})
        response = await word_refusals(request, handler)
        assert (response.status, response.headers["Retry-After"]) == (429, "3")
        assert left[0]() is None
    finally:
        gc.enable()
