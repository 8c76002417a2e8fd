"""Log lines: for people on a terminal, as JSON elsewhere. They never hold a visitor's address, an op or a text."""

import logging
import sys
import traceback

import structlog
from aiohttp.http import HttpProcessingError
from aiohttp.web import RequestPayloadError

from service.errors import AfterwordError


def set_up(level: str) -> None:
    """Send every line of this process to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _trace, last],
        )
    )
    handler.addFilter(_without_addresses)
    logging.getLogger("markdown_it").setLevel(logging.INFO)  # below that it tells every rule it tries
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Write an exception as its frames and classes. A message that is not ours may hold what a visitor wrote."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    lines: list[str] = []
    while isinstance(error, BaseException):
        said = f": {error}" if isinstance(error, AfterwordError | OSError) else ""
        state = getattr(error, "sqlstate", None)
        lines[:0] = [
            *traceback.format_tb(error.__traceback__),
            f"{type(error).__module__}.{type(error).__qualname__}{said}{f' [{state}]' if state else ''}\n",
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if lines:
        event["exception"] = "".join(lines)
    return event


def _without_addresses(record: logging.LogRecord) -> bool:
    """Take the address out of aiohttp's lines, and drop those about a client's own mistake: it got its answer."""
    if not record.name.startswith("aiohttp."):
        return True
    error = record.exc_info[1] if record.exc_info else None
    if record.name == "aiohttp.websocket" or isinstance(error, HttpProcessingError | RequestPayloadError):
        return False
    record.msg, record.args = "a request could not be handled", ()
    return True
