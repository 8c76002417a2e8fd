"""`moderators`: who may sign in at the desk."""

import argparse
import getpass
import sys
import unicodedata

from service.commands import command
from service.commands.command import Commands
from service.errors import StartError
from service.guard.passwords import LEAST, Passwords
from service.settings import Settings
from service.store.database import Pool
from service.store.moderators import Moderators

ROLES = ("moderator", "editor", "admin")
NAME = 40  # characters


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "moderators", "add moderators, list them, let them in no more")
    password = f"Asks for the password on the terminal, or reads a line of standard input: {LEAST} characters or more."
    new = command.add(nouns, "add", _add, "let somebody in", f"Adds a moderator, who signs in at /desk. {password}")
    new.add_argument("name", metavar="NAME", type=_name, help="as it stands in the record")
    new.add_argument(
        "--role", choices=ROLES, default="moderator", help="moderator, if not given; admins see to the others"
    )
    command.add(nouns, "list", _list, "list who may sign in", "Lists the moderators, and how many sessions each has.")
    for name, disabled, summary, description in (
        ("disable", True, "let somebody in no more", "Ends all sessions of a moderator at once, and begins no other."),
        ("enable", False, "let somebody in again", "Lets a moderator in again, with the password of before."),
    ):
        parser = command.add(nouns, name, _disable, summary, description)
        parser.add_argument("name", metavar="NAME", help="the moderator's")
        parser.set_defaults(disabled=disabled)
    changed = command.add(
        nouns, "password", _password, "give somebody another password", f"Ends all sessions of a moderator. {password}"
    )
    changed.add_argument("name", metavar="NAME", help="the moderator's")


def _name(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    if text != " ".join(text.split()) or not text.isprintable() or not 1 <= len(text) <= NAME:
        raise argparse.ArgumentTypeError(f"a name is one line of 1 to {NAME} characters")
    return text


def _asked() -> str:
    """A new password: from the terminal twice, or from a line of standard input. Raises `StartError`."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Again: "):
            raise StartError("The two passwords differ; nothing was changed.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < LEAST:
        raise StartError(f"A password has at least {LEAST} characters; nothing was changed.")
    return password


def _add(options: argparse.Namespace) -> int:
    given, password = command.start(), _asked()

    async def added() -> int:
        hashed = await Passwords().hash(password)
        async with command.pool(given) as pool:
            if await Moderators(pool).add(options.name, hashed, options.role):
                command.say(f"added {options.role} {options.name}")
                return 0
        command.complain(f"There is a moderator of the name {options.name} already.")
        return 1

    return command.run(added())


@command.stored
async def _list(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for each in await Moderators(pool).everybody():
        seen = f"{each.seen.astimezone(given.zone):%Y-%m-%d %H:%M}" if each.seen else "-"
        state = "disabled" if each.disabled else f"{each.sessions} signed in"
        command.say(f"{each.role:9}  {state:12}  {seen:16}  {each.name}")


@command.stored
async def _disable(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    await Moderators(pool).disable(options.name, disabled=options.disabled)
    command.say(f"{'disabled' if options.disabled else 'enabled'} {options.name}")


def _password(options: argparse.Namespace) -> int:
    given, password = command.start(), _asked()

    async def changed() -> int:
        hashed = await Passwords().hash(password)
        async with command.pool(given) as pool:
            await Moderators(pool).change_password(options.name, hashed)
        command.say(f"changed the password of {options.name}")
        return 0

    return command.run(changed())
