"""`threads`: open, close and hold the conversation below an article."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands
from service.protocol import Slug
from service.settings import Settings
from service.store.moderation import Moderation, Terms

STATES = (
    ("open", "open", "let everyone write"),
    ("close", "closed", "let nobody write any more"),
    ("hold", "held", "let a moderator read each comment first"),
)


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "threads", "open, close and hold conversations")
    for name, state, summary in STATES:
        parser = command.add(nouns, name, partial(_judge, state), summary, f"{_sentence(summary)} in a thread.")
        parser.add_argument("slug", metavar="SLUG", type=Slug, help="the article's")
        parser.add_argument("--reason", default="", help="why, for the record")
    unpin = command.add(
        nouns, "unpin", _unpin, "let no comment stand first", "Lets no comment stand first in a thread."
    )
    unpin.add_argument("slug", metavar="SLUG", type=Slug, help="the article's")


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:]


def _judge(state: str, options: argparse.Namespace) -> int:
    async def judge(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, Terms(state=state), options.reason)
        command.say(f"{'now' if done.raised else 'still':5} {done.position.thread.state}: {options.slug}")
        return 0

    return command.run(judge(command.start()))


def _unpin(options: argparse.Namespace) -> int:
    async def unpin(given: Settings) -> int:
        async with command.pool(given) as pool:
            await Moderation(pool).judge_thread(options.slug, Terms(pinned=None), "")
        command.say(f"nothing pinned: {options.slug}")
        return 0

    return command.run(unpin(command.start()))
