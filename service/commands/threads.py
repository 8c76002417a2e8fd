"""`threads`: open, close, hold and slow the conversation below an article, and end a surge there."""

import argparse
from functools import partial

from service.commands import command
from service.commands.command import Commands, number
from service.protocol import Slug
from service.settings import Settings
from service.store.database import Pool
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
        parser = command.add(
            nouns, name, command.stored(partial(_judge, terms)), summary, f"{_sentence(summary)} in a thread."
        )
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


async def _judge(terms: Terms, options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    done = await Moderation(pool).judge_thread(options.slug, terms, options.reason)
    state = done.position.thread.state if terms.state else "calm"
    command.say(f"{'now' if done.raised else 'still':5} {state}: {options.slug}")


@command.stored
async def _unpin(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    await Moderation(pool).judge_thread(options.slug, Terms(pinned=None), "")
    command.say(f"nothing pinned: {options.slug}")


@command.stored
async def _slow(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    done = await Moderation(pool).judge_thread(options.slug, Terms(slow=options.seconds), options.reason)
    how = f"slow, {options.seconds} s" if options.seconds else "not slow"
    command.say(f"{'now' if done.raised else 'still':5} {how}: {options.slug}")


@command.stored
async def _close_old(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    total = 0
    while closed := await Moderation(pool).close_old(options.days):
        total += len(closed)
    command.say(f"closed {total} threads")
