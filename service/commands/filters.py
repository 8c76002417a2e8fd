"""`filters`: what a comment may not hold, what a moderator reads first, and what is trusted."""

import argparse
from functools import partial
from typing import get_args

from service import filters
from service.commands import command
from service.commands.command import Commands, number
from service.errors import NotFound, StartError
from service.filters import Sieve
from service.settings import Settings
from service.store.database import Pool
from service.store.filters import Action, Filter, Filters, Kind, Rule, Unfit

_DONE = {"hold": "held", "refuse": "refused", "pass": "let pass"}


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "filters", "refuse, hold or let pass what comments hold")
    for name, run, summary, description in (
        ("try", _try, "try a filter out", "Tells what a filter alone would have done to the last 1,000 comments."),
        ("add", _add, "put a filter in force", "Puts a filter in force, on every worker within two seconds."),
    ):
        parser = command.add(nouns, name, run, summary, description)
        parser.add_argument("kind", choices=get_args(Kind), help="what it looks for")
        parser.add_argument("value", metavar="VALUE", nargs="?", default="", help="the word, pattern, host or number")
        parser.add_argument("--action", choices=get_args(Action), required=True, help="what it does")
        parser.add_argument("--section", metavar="NAME", help="in one section only")
        parser.add_argument("--article", metavar="SLUG", help="below one article only")
        parser.add_argument("--reason", default="", help="why, for moderators, at most 80 characters")
    command.add(nouns, "list", _list, "list the filters in force", "Lists the filters in force, the oldest first.")
    end = command.add(nouns, "end", _end, "end a filter", "Ends a filter, on every worker within two seconds.")
    end.add_argument("id", metavar="ID", type=number(1), help="the filter's number, as `filters list` names it")
    end.add_argument("--reason", default="", help="why, for the record")


def _rule(options: argparse.Namespace) -> Rule:
    """The rule that is asked for. Raises `StartError`."""
    try:
        return filters.rule(
            options.kind,
            options.value,
            options.action,
            section=options.section,
            article=options.article,
            reason=options.reason,
        )
    except Unfit as unfit:
        raise StartError(unfit.message) from None


def _try(options: argparse.Namespace) -> int:
    return command.stored(partial(_tried, _rule(options)))(options)


def _add(options: argparse.Namespace) -> int:
    return command.stored(partial(_added, _rule(options)))(options)


async def _tried(rule: Rule, _options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    trial = await Sieve(Filters(pool)).tried(rule)
    command.say(f"would have {_DONE[rule.action]} {trial.met:,} of the last {trial.looked:,} comments")
    for each in trial.shown:
        command.say(f"{each.no:8}  {each.place.article}  {' '.join(each.text.split())[:60]}")


async def _added(rule: Rule, _options: argparse.Namespace, _given: Settings, pool: Pool) -> int:
    try:
        identity = await Filters(pool).add(rule)
    except Unfit as unfit:
        command.complain(unfit.message)
        return 1
    command.say(f"filter {identity}")
    return 0


@command.stored
async def _list(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for each in await Filters(pool).in_force():
        command.say(_told(each, given))


@command.stored
async def _end(options: argparse.Namespace, _given: Settings, pool: Pool) -> None:
    if not await Filters(pool).end(options.id, options.reason):
        raise NotFound(f"Filter {options.id} is not in force.")
    command.say(f"ended filter {options.id}")


def _told(each: Filter, given: Settings) -> str:
    assert each.begun is not None
    rule, begun = each.rule, f"{each.begun.astimezone(given.zone):%Y-%m-%d %H:%M}"
    place = rule.article or rule.section or "everywhere"
    return f"{each.id:8}  {begun}  {rule.action:6}  {rule.kind:7}  {place}  {rule.value}  {rule.reason}".rstrip()
