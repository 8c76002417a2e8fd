"""`bans`: keep who wrote a comment from writing more, for a time."""

import argparse
import datetime

from service.commands import command
from service.commands.command import Commands, number
from service.errors import NotFound
from service.settings import Settings
from service.store.bans import MAX_DAYS, Bans, Scope
from service.store.database import Pool


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "bans", "keep who wrote a comment from writing more")
    impose = command.add(
        nouns,
        "add",
        _add,
        "ban who wrote a comment",
        "Bans the address that a comment came from, which nobody needs to know, while its hash is kept. It holds on "
        "every worker within two seconds, and ends by itself; the banned person is told when, and the reason.",
    )
    impose.add_argument("number", metavar="NO", type=number(1), help="the comment's number")
    impose.add_argument(
        "--days", metavar="N", type=number(1, MAX_DAYS), required=True, help=f"for how long, at most {MAX_DAYS}"
    )
    impose.add_argument("--network", action="store_true", help="the wider net too: the /24 of IPv4, the /48 of IPv6")
    impose.add_argument("--reason", default="", help="why, for the banned person and the record")
    command.add(nouns, "list", _list, "list what is in force", "Lists the bans in force, those that end last first.")
    lift = command.add(nouns, "lift", _lift, "end a ban before its time", "Ends a ban, within two seconds.")
    lift.add_argument("id", metavar="ID", type=number(1), help="the ban's number, as `bans list` names it")
    lift.add_argument("--reason", default="", help="why, for the record")


@command.stored
async def _add(options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    scope: Scope = "network" if options.network else "address"
    ban = await Bans(pool).impose(options.number, scope, options.days, options.reason)
    if ban is None:
        raise NotFound(f"No. {options.number} is not there, or it is not known any more who wrote it.")
    command.say(f"ban {ban.id} on the {scope} of No. {options.number} until {_time(given, ban.ends)}")


@command.stored
async def _list(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for ban, _, _ in await Bans(pool).in_force():
        line = f"{ban.id:8}  {ban.scope:7}  {_time(given, ban.begun)}  {_time(given, ban.ends)}  {ban.reason}"
        command.say(line.rstrip())


@command.stored
async def _lift(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    if not await Bans(pool).lift(options.id, options.reason):
        raise NotFound(f"Ban {options.id} is not in force.")
    command.say(f"lifted ban {options.id}")


def _time(given: Settings, at: datetime.datetime) -> str:
    return f"{at.astimezone(given.zone):%Y-%m-%d %H:%M}"
