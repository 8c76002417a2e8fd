"""Log lines: one each, and never a visitor's address."""

import json
import logging
from collections.abc import Iterator

import pytest
from aiohttp.http_exceptions import BadStatusLine

from service import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give back the root logger as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_where_nobody_watches(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    logging.getLogger("service.bus").info("hello", extra={"cause": "none"})
    logging.getLogger("service.bus").debug("not heard")
    (line,) = lines(capsys)
    assert (line["event"], line["cause"], line["level"], line["logger"]) == ("hello", "none", "info", "service.bus")
    assert str(line["timestamp"]).endswith("Z")


def test_a_line_is_for_people_on_a_terminal(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    logs.set_up("warning")
    logging.getLogger("service").warning("look")
    written = capsys.readouterr().err
    assert "look" in written
    assert not written.startswith("{")


def test_a_failure_keeps_its_traceback(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("error")
    try:
        raise RuntimeError("a mistake of ours")
    except RuntimeError:
        logging.getLogger("service").exception("failed")
    (line,) = lines(capsys)
    assert "a mistake of ours" in str(line["exception"])


def test_a_request_that_was_no_http_leaves_no_line(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("debug")
    try:
        raise BadStatusLine("GARBAGE")
    except BadStatusLine:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "192.0.2.7")
    assert lines(capsys) == []


def test_aiohttps_own_lines_lose_the_address(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("debug")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "192.0.2.7")
    try:
        raise RuntimeError("ours")
    except RuntimeError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "192.0.2.7")
    first, second = lines(capsys)
    assert first["event"] == second["event"] == "a request could not be handled"
    assert "192.0.2.7" not in json.dumps([first, second])
