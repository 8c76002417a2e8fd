"""Lays the ground of a site, in each of its processes as it starts: see `tests.ground`."""

import asyncio
import os
import ssl
import sys
import types
from functools import partial
from typing import Any


def _on_asyncio() -> None:
    uvloop: Any = types.ModuleType("uvloop")
    uvloop.new_event_loop = asyncio.new_event_loop
    sys.modules["uvloop"] = uvloop


def _with_tls(certificate: str) -> None:
    from aiohttp import web  # noqa: PLC0415 - where it is needed only

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site: Any = partial(web.SockSite, ssl_context=context)
    web.SockSite = site  # type: ignore[misc]


if os.environ["GROUND_LOOP"] == "asyncio":
    _on_asyncio()
if found := os.environ.get("GROUND_CERTIFICATE"):
    _with_tls(found)
