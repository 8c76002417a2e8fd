"""`threads`: open, close, hold and slow the conversation below an article."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands
from service.protocol import Slug
from service.settings import Settings
from service.store.moderation import SLOWEST, Moderation, Terms

STATES = (
    ("open", "open", "let everyone write"),
    ("close", "closed", "let nobody write any more"),
    ("hold", "held", "let a moderator read each comment first"),
)


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "threads", "open, close, hold and slow conversations")
    for name, state, summary in STATES:
        parser = command.add(nouns, name, partial(_judge, state), summary, f"{_sentence(summary)} in a thread.")
        _on_one(parser)
    slow = command.add(
        nouns,
        "slow",
        _slow,
        "let each address write once in some seconds",
        "Let each address write once in some seconds in a thread; 0: as fast as the limits allow.",
    )
    _on_one(slow)
    slow.add_argument("seconds", metavar="SECONDS", type=_seconds, help=f"0 to {SLOWEST}")


def _on_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", metavar="SLUG", type=Slug, help="the article's")
    parser.add_argument("--reason", default="", help="why, for the record")


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= SLOWEST):
        raise argparse.ArgumentTypeError(f"seconds are a number from 0 to {SLOWEST}")
    return int(text)


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:]


def _judge(state: str, options: argparse.Namespace) -> int:
    async def judge(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, Terms(state=state), options.reason)
        command.say(f"{'now' if done.raised else 'still':5} {done.position.thread.state}: {options.slug}")
        return 0

    return command.run(judge(command.start()))


def _slow(options: argparse.Namespace) -> int:
    async def slow(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, Terms(slow=options.seconds), options.reason)
        how = f"slow, {options.seconds} s" if options.seconds else "not slow"
        command.say(f"{'now' if done.raised else 'still':5} {how}: {options.slug}")
        return 0

    return command.run(slow(command.start()))
