"""The store of a model: the log of each thread, kept for ever, and answers that may come late, or never."""

import asyncio
import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from service.errors import NotFound, Unavailable
from service.protocol import Comment, Epoch, Gone, Slug, Thread, ThreadId, Window
from service.run import Run
from service.store.comments import Position, Since

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
T = TypeVar("T")
Change = Literal["retracted", "removed", "held", "published"]


class Event(msgspec.Struct, frozen=True):
    """What one version did, and where the thread stood then. `new`: it published a comment for the first time."""

    comment: Comment | None
    thread: Thread
    count: int
    state_version: int
    new: bool


class Log(list[Event]):
    """All that happened to a thread in one epoch: version 1 first."""

    def latest(self, version: int) -> dict[int, Comment]:
        """Every comment as it was at a version, in version order."""
        latest = dict[int, Comment]()
        for event in self[:version]:
            if event.comment:
                latest.pop(event.comment.no, None)
                latest[event.comment.no] = event.comment
        return latest

    def between(self, from_: int, to: int, known: int) -> list[Comment]:
        """What was changed last in (`from_`, `to`], for someone who knows everything up to `known`."""
        return [comment for comment in self.latest(known).values() if from_ < comment.version <= to]

    def at(self, version: int) -> Event:
        """Where the thread stood."""
        return self[version - 1] if version else Event(None, Thread("open"), 0, 0, new=False)


class Commit(NamedTuple):
    """What a worker learns from a commit of its own."""

    thread: ThreadId
    epoch: Epoch
    run: Run


class Record:
    """A thread. `logs`: of every epoch that ever was; `version` is below the present one's end after a restore."""

    def __init__(self, number: int) -> None:
        self.slug = Slug(f"story-{number}")
        self.id = ThreadId(number)
        self.epoch = Epoch("e1.1")
        self.version = 0
        self.hidden = False
        self.logs = {self.epoch: Log()}
        self._unpublished: list[int] = []

    @property
    def log(self) -> Log:
        """The log of the present epoch."""
        return self.logs[self.epoch]

    @property
    def rewound(self) -> bool:
        """Whether it was restored, and nobody saw that yet: who commits now would use versions again."""
        return self.version < len(self.log)

    @property
    def position(self) -> Position:
        """Where the thread stands."""
        at = self.log.at(self.version)
        return Position(self.epoch, self.version, at.count, at.thread, at.state_version)

    def publish(self, sizes: Iterable[int]) -> Commit:
        """A batch of new comments, with texts of these sizes."""
        return self._committed([self._publish(self._next(), size) for size in sizes])

    def hold(self) -> None:
        """A new comment that waits for the desk, of which nobody hears."""
        self._unpublished.append(self._next())

    def release(self) -> Commit:
        """Publish the first that waits, late: below numbers that everybody saw."""
        return self._committed([self._publish(self._unpublished.pop(0), 10)] if self._unpublished else [])

    def change(self, pick: int, to: Change) -> Commit:
        """Retract, remove, hold back or restore a comment, where that makes a difference."""
        comments = list(self.log.latest(self.version).values())
        old = comments[pick % len(comments)] if comments else None
        if old is None or old.gone == "retracted" or (old.gone or "published") == to:
            return self._committed([])
        gone: Gone | None = None if to == "published" else to
        comment = _comment(old.no, self.version + 1, 10, gone)
        growth = (gone is None) - (old.gone is UNSET)
        self._append(comment, growth)
        return self._committed([comment])

    def set_state(self, thread: Thread) -> Commit:
        """Open, close or hold the thread, or slow it down."""
        self._append(None, 0, thread)
        return self._committed([], thread)

    def hide(self, *, hidden: bool) -> None:
        """Take the thread away, or bring it back."""
        if hidden != self.hidden:
            self._append(None, 0, self.position.thread)
            self.hidden = hidden

    def renew(self) -> None:
        """Begin a new epoch from the present position."""
        log = Log(self.log[: self.version])
        self.epoch = Epoch(f"e{len(self.logs) + 1}.1")
        self.logs[self.epoch] = log

    def _publish(self, no: int, size: int) -> Comment:
        comment = _comment(no, self.version + 1, size)
        self._append(comment, 1, new=True)
        return comment

    def _append(self, comment: Comment | None, growth: int, thread: Thread | None = None, *, new: bool = False) -> None:
        at = self.log.at(self.version)
        self.version += 1
        state_version = at.state_version if comment else self.version
        self.log.append(Event(comment, thread or at.thread, at.count + growth, state_version, new))

    def _committed(self, comments: Sequence[Comment], thread: Thread | None = None) -> Commit:
        raised = 1 if thread else len(comments)
        count = self.position.count
        run = Run.of(self.version - raised, self.version, count, comments, thread or UNSET)
        return Commit(self.id, self.epoch, run)

    def _next(self) -> int:
        """As a restored sequence would: numbers of another history come again."""
        return max([*self._unpublished, *self.log.latest(self.version)], default=0) + 1


class Question:
    """A statement on its way: first run, then answered; time may pass before each."""

    def __init__(self, query: Callable[[], Any]) -> None:
        self.answered = asyncio.get_running_loop().create_future()
        self._query = query
        self._outcome: Any = None
        self._ran = False

    def run(self) -> None:
        """Let the store do it, now."""
        if self._ran:
            return
        self._ran = True
        try:
            self._outcome = self._query()
        except NotFound as refusal:
            self._outcome = refusal

    def answer(self) -> None:
        """Let the answer arrive."""
        self.run()
        if self.answered.done():
            return
        if isinstance(self._outcome, NotFound):
            self.answered.set_exception(self._outcome)
        else:
            self.answered.set_result(self._outcome)

    def lose(self) -> None:
        """Cut the connection."""
        if not self.answered.done():
            self.answered.set_exception(Unavailable())


class Store:
    """What `Comments` answers to rooms, and to clients. `away`: it refuses; `slow`: statements wait to be answered."""

    def __init__(self, threads: int) -> None:
        self.records = [Record(number) for number in range(1, threads + 1)]
        self.away = False
        self.slow = False
        self.questions: list[Question] = []

    async def thread(self, slug: Slug) -> ThreadId:
        """The thread of an article."""
        return await self._ask(lambda: self._seen(lambda record: record.slug == slug).id)

    async def since(self, thread: ThreadId, version: int, limit: int) -> Since:
        """What changed after a version, at most `limit` comments of it."""
        return await self._ask(lambda: self._since(thread, version, limit))

    async def renew(self, thread: ThreadId, epoch: Epoch, version: int) -> None:
        """A new epoch, if this one's history went back below a version."""
        await self._ask(lambda: self._renew(thread, epoch, version))

    async def positions(self, threads: Sequence[ThreadId]) -> dict[ThreadId, tuple[Epoch, int]]:
        """Where threads stand."""
        return await self._ask(
            lambda: {r.id: (r.epoch, r.version) for r in self.records if r.id in threads and not r.hidden}
        )

    async def window(self, thread: ThreadId) -> Window:
        """All that stands, as a client fetches it."""
        return await self._ask(lambda: self.seen(thread))

    async def _ask(self, query: Callable[[], T]) -> T:
        if self.away:
            raise Unavailable
        question = Question(query)
        self.questions.append(question)
        if not self.slow:
            question.answer()
        try:
            answer: T = await question.answered
        finally:
            self.questions.remove(question)
        return answer

    def _seen(self, wanted: Callable[[Record], bool]) -> Record:
        for record in self.records:
            if wanted(record) and not record.hidden:
                return record
        raise NotFound

    def _since(self, thread: ThreadId, version: int, limit: int) -> Since:
        record = self._seen(lambda record: record.id == thread)
        comments = tuple(record.log.between(version, record.version, record.version))[-limit:]
        from_ = comments[0].version - 1 if len(comments) == limit else min(version, record.version)
        return Since(record.position, comments, from_)

    def _renew(self, thread: ThreadId, epoch: Epoch, version: int) -> None:
        record = self.records[thread - 1]
        if record.epoch == epoch and record.version < version:
            record.renew()

    def seen(self, thread: ThreadId) -> Window:
        """All that stands, of this very moment. Raises `NotFound`."""
        record = self._seen(lambda record: record.id == thread)
        at, comments = record.position, record.log.latest(record.version)
        return Window(at.epoch, at.version, at.count, at.thread, tuple(comments.values()), earlier=False, later=False)


def _comment(no: int, version: int, size: int, gone: Gone | None = None) -> Comment:
    if gone:
        return Comment(no, version, AT, gone=gone)
    return Comment(no, version, AT, by="Anonymous", html=f"<p>{version}{'x' * size}</p>", quotes=())
