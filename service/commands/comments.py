"""`comments`: publish, hold and remove them, and list what waits; `acts`: the record of it."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands, number
from service.protocol import Slug
from service.settings import Settings
from service.store.database import Pool
from service.store.moderation import Moderation, Verdict

LISTED = 1_000
SHOWN = 60  # characters of a text in a list

VERDICTS: tuple[tuple[str, Verdict, str, str], ...] = (
    ("publish", "published", "publish what was held or removed", "Publishes comments that were held or removed."),
    ("hold", "held", "take comments back until they are judged", "Holds comments: readers see a quiet line."),
    ("remove", "removed", "remove comments", "Removes comments: readers see a quiet line. `publish` restores them."),
)


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "comments", "publish, hold and remove comments")
    for name, verdict, summary, description in VERDICTS:
        parser = command.add(
            nouns,
            name,
            command.stored(partial(_judge, verdict)),
            summary,
            f"{description} Readers see it within two seconds. One that can't be, because it is so already, or was "
            "retracted, or is not there, is named; then the exit status is 1.",
        )
        parser.add_argument("numbers", metavar="NO", nargs="+", type=number(1), help="a comment's number")
        parser.add_argument("--reason", default="", help="why, for the record")
    pin = command.add(nouns, "pin", _pin, "let one stand first", "Lets a published comment stand first in its thread.")
    pin.add_argument("number", metavar="NO", type=number(1), help="the comment's number")
    command.add(nouns, "held", _held, "list what waits for a moderator", "Lists what is held, the oldest first.")
    acts = command.add(commands, "acts", _acts, "list what was done", "Lists the record of acts, the newest first.")
    acts.add_argument("slug", metavar="SLUG", nargs="?", type=Slug, help="of one article only")


async def _judge(verdict: Verdict, options: argparse.Namespace, _given: Settings, pool: Pool) -> int:
    changed = await Moderation(pool).judge(options.numbers, verdict, options.reason)
    done = {each.no for each in changed}
    for no in options.numbers:
        if no in done:
            command.say(f"{verdict:9} {no}")
        else:
            command.complain(f"No. {no} is not there, or {verdict} already, or was retracted.")
    return 0 if done.issuperset(options.numbers) else 1


@command.stored
async def _pin(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    await Moderation(pool).pin(options.number)
    command.say(f"pinned {options.number}")


@command.stored
async def _held(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for comment in await Moderation(pool).held(LISTED):
        date, text = comment.at.astimezone(given.zone), " ".join(comment.text.split())
        command.say(f"{date:%Y-%m-%d %H:%M}  {comment.no:8}  {comment.slug}  {text[:SHOWN]}")


@command.stored
async def _acts(options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for act in await Moderation(pool).acts(LISTED, options.slug):
        date = act.at.astimezone(given.zone)
        what = f"{act.kind} {act.ban or act.filter or act.comment or act.slug} (was {act.was})"
        command.say(f"{date:%Y-%m-%d %H:%M}  {act.moderator or '-'}  {what}  {act.reason}".rstrip())
