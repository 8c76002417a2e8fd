"""`reports`: what readers report and authors appeal against; settle it, and save the evidence."""

import argparse

from service import evidence
from service.commands import command
from service.commands.command import Commands, number
from service.errors import NotFound
from service.settings import Settings
from service.store.database import Pool
from service.store.reports import Reports

LISTED = 1_000
SHOWN = 60  # characters of a note in a list


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "reports", "see what readers report, settle it, save the evidence")
    listed = command.add(
        nouns, "list", _list, "list what was reported", "Lists the reports and appeals that are open, the newest first."
    )
    listed.add_argument("--all", action="store_true", help="those that are settled, too")
    dismiss = command.add(
        nouns,
        "dismiss",
        _dismiss,
        "leave a comment as it is",
        "Settles what is open on a comment; it stays.",
    )
    export = command.add(
        nouns,
        "export",
        _export,
        "save the evidence",
        "Prints a comment, what was reported of it and what was done with it, as JSON with a SHA-256. A text that was "
        "erased is not in it.",
    )
    for parser in (dismiss, export):
        parser.add_argument("number", metavar="NO", type=number(1), help="the comment's number")


@command.stored
async def _list(options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for line in await Reports(pool).latest(LISTED, settled=options.all):
        date, note = line.at.astimezone(given.zone), " ".join((line.note or "").split())
        state = "open" if line.open else "settled"
        command.say(f"{date:%Y-%m-%d %H:%M}  {line.comment:8}  {state:7}  {line.reason:9}  {note[:SHOWN]}".rstrip())


@command.stored
async def _dismiss(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    if not await Reports(pool).dismiss([options.number], None, ""):
        raise NotFound(f"Nothing is open on No. {options.number}.")
    command.say(f"dismissed what was reported of No. {options.number}")


@command.stored
async def _export(options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    found = await Reports(pool).evidence(options.number)
    command.say(evidence.document(found, (given.site_url or "").rstrip("/")).decode())
