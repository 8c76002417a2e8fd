"""`serve` and `migrate`, and `work`, which is the supervisor's."""

import argparse
import asyncio
import socket

from service import supervisor, worker
from service.commands import command
from service.commands.command import Commands
from service.settings import Settings


def add(commands: Commands) -> None:
    """Add them to the command line."""
    parser = command.add(
        commands,
        "serve",
        serve,
        "serve the site (the default)",
        "Starts the bundled stores where no URL names others, migrates, and serves until Ctrl-C.",
    )
    # For `make run`: nobody could stop what outlived it.
    parser.add_argument("--parent", metavar="PID", type=int, help=argparse.SUPPRESS)
    command.add(
        commands,
        "migrate",
        _migrate,
        "bring the database up to this release",
        "Applies what is missing of the schema; any number may run at once.",
    )
    work = commands.add_parser("work")  # no help, so that nobody is tempted
    work.add_argument("files", type=int, nargs=2)
    work.set_defaults(run=_work)


def serve(options: argparse.Namespace) -> int:
    """Serve until one is stopped."""
    renew = asyncio.Event()
    return command.run(supervisor.serve(command.start(), command.say, renew), options.parent, renew.set)


def _migrate(_options: argparse.Namespace) -> int:
    async def migrate(given: Settings) -> int:
        async with command.reached(given) as (url, owner):
            await supervisor.migrate(url, command.say, owner)
        return 0

    return command.run(migrate(command.start()))


def _work(options: argparse.Namespace) -> int:
    import uvloop  # noqa: PLC0415

    listener, lifeline = (socket.socket(fileno=number) for number in options.files)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(worker.work(listener, lifeline))
    return 0
