"""The commands: what `python -m service` can do, a file for each noun."""

import argparse
import io
import sys
import textwrap
from collections.abc import Sequence

from service import settings
from service.commands import articles, bans, comments, filters, moderators, reports, serve, sweep, threads
from service.errors import NotFound, StartError

BAD_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 done in part, 2 not started."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every letter of a title
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except StartError as error:
        print(error, file=sys.stderr)
        return BAD_START
    except NotFound as error:
        print(error.message, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    whole = argparse.ArgumentParser(
        prog="python -m service",
        description="Afterword: news articles, and the live, anonymous conversation below each of them.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.set_defaults(run=serve.serve, parent=None)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND")
    for noun in (serve, articles, comments, threads, reports, bans, filters, moderators, sweep):
        noun.add(commands)
    return whole


def _settings_help() -> str:
    """Every setting, its meaning and its default."""
    lines = ["settings (environment variables; each may be given as a file by …_FILE):"]
    for name, meaning, default in settings.table():
        shown = f"{meaning} [{default}]" if default else meaning
        lines += textwrap.wrap(shown, 100, initial_indent=f"  {name:34} ", subsequent_indent=" " * 37)
    return "\n".join(lines)
