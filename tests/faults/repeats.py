"""The same act, many times at once."""

import asyncio
import contextlib
import os
import signal

from websockets.asyncio.client import ClientConnection, connect

from tests.faults.acts import Act
from tests.faults.setting import serves
from tests.faults.trial import Trial
from tests.site import Message, op, receive, send

TWENTY = 20
TEXT = "Twenty say this at once, and it is said once"


async def one_op_by_twenty(trial: Trial) -> None:
    """Twenty clients post with one op at the same moment, by sockets on several workers and by requests."""
    here, act = trial.crowd, Act(op(), TEXT)
    here.acts.pending[act.op] = act

    def told(message: Message) -> None:
        here.acts.accept(act, message.get("no", 0), message.get("version"), message.get("state", str(message)))

    async def by_socket(socket: ClientConnection) -> None:
        await send(socket, "post", op=act.op, text=TEXT)
        told(await receive(socket, "accepted", "refused"))

    async def by_request() -> None:
        body = {"op": act.op, "text": TEXT}
        async with here.site.http.post(f"/articles/{here.slug}/comments", json=body) as response:
            told(await response.json())

    async with contextlib.AsyncExitStack() as stack:
        sockets = await _spread(trial, stack)
        requests = (by_request() for _ in range(TWENTY - len(sockets)))
        await asyncio.gather(*map(by_socket, sockets), *requests)


async def _spread(trial: Trial, stack: contextlib.AsyncExitStack) -> list[ClientConnection]:
    """A socket on each worker: those that have one are frozen while the next is opened, so that another takes it."""
    site, slug = trial.crowd.site, trial.crowd.slug
    url = f"{site.url.replace('http', 'ws', 1)}/articles/{slug}/live"
    workers = await site.workers()
    sockets: list[ClientConnection] = []
    frozen: set[int] = set()
    try:
        while len(frozen) < len(workers):
            socket = await stack.enter_async_context(connect(url, max_size=None))
            sockets.append(socket)
            frozen.add(worker := serves(workers, socket.local_address[1]))
            os.kill(worker, signal.SIGSTOP)
    finally:
        for worker in frozen:
            os.kill(worker, signal.SIGCONT)
    return sockets
