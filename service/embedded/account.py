"""Whom the bundled stores run as: Postgres refuses root, and Valkey has no need of it."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import NamedTuple, Self

from service.errors import StartError

UNPRIVILEGED = ("postgres", "nobody")


class Account(NamedTuple):
    """A user of this machine, and what `subprocess` needs to start a program as it."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of_new_stores(cls) -> Self:
        """Return our own account, or for root an unprivileged one. Raises StartError."""
        if os.geteuid() != 0:
            return cls(_name(os.geteuid()), os.geteuid(), os.getegid())
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise StartError(
            "Started by root, the bundled stores need an account named postgres or nobody "
            "to run as: make one, or start Afterword as another user."
        )

    @classmethod
    def owning(cls, folder: Path) -> Self:
        """Return the account that a folder belongs to."""
        status = folder.stat()
        return cls(_name(status.st_uid), status.st_uid, status.st_gid)

    @property
    def usable(self) -> bool:
        """Whether we can start the stores as this account."""
        return self.uid == os.geteuid() if os.geteuid() else self.uid != 0

    @property
    def user(self) -> int | None:
        """The user to change to; none where that is who we are."""
        return None if self.uid == os.geteuid() else self.uid

    @property
    def group(self) -> int | None:
        """The group to change to, likewise."""
        return None if self.user is None else self.gid

    @property
    def groups(self) -> list[int] | None:
        """No other group where the user changes: root's would be kept."""
        return None if self.user is None else []

    def reaches(self, path: Path) -> bool:
        """Whether this account may enter the folder, or run the program, at `path`.

        The kernel is asked in the account's own name: mode bits know nothing of ACLs and mounts.
        """
        if self.user is None:
            return os.access(path, os.X_OK)
        test = subprocess.run(  # noqa: S603 - fixed words; the path is an argument, not a word of sh
            ["/bin/sh", "-c", 'test -x "$0"', path],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            user=self.user,
            group=self.group,
            extra_groups=self.groups,
        )
        return test.returncode == 0


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
