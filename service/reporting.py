"""A report's way in, and an appeal's: cleaned, limited, filed; and what is reported enough is held for every reader."""

from collections.abc import Callable
from typing import Literal

from service import text
from service.blocklist import Blocklist
from service.errors import Empty, TooFast, TooLong, phrase
from service.guard.limits import Limits
from service.guard.pressure import MOST, Pressure
from service.keyring import Keyring, Visitor
from service.protocol import CommentNo, ReportReason
from service.store.comments import Changed
from service.store.reports import Report, Reports

PER_MINUTE = 10  # reports and appeals of an address, at once and in a minute
NOTE, APPEAL = 500, 1_000  # characters, as cleaned
LONG = phrase("That is too long; please shorten it.")  # it has another limit than a comment


class Reporting:
    """Files reports and appeals. `to_hold` reports by as many addresses hold a comment, which `tell` tells readers."""

    def __init__(
        self,
        keyring: Keyring,
        reports: Reports,
        limits: Limits,
        blocklist: Blocklist,
        *,
        pressure: Pressure,
        tell: Callable[[Changed], None],
        to_hold: int,
    ) -> None:
        self._keyring = keyring
        self._reports = reports
        self._limits = limits
        self._blocklist = blocklist
        self._pressure = pressure
        self._tell = tell
        self._to_hold = to_hold

    async def report(self, no: CommentNo, reason: ReportReason, note: str, visitor: Visitor) -> None:
        """File a report. Raises `TooLong`, `Banned`, `TooFast`, `NotFound`, `Unavailable`."""
        cleaned = _cleaned(note, NOTE)
        if banned := await self._blocklist.find(visitor):
            raise banned
        await self._file("report", no, reason, cleaned, visitor)

    async def appeal(self, no: CommentNo, words: str, visitor: Visitor) -> None:
        """File an appeal; a ban forbids none. Raises `Empty`, `TooLong`, `TooFast`, `NotFound`, `Unavailable`."""
        cleaned = _cleaned(words, APPEAL)
        if cleaned is None:
            raise Empty
        await self._file("appeal", no, "appeal", cleaned, visitor)

    async def _file(
        self,
        purpose: Literal["report", "appeal"],
        no: CommentNo,
        reason: ReportReason | Literal["appeal"],
        note: str | None,
        visitor: Visitor,
    ) -> None:
        reporter = self._keyring.reporter(visitor, no, purpose)
        if wait := await self._limits.wait(visitor.limit, self._keyring.report_op(reporter)):
            raise TooFast(retry_after=wait)
        thread, held = await self._reports.file(Report(no, reporter, reason, note), self._to_hold)
        self._pressure.feel(thread, visitor.limit, MOST)  # a report says more than a comment
        if held:
            self._tell(held)


def _cleaned(raw: str, most: int) -> str | None:
    """A text as it is kept; None where there is nothing to see. Raises `TooLong`."""
    try:
        cleaned = text.clean(raw)
    except Empty:
        return None
    except TooLong:
        raise TooLong(LONG) from None
    if len(cleaned) > most:
        raise TooLong(LONG)
    return cleaned
