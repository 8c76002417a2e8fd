"""Whether anything slows down as a thread grows: to a million comments, written straight into the store."""

import asyncio
import http.client
import statistics
import time
import uuid
from collections.abc import Callable
from functools import partial

import asyncpg
import msgspec

from bench.author import Author
from bench.process import Broken
from bench.report import Budget, Plot, Point, Report
from bench.servers import Afterword, Server
from service import embedded

LENGTHS = (100, 10_000, 1_000_000)
TIMES = 100
MISSED = 50  # comments
FLAT = 1.15
FILL = """
INSERT INTO comments (thread, version, op, text_tag, text, state)
SELECT t.id, n, gen_random_uuid(), '', 'Comment ' || n || ' of a long thread, with a few words more.', 'published'
FROM threads t JOIN articles a USING (id), generate_series(1, $2) n WHERE a.slug = $1
"""
RAISE = "UPDATE threads SET version = $2, count = $2 WHERE id = (SELECT id FROM articles WHERE slug = $1)"
MIDDLE = "SELECT no FROM comments JOIN articles a ON a.id = thread WHERE a.slug = $1 AND version = $2"


class Took(msgspec.Struct, frozen=True):
    """Median milliseconds, by act and then by the thread's length."""

    ms: dict[str, dict[int, float]]


def length(report: Report) -> None:
    """A page, windows, a permalink, catching up and posting, on threads of 100, 10,000 and 1,000,000 comments."""
    lengths = [max(100, report.scaled(each)) for each in LENGTHS]
    slugs = [f"measured-{each}" for each in lengths]
    rounds = report.side_by_side(
        "length", {"Afterword": lambda: Afterword(slugs)}, lambda s: asyncio.run(_measure(s, lengths))
    )
    lines: dict[str, list[Point]] = {}
    for act in rounds[0]["Afterword"].ms:
        took = [r["Afterword"].ms[act] for r in rounds]
        ratios = [each[lengths[-1]] / each[lengths[0]] for each in took]
        report.add("length", f"{act}, {lengths[-1]:,} comments / {lengths[0]:,}", ratios, Budget(FLAT))
        lines[act] = [Point(each, statistics.median(t[each] for t in took)) for each in lengths]
    report.plots.append(Plot("length", "Time on a growing thread", "comments in the thread", "ms", lines))


async def _measure(server: Server, lengths: list[int]) -> Took:
    middles = await _fill(server, lengths)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def ask(method: str, path: str, body: bytes | None = None) -> bytes:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status >= 400:
            raise Broken(f"{method} {path}: {answer.status}")
        return answer.read()

    def post(thread: str) -> int:
        body = msgspec.json.encode({"op": str(uuid.uuid4()), "text": f"Measured {time.monotonic_ns()}"})
        version: int = msgspec.json.decode(ask("POST", f"{thread}/comments", body))["version"]
        return version

    def read_own(thread: str) -> bytes:
        return get(f"{thread}?seen={post(thread)}")

    get = partial(ask, "GET")
    ms: dict[str, dict[int, float]] = {}
    for size in lengths:
        thread, middle = f"/articles/measured-{size}", middles[size]
        at = msgspec.json.decode(get(f"{thread}/comments?limit=1"))
        acts: dict[str, Callable[[], object]] = {
            "a warm page": partial(get, thread),
            "a window in its middle": partial(get, f"{thread}/comments?around={middle}"),
            "a permalink": partial(get, f"/comments/{middle}"),
            "the page it leads to": partial(get, f"{thread}?around={middle}"),
            "catching up": partial(get, f"{thread}/comments?epoch={at['epoch']}&after={at['version'] - MISSED}"),
            "posting": partial(post, thread),
            "a page after a post": partial(read_own, thread),
        }
        for name, act in acts.items():
            ms.setdefault(name, {})[size] = _median(act)
        ms.setdefault("joining behind", {})[size] = await _join(server, thread, at)
    return Took(ms)


async def _fill(server: Server, lengths: list[int]) -> dict[int, int]:
    """Write the threads; the number of the comment in the middle of each."""
    urls = await embedded.running(server.folder / "data")
    assert urls is not None
    connection = await asyncpg.connect(urls.owner)
    middles = {}
    for size in lengths:
        slug = f"measured-{size}"
        await connection.execute(FILL, slug, size, timeout=300)
        await connection.execute(RAISE, slug, size)
        middles[size] = await connection.fetchval(MIDDLE, slug, size // 2)
    await connection.execute("VACUUM ANALYZE comments", timeout=300)
    await connection.close()
    return middles


async def _join(server: Server, thread: str, at: dict[str, object]) -> float:
    """Milliseconds from a reader's dial to its `joined` with what it missed."""
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        author = await Author.open(server.port, f"{thread}/live?epoch={at['epoch']}&after={at['version']}")
        await author.hear()
        took.append(time.perf_counter() - begun)
        author.close()
    return statistics.median(took) * 1000


def _median(act: Callable[[], object]) -> float:
    """Milliseconds that it takes, once it is warm."""
    act()
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000
