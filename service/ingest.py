"""Group commit: whatever was posted while the last batch committed is the next batch.

One connection, one round trip a batch, no timer: an idle worker commits a comment at once, a busy one many together.
The store decides what stands; this only carries drafts to it and outcomes back.
"""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg

from service.errors import Internal, NotFound, Refusal, ThreadClosed, Unavailable
from service.protocol import Comment, Epoch, ThreadId
from service.run import Run
from service.store import comments, database
from service.store.comments import Draft, Outcome, Position, Standing

BATCH = 256  # drafts in one commit
QUEUE = 4096  # drafts waiting; beyond it a post is refused at once
PATIENCE = 8.0  # seconds after which who posted is told that there is no outcome yet: below the client's ten

log = logging.getLogger(__name__)
Published = Callable[[ThreadId, Epoch, Run], None]


class _Entry:
    """A draft that waits, and a result for each who posted it; the first of them posted what is committed."""

    __slots__ = ("deadline", "draft", "results")

    def __init__(self, draft: Draft, deadline: float) -> None:
        self.draft = draft
        self.deadline = deadline
        self.results: list[asyncio.Future[Standing]] = []

    def settle(self, standing: Standing) -> None:
        """Tell everyone what stands; only for the first it may be new."""
        for place, result in enumerate(self.results):
            if not result.done():
                result.set_result(standing._replace(fresh=False) if place else standing)

    def fail(self, refusal: Refusal) -> None:
        """Tell everyone who has no result yet why not."""
        for result in self.results:
            if not result.done():
                result.set_exception(refusal)
                result.exception()  # who posted it may be gone; then nobody asks


class Ingest:
    """The way of every comment into the store. `published` is told what readers are to see, commit by commit."""

    def __init__(self, url: str, published: Published) -> None:
        self._url = url
        self._published = published
        self._batch: list[_Entry] = []  # what is on its way, in the order of the deadlines,
        self._entries: deque[_Entry] = deque()  # and what waits behind it, whose deadlines are later
        self._timer: asyncio.TimerHandle | None = None  # for the next deadline, while anything waits
        self._claimed: dict[UUID, _Entry] = {}
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._connection: database.Connection | None = None

    def submit(self, draft: Draft) -> asyncio.Future[Standing]:
        """What stands for this act once it is durable.

        The future raises `ThreadClosed`, `NotFound`, or `Unavailable`: then the act may stand or not, and the same op
        tells.
        """
        result: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        if entry := self._entry(draft):
            entry.results.append(result)
        else:
            result.set_exception(Unavailable(retry_after=1))
        return result

    def _entry(self, draft: Draft) -> _Entry | None:
        """The entry that an act waits in; None where too many wait."""
        for op in draft.ops:
            if entry := self._claimed.get(op):
                return entry
        if len(self._entries) >= QUEUE:
            return None
        loop = asyncio.get_running_loop()
        entry = _Entry(draft, loop.time() + PATIENCE)
        self._entries.append(entry)
        self._timer = self._timer or loop.call_at(entry.deadline, self._give_up)
        self._claimed.update(dict.fromkeys(draft.ops, entry))
        self._idle.clear()
        self._filled.set()
        return entry

    async def run(self) -> None:
        """Commit batch after batch, until cancelled."""
        try:
            while True:
                await self._filled.wait()
                self._batch = self._take(BATCH)
                try:
                    await self._settle(self._batch)
                finally:
                    _fail(self._batch, Unavailable(retry_after=1))  # who has no result yet: this worker is ending
                    self._batch = []
                if not self._entries:
                    self._filled.clear()
                    self._idle.set()
        finally:
            _fail(self._entries, Unavailable(retry_after=1))
            self._hang_up()
            if self._timer:
                self._timer.cancel()

    async def drained(self) -> None:
        """Return when nothing waits any more."""
        await self._idle.wait()

    def _take(self, most: int) -> list[_Entry]:
        batch = [self._entries.popleft() for _ in range(min(most, len(self._entries)))]
        for entry in batch:
            for op in entry.draft.ops:
                self._claimed.pop(op, None)
        return batch

    def _give_up(self) -> None:
        """Tell who has waited for long enough, in the batch on its way or behind it; and come again for the next."""
        loop, refusal = asyncio.get_running_loop(), Unavailable(retry_after=1)
        now = loop.time()
        _fail([entry for entry in self._batch if entry.deadline <= now], refusal)
        while self._entries and self._entries[0].deadline <= now:
            _fail(self._take(1), refusal)
        waiting = (entry.deadline for entry in itertools.chain(self._batch, self._entries) if entry.deadline > now)
        deadline = next(waiting, None)
        self._timer = loop.call_at(deadline, self._give_up) if deadline else None

    async def _settle(self, batch: list[_Entry]) -> None:
        """Bring a batch to its end: every result is set, whatever happens."""
        drafts = [entry.draft for entry in batch]
        try:
            outcomes, first = await self._commit(drafts, batch[-1].deadline)
        except Unavailable as refusal:
            _fail(batch, refusal)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            if len(batch) == 1:
                log.exception("a draft that the database refuses")
                _fail(batch, Internal())
                return
            for entry in batch:
                await self._settle([entry])
        else:
            for entry, outcome in zip(batch, outcomes, strict=True):
                _tell(entry, outcome)
            self._publish(drafts, outcomes, first=first)

    async def _commit(self, drafts: Sequence[Draft], deadline: float) -> tuple[list[Outcome], bool]:
        """Run a batch until its outcome is known: the same one again, after a lost connection or a timeout.

        That is safe because the store looks for each op under the thread's lock, and so after the lost transaction.
        Also says whether the first try gave the outcome: else what is not fresh may be our own.
        """
        try:
            async with asyncio.timeout_at(deadline):
                for attempt in itertools.count():
                    try:
                        if self._connection is None:
                            self._connection = await database.connect(self._url)
                        return await comments.post(self._connection, drafts), attempt == 0
                    except Unavailable as refusal:
                        self._hang_up()
                        log.warning(
                            "the database is away, trying again", extra={"cause": type(refusal.__cause__).__name__}
                        )
                        await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
        except TimeoutError:
            self._hang_up()
        raise Unavailable(retry_after=1)

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None

    def _publish(self, drafts: Sequence[Draft], outcomes: Sequence[Outcome], *, first: bool) -> None:
        """Tell what is new; after a retry also where each thread stands, since what is new may be in the lost try."""
        positions: dict[ThreadId, Position] = {}
        fresh: dict[ThreadId, list[Comment]] = {}
        for draft, outcome in zip(drafts, outcomes, strict=True):
            if outcome.position and (outcome.published or not first):
                positions[draft.thread] = outcome.position
                fresh.setdefault(draft.thread, []).extend([outcome.published] if outcome.published else [])
        for thread, at in positions.items():
            new = fresh[thread]
            self._published(thread, at.epoch, Run.of(at.version - len(new), at.version, at.count, new))


def _tell(entry: _Entry, outcome: Outcome) -> None:
    if outcome.standing:
        entry.settle(outcome.standing)
    else:
        entry.fail(NotFound() if outcome.thread_state in {None, "none"} else ThreadClosed())


def _fail(batch: Sequence[_Entry], refusal: Refusal) -> None:
    for entry in batch:
        entry.fail(refusal)
