"""`articles`: publish Markdown files, and list what is published."""

import argparse
from pathlib import Path

from service import press
from service.commands import command
from service.commands.command import Commands
from service.settings import Settings
from service.store.articles import Articles
from service.store.database import Pool

LISTED = 10_000


def add(commands: Commands) -> None:
    """Add them to the command line."""
    nouns = command.add_noun(commands, "articles", "load and list articles")
    load = command.add(
        nouns,
        "load",
        _load,
        "publish Markdown files",
        "Publishes Markdown files with YAML front matter; the same slug again updates the article. Works beside a "
        "running service, whose pages show it within two seconds, and alone. A file that can't be read is named with "
        "its line and reason, and the others are published; then the exit status is 1.",
    )
    load.add_argument("paths", metavar="PATH", nargs="+", type=_path, help="a file, or a folder of files")
    command.add(nouns, "list", _list, "list what is published", "Lists the articles, the latest first.")


def _path(text: str) -> Path:
    """A path that was given: an empty one, of a variable that is not set, would be the folder one stands in."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path")
    return Path(text)


@command.stored
async def _load(options: argparse.Namespace, given: Settings, pool: Pool) -> int:
    whole = await press.load(Articles(pool), options.paths, given.zone, command.say, command.complain)
    return 0 if whole else 1


@command.stored
async def _list(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    for headline in await Articles(pool).recent(LISTED):
        date = headline.published_at.astimezone(given.zone)
        command.say(f"{date:%Y-%m-%d %H:%M}  {headline.count:6}  {headline.slug}  {headline.title}")
