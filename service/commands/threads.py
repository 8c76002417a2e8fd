"""`threads`: open, close, hold and slow the conversation below an article, and end a surge there."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands, number
from service.protocol import Slug
from service.settings import Settings
from service.store.moderation import SLOWEST, Moderation, Terms

MAX_DAYS = 36_500
ACTS = (
    ("open", Terms(state="open"), "let everyone write"),
    ("close", Terms(state="closed"), "let nobody write any more"),
    ("hold", Terms(state="held"), "let a moderator read each comment first"),
    ("calm", Terms(surge=False), "end a surge"),
)


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "threads", "open, close, hold, slow and calm conversations")
    for name, terms, summary in ACTS:
        parser = command.add(nouns, name, partial(_judge, terms), summary, f"{_sentence(summary)} in a thread.")
        _on_one(parser)
    slow = command.add(
        nouns,
        "slow",
        _slow,
        "let each address write once in some seconds",
        "Let each address write once in some seconds in a thread; 0: as fast as the limits allow.",
    )
    _on_one(slow)
    slow.add_argument("seconds", metavar="SECONDS", type=number(0, SLOWEST), help=f"0 to {SLOWEST}")
    unpin = command.add(
        nouns, "unpin", _unpin, "let no comment stand first", "Lets no comment stand first in a thread."
    )
    unpin.add_argument("slug", metavar="SLUG", type=Slug, help="the article's")
    parser = command.add(
        nouns,
        "close-old",
        _close_old,
        "close those of old articles",
        "Closes the threads of articles that were published more than some days ago, but for those that somebody "
        "opened, closed or held since they were that old.",
    )
    parser.add_argument("--days", metavar="N", type=number(1, MAX_DAYS), required=True, help="how old")


def _on_one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", metavar="SLUG", type=Slug, help="the article's")
    parser.add_argument("--reason", default="", help="why, for the record")


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:]


def _judge(terms: Terms, options: argparse.Namespace) -> int:
    async def judge(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, terms, options.reason)
        state = done.position.thread.state if terms.state else "calm"
        command.say(f"{'now' if done.raised else 'still':5} {state}: {options.slug}")
        return 0

    return command.run(judge(command.start()))


def _unpin(options: argparse.Namespace) -> int:
    async def unpin(given: Settings) -> int:
        async with command.pool(given) as pool:
            await Moderation(pool).judge_thread(options.slug, Terms(pinned=None), "")
        command.say(f"nothing pinned: {options.slug}")
        return 0

    return command.run(unpin(command.start()))


def _slow(options: argparse.Namespace) -> int:
    async def slow(given: Settings) -> int:
        async with command.pool(given) as pool:
            done = await Moderation(pool).judge_thread(options.slug, Terms(slow=options.seconds), options.reason)
        how = f"slow, {options.seconds} s" if options.seconds else "not slow"
        command.say(f"{'now' if done.raised else 'still':5} {how}: {options.slug}")
        return 0

    return command.run(slow(command.start()))


def _close_old(options: argparse.Namespace) -> int:
    async def close(given: Settings) -> int:
        total = 0
        async with command.pool(given) as pool:
            while closed := await Moderation(pool).close_old(options.days):
                total += len(closed)
        command.say(f"closed {total} threads")
        return 0

    return command.run(close(command.start()))
