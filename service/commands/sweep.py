"""`sweep`: erase what was kept for long enough."""

import argparse

from service.commands import command
from service.commands.command import Commands
from service.settings import Settings
from service.store.database import Pool
from service.store.retention import Retention
from service.sweep import Sweep


def add(commands: Commands) -> None:
    """Add it to the command line."""
    command.add(
        commands,
        "sweep",
        _sweep,
        "erase what was kept for long enough",
        "Erases the hashes of who wrote and the text that was removed, once they were kept for long enough, as every "
        "worker does at its start and each hour.",
    )


@command.stored
async def _sweep(_options: argparse.Namespace, given: Settings, pool: Pool) -> None:
    retention = Retention(pool, given.address_retention_days, given.removed_retention_days)
    command.say(f"swept {await Sweep(retention).once()} comments")
