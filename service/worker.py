"""One worker process: it serves on a socket that the supervisor bound, until it is told to leave or left alone."""

import asyncio
import contextlib
import ctypes
import gc
import signal
import socket
import sys

import msgspec
from aiohttp import web

from service import keys, logs
from service.app import make_app
from service.guard import connections, patience
from service.rooms import Rooms
from service.settings import Settings

BYE_SECONDS = 1.0  # readers come back elsewhere within this,
DRAIN_SECONDS = 2.0  # and who has not gone after this is closed
LOOK_SECONDS = 0.05  # between two looks at the open connections
KEEP_ALIVE_SECONDS = 75.0  # longer than the proxy's, so that it never writes to a connection which is being closed
LINGER_SECONDS = 2.0  # for which the rest of a refused body is read, so that the answer is not lost with it
BACKLOG = 4096
READY = b"ready\n"
PR_SET_PDEATHSIG = 1  # prctl(2)


async def work(listener: socket.socket, lifeline: socket.socket) -> None:
    """Serve. `lifeline` brings the settings, takes "ready", and ends when the supervisor does."""
    _attend_the_supervisor()
    reader, writer = await asyncio.open_connection(sock=lifeline)
    told = await reader.readline()
    if not told.endswith(b"\n"):
        return  # the supervisor is gone already
    settings = msgspec.json.decode(told, type=Settings, dec_hook=lambda kind, value: kind(value))
    logs.set_up(settings.log_level)
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    async with asyncio.TaskGroup() as tasks:
        app = make_app(settings, tasks)
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        assert runner.server is not None
        connections.keep_spare(runner.server)
        sweep = tasks.create_task(patience.with_connections(runner.server))
        site = web.SockSite(runner, listener, backlog=BACKLOG)
        _sweep_seldom()
        await site.start()
        writer.write(READY)
        watch = tasks.create_task(_orphaned(reader, leave))
        await leave.wait()
        alone = watch.done()
        watch.cancel()
        app[keys.HEALTH].draining = True
        await site.stop()
        if not alone:
            await app[keys.ROOMS].part(BYE_SECONDS)
            await _answer(runner, app[keys.ROOMS])
            app[keys.ROOMS].dismiss()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await app[keys.INGEST].drained()
        sweep.cancel()
        await runner.cleanup()
    writer.close()


def _sweep_seldom() -> None:
    """Have the collector look seldom, and not at what is here to stay: all readers wait for it, for 100 ms in a flood.

    What is often made leaves no circles (test_middleware.py), so little waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _attend_the_supervisor() -> None:
    """Leave SIGHUP to it, and be woken when it dies: a stopped process would hold the port, and notice nothing."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


async def _answer(runner: web.AppRunner, rooms: Rooms) -> None:
    """Serve the connections that were accepted: each has until the deadline to send a request, or the rest of one.

    The answer closes it (`middleware.close_when_draining`). aiohttp's own clean-up would hear no more of a half-sent
    request, and close a connection that has not sent one yet. Readers have as long to go by themselves.
    """
    assert runner.server
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.sleep(LOOK_SECONDS)  # what was just accepted is not in the list yet
            while runner.server.connections or rooms.readers:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(LOOK_SECONDS)


async def _orphaned(reader: asyncio.StreamReader, leave: asyncio.Event) -> None:
    """Leave when the supervisor is gone: whoever comes next finds the port free."""
    with contextlib.suppress(ConnectionError):  # a reset, where it was killed before it read "ready"
        await reader.read()
    leave.set()
