"""`threads`: open, close and hold the conversation below an article."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands
from service.commands.comments import number
from service.protocol import Slug
from service.settings import Settings
from service.store.moderation import Moderation, Terms

MAX_DAYS = 36_500
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
    parser = command.add(
        nouns,
        "close-old",
        _close_old,
        "close those of old articles",
        "Closes the threads of articles that were published more than some days ago, but for those that somebody "
        "opened, closed or held since they were that old.",
    )
    parser.add_argument("--days", metavar="N", type=number(1, MAX_DAYS), required=True, help="how old")


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:]


def _judge(state: str, options: argparse.Namespace) -> int:
    async def judge(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, Terms(state=state), options.reason)
        command.say(f"{'now' if done.raised else 'still':5} {done.position.thread.state}: {options.slug}")
        return 0

    return command.run(judge(command.start()))


def _close_old(options: argparse.Namespace) -> int:
    async def close(given: Settings) -> int:
        total = 0
        async with command.pool(given) as pool:
            while closed := await Moderation(pool).close_old(options.days):
                total += len(closed)
        command.say(f"closed {total} threads")
        return 0

    return command.run(close(command.start()))
