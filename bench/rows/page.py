"""How many pages a second a worker serves, beside bare aiohttp with the same bytes."""

import re
import subprocess

import msgspec

from bench import author, tools
from bench.report import Budget, Report
from bench.servers import Afterword, Server, bare

COMMENTS = 50
SECONDS = 5


class Served(msgspec.Struct, frozen=True):
    """Requests a second, of two servers that run at the same time and are asked in turn."""

    page_bytes: int
    ours: float
    bare: float


def page(report: Report) -> None:
    """An article with fifty comments, warm."""
    rounds = report.side_by_side("page", {"Afterword": Afterword}, _serve)
    served = [r["Afterword"] for r in rounds]
    report.add("page", "article pages a second, / aiohttp", [s.ours / s.bare for s in served], Budget(0.7, most=False))


def _serve(server: Server) -> Served:
    author.write(server, 1000, COMMENTS, [server.path])
    path = server.path.removesuffix("/live")
    body = server.get(path)
    file = server.folder / "page.html"
    file.write_bytes(body)
    other = bare(file)
    try:
        return Served(len(body), _requests(server, path), _requests(other, "/page"))
    finally:
        other.stop()


def _requests(server: Server, path: str) -> float:
    """A second, over 32 connections that are kept."""
    address = f"http://127.0.0.1:{server.port}{path}"
    done = subprocess.run(
        [tools.found("wrk"), "-t1", "-c32", f"-d{SECONDS}", address],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found
    return float(found[1])
