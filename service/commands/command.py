"""What every command has: a place on the command line, settings, an end, and the database it works on."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from service import embedded, logs, settings, supervisor
from service.errors import StartError, Unavailable
from service.protocol import MAX_INTEGER
from service.settings import Settings
from service.stop import Stop
from service.store import database
from service.store.database import Pool

Commands = Any  # the type of argparse's subparsers is private to it


def add(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, description: str
) -> argparse.ArgumentParser:
    """Add a command; `run` is given its options, and returns the exit status."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="Settings: see python -m service --help.",
    )
    parser.set_defaults(run=run)
    return parser


def add_noun(commands: Commands, name: str, summary: str) -> Commands:
    """Add a noun that has commands of its own."""
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def number(least: int, most: int = MAX_INTEGER) -> Callable[[str], int]:
    """What reads a whole number in these bounds."""
    bounds = f"from {least} on" if most == MAX_INTEGER else f"from {least} to {most}"

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number {bounds}")
        return int(text)

    return read


def start() -> Settings:
    """The settings, with the log set up as they say. Raises `StartError`."""
    given = settings.load()
    logs.set_up(given.log_level)
    return given


def run(
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


def stored(
    work: Callable[[argparse.Namespace, Settings, Pool], Coroutine[Any, Any, int | None]],
) -> Callable[[argparse.Namespace], int]:
    """Make a command of work on the database, which is given the options, the settings, and connections."""

    def command(options: argparse.Namespace) -> int:
        async def main(given: Settings) -> int | None:
            async with pool(given) as connections:
                return await work(options, given, connections)

        return run(main(start()))

    return command


@contextlib.asynccontextmanager
async def pool(given: Settings) -> AsyncIterator[Pool]:
    """The database that is set or bundled, at this release's schema."""
    async with reached(given) as (url, owner):
        await supervisor.migrate(url, say, owner)
        async with database.pool(url, 1) as connections:
            yield connections


@contextlib.asynccontextmanager
async def reached(given: Settings) -> AsyncIterator[tuple[str, str | None]]:
    """The URLs of the database: to serve by, and to own it by. Raises `StartError` where it does not answer."""
    async with contextlib.AsyncExitStack() as stack:
        url, owner = given.database_url, given.owner_url
        if url is None:
            urls = await stack.enter_async_context(embedded.stores(given.data_dir, complain, valkey=False))
            url, owner = urls.postgres, urls.owner
        try:
            yield url, owner
        except Unavailable as refusal:
            raise StartError(supervisor.no_postgres(url, refusal)) from None


def say(line: str) -> None:
    """Tell what was done."""
    print(line, flush=True)


def complain(line: str) -> None:
    """Tell what was not done."""
    print(line, file=sys.stderr, flush=True)
