"""What the guards cost: many addresses post, with limits that none of them reaches, beside no limits at all."""

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import Iterator

import msgspec

from bench.author import SIZE
from bench.process import Broken
from bench.report import Budget, Report
from bench.rows.ingest import SECONDS, Accepted
from bench.servers import Afterword, Server

LINES, ADDRESSES = 64, 1000  # connections of the proxy, and for how many it speaks
GUARDED = {
    "POSTS_PER_MINUTE": "100000",
    "THREAD_POSTS_PER_MINUTE": "1000000",
    "SITE_POSTS_PER_MINUTE": "1000000",
    "TRUSTED_PROXIES": "127.0.0.0/8",
}
VOCABULARY = [f"{first}{last}" for first in ("ka", "lo", "mi", "re", "su", "ta") for last in range(300)]


def guards(report: Report) -> None:
    """A proxy with 64 connections, on each of which one address after another posts something that nobody has said."""
    both = {"off": Afterword, "on": lambda: Afterword(**GUARDED)}
    measured = report.side_by_side("guards", both, lambda server: asyncio.run(_post(server, report)))
    report.add("guards", "accepted a second, over HTTP", [m["on"].per_second for m in measured])
    ratios = [m["on"].per_second / m["off"].per_second for m in measured]
    report.add("guards", "guards on / off", ratios, Budget(0.6, most=False))


async def _post(server: Server, report: Report) -> Accepted:
    begun = time.monotonic()
    end = begun + SECONDS * max(report.scale, 0.1)
    counts = await asyncio.gather(*(_keep_posting(server, end, seed) for seed in range(LINES)))
    return Accepted(sum(counts) / (time.monotonic() - begun))


async def _keep_posting(server: Server, end: float, seed: int) -> int:
    """Post one comment after the other on a connection; how many stand. Raises `Broken` where one is refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    path, said = server.path.replace("/live", "/comments"), _sentences(seed)
    for number in itertools.count():
        if time.monotonic() > end:
            writer.close()
            return number
        address = (number * LINES + seed) % ADDRESSES
        body = msgspec.json.encode({"op": str(uuid.uuid4()), "text": next(said)})
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 198.51.{address // 250}.{address % 250}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(size)
        if b" 201 " not in head[:16]:
            raise Broken(f"a comment was refused: {answer!r}")
    raise AssertionError


def _sentences(seed: int) -> Iterator[str]:
    """Comments of as many characters as elsewhere, each of words in an order of its own."""
    chance = random.Random(seed)  # noqa: S311 - the same in every round
    while True:
        yield " ".join(chance.choices(VOCABULARY, k=SIZE // 6))
