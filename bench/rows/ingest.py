"""How many comments become durable: on one thread, and on fifty at once."""

import asyncio
import time

import msgspec

from bench.author import Author, texts
from bench.report import Budget, Report
from bench.servers import Afterword, Server

SOCKETS, OUTSTANDING = 8, 64
SECONDS = 8.0
THREADS = 50


class Accepted(msgspec.Struct, frozen=True):
    """Durable comments a second."""

    per_second: float


def ingest(report: Report) -> None:
    """Eight authors on one thread, each with 64 comments under way; then fifty authors on as many threads."""
    many = [f"measured-{number}" for number in range(THREADS)]
    hot = report.side_by_side("ingest", {"one": Afterword}, lambda s: asyncio.run(_post(s, [s.path] * SOCKETS, report)))
    paths = [f"/articles/{slug}/live" for slug in many]
    spread = report.side_by_side(
        "ingest", {"many": lambda: Afterword(many)}, lambda s: asyncio.run(_post(s, paths, report))
    )
    report.add(
        "ingest", "accepted a second, one thread", [r["one"].per_second for r in hot], Budget(12_000, most=False)
    )
    ratios = [m["many"].per_second / o["one"].per_second for m, o in zip(spread, hot, strict=True)]
    report.add("ingest", f"{THREADS} threads / one", ratios, Budget(0.7, most=False))


async def _post(server: Server, paths: list[str], report: Report) -> Accepted:
    authors = [await Author.open(server.port, path) for path in paths]
    begun = time.monotonic()
    end = begun + SECONDS * max(report.scale, 0.1)
    await asyncio.gather(*(_keep_posting(author, end) for author in authors))
    took = time.monotonic() - begun
    for author in authors:
        author.close()
    return Accepted(sum(author.accepted for author in authors) / took)


async def _keep_posting(author: Author, end: float) -> None:
    said = texts()
    while time.monotonic() < end:
        while author.posted - author.accepted < OUTSTANDING:
            await author.post(next(said))
        await author.hear()
    await author.settle()
