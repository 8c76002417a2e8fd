"""Log lines: for people on a terminal, as JSON elsewhere. They never hold a visitor's address, an op or a text."""

import logging
import sys

import structlog
from aiohttp.http import HttpProcessingError


def set_up(level: str) -> None:
    """Send every line of this process to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    terminal = sys.stderr.isatty()
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    handler.addFilter(_without_addresses)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _without_addresses(record: logging.LogRecord) -> bool:
    """Take the address out of aiohttp's lines, and drop those about a request that was no HTTP: it got its 400."""
    if record.name != "aiohttp.server":
        return True
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        return False
    record.msg, record.args = "a request could not be handled", ()
    return True
