"""The command line: `python -m service`, also installed as `afterword`."""

import signal
import sys

if __name__ == "__main__":
    if sys.platform == "win32":
        print("Afterword does not run on Windows itself: use docker compose, or WSL.", file=sys.stderr)
        sys.exit(2)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports below: no traceback

import argparse
import asyncio
import contextlib
import io
import socket
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from service import embedded, logs, press, settings, supervisor, worker
from service.errors import StartError, Unavailable
from service.settings import Settings
from service.stop import Stop
from service.store import database
from service.store.articles import Articles

BAD_START = 2
LISTED = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 done in part, 2 not started."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every letter of a title
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except StartError as error:
        print(error, file=sys.stderr)
        return BAD_START


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Afterword: news articles, and the live, anonymous conversation below each of them.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_serve, parent=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    serve = _command(
        commands,
        "serve",
        _serve,
        "serve the site (the default)",
        "Starts the bundled stores where no URL names others, migrates, and serves until Ctrl-C.",
    )
    # For `make run`: nobody could stop what outlived it.
    serve.add_argument("--parent", metavar="PID", type=int, help=argparse.SUPPRESS)
    _command(
        commands,
        "migrate",
        _migrate,
        "bring the database up to this release",
        "Applies what is missing of the schema; any number may run at once.",
    )
    articles = commands.add_parser("articles", help="load and list articles", description="Load and list articles.")
    nouns = articles.add_subparsers(title="commands", metavar="COMMAND", required=True)
    load = _command(
        nouns,
        "load",
        _load,
        "publish Markdown files",
        "Publishes Markdown files with YAML front matter; the same slug again updates the article. Works beside a "
        "running service, whose pages show it within two seconds, and alone. A file that can't be read is named with "
        "its line and reason, and the others are published; then the exit status is 1.",
    )
    load.add_argument("paths", metavar="PATH", nargs="+", type=_path, help="a file, or a folder of files")
    _command(nouns, "list", _list, "list what is published", "Lists the articles, the latest first.")
    work = commands.add_parser("work")  # the supervisor's: no help, so that nobody is tempted
    work.add_argument("files", type=int, nargs=2)
    work.set_defaults(run=_work)
    return parser


def _path(text: str) -> Path:
    """A path that was given: an empty one, of a variable that is not set, would be the folder one stands in."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path")
    return Path(text)


def _command(
    commands: Any,  # noqa: ANN401 - the type is private to argparse
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="Settings: see python -m service --help.",
    )
    parser.set_defaults(run=run)
    return parser


def _settings_help() -> str:
    """Every setting, its meaning and its default."""
    lines = ["settings (environment variables; each may be given as a file by …_FILE):"]
    for name, meaning, default in settings.table():
        shown = f"{meaning} [{default}]" if default else meaning
        lines += textwrap.wrap(shown, 100, initial_indent=f"  {name:34} ", subsequent_indent=" " * 37)
    return "\n".join(lines)


def _serve(options: argparse.Namespace) -> int:
    renew = asyncio.Event()
    return _run(supervisor.serve(_start(), _say, renew), options.parent, renew.set)


def _migrate(_options: argparse.Namespace) -> int:
    async def command(given: Settings) -> int:
        async with _database(given) as url:
            await supervisor.migrate(url, _say)
        return 0

    return _run(command(_start()))


def _load(options: argparse.Namespace) -> int:
    async def command(given: Settings) -> int:
        async with _articles(given) as articles:
            whole = await press.load(articles, options.paths, given.zone, _say, _complain)
        return 0 if whole else 1

    return _run(command(_start()))


def _list(_options: argparse.Namespace) -> int:
    async def command(given: Settings) -> int:
        async with _articles(given) as articles:
            for headline in await articles.recent(LISTED):
                date = headline.published_at.astimezone(given.zone)
                _say(f"{date:%Y-%m-%d %H:%M}  {headline.count:6}  {headline.slug}  {headline.title}")
        return 0

    return _run(command(_start()))


def _work(options: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415

    listener, lifeline = (socket.socket(fileno=number) for number in options.files)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(worker.work(listener, lifeline))
    return 0


def _start() -> Settings:
    given = settings.load()
    logs.set_up(given.log_level)
    return given


def _run(
    command: Coroutine[Any, Any, int | None], parent: int | None = None, renew: Callable[[], None] | None = None
) -> int:
    """Run a command until it is done or stopped. SIGHUP renews what can be renewed, and stops anything else."""

    async def main() -> int:
        task = asyncio.current_task()
        assert task is not None
        stop = Stop(task)
        stop.at_signals()
        if renew is not None:
            stop.at_hang_up(renew)
        if parent is not None:
            stop.after(parent)
        try:
            return await command or 0
        except asyncio.CancelledError:
            if not stop.asked:
                raise
            return 0

    return asyncio.run(main())


@contextlib.asynccontextmanager
async def _articles(given: Settings) -> AsyncIterator[Articles]:
    """The articles of the database that is set or bundled, at this release's schema."""
    async with _database(given) as url:
        await supervisor.migrate(url, _say)
        async with database.pool(url, 1) as pool:
            yield Articles(pool)


@contextlib.asynccontextmanager
async def _database(given: Settings) -> AsyncIterator[str]:
    """The URL of the database. Raises `StartError` where it does not answer."""
    async with contextlib.AsyncExitStack() as stack:
        url = given.database_url
        if url is None:
            url = (await stack.enter_async_context(embedded.stores(given.data_dir, _complain, valkey=False))).postgres
        try:
            yield url
        except Unavailable as refusal:
            raise StartError(supervisor.no_postgres(url, refusal)) from None


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
