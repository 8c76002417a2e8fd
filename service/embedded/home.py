"""Where the stores live: a folder of their account's, and a short enough one for their sockets."""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from service.embedded.account import Account
from service.errors import StartError

STATE = Path("/var/lib/afterword")
SOCKET = ".s.PGSQL.5432"  # Postgres's, the longer of the two names
LONGEST = 100  # bytes of a socket's path; the kernel's end is at 107, that of macOS at 103
# What needs no quoting in a URL, in Postgres's list of folders, in Valkey's configuration.
PLAIN = re.compile(r"/[\w/.+-]*", re.ASCII)


def settle(path: Path, before: str | None, say: Callable[[str], None]) -> tuple[Account, Path]:
    """Return who runs the stores of the data dir at `path`, and their folder, made if need be.

    The folder is `stores` in the data dir, or where an account that root started can't get there,
    one below /var/lib/afterword. One that exists is kept, with its owner; `before` is where the
    stores were at the last start. Raises OSError, StartError.
    """
    near, far = path / "stores", STATE / digest(path)
    home = next((folder for folder in (near, far) if folder.exists()), None)
    if home:
        account = Account.owning(home)
        if not account.usable or not account.reaches(home):
            raise StartError(
                f"The stores in {home} belong to the account {account.name}: see that it may enter "
                "that folder, and start Afterword as that account or as root."
            )
    else:
        account = Account.of_new_stores()
        home = near if account.reaches(path) else far
        if before and Path(before).exists():
            raise StartError(
                f"The data dir is now {path}, but its database is still in {before}: "
                f"move that to {home}, then start again."
            )
        _make(home, account)
    if home == far:
        say(f"The account {account.name} can't enter {path}: the stores are in {home}.")
    return account, home


def sockets(home: Path, account: Account) -> Path:
    """Return the folder for the sockets: `home`, or where its path is too long, one below /tmp.

    Raises OSError, StartError.
    """
    name = f"afterword-{digest(home)}"
    for folder in (home, Path(tempfile.gettempdir(), name), Path("/tmp", name)):  # noqa: S108 - _claim
        long = len(os.fsencode(folder / SOCKET)) >= LONGEST
        if long or not PLAIN.fullmatch(str(folder)) or not account.reaches(folder.parent):
            continue
        if folder != home:
            _claim(folder, account)
        return folder
    raise StartError(f"The path {home} is too long for sockets: choose a shorter data dir.")


def state_folder(name: str = "") -> Path:
    """Return a folder below /var/lib/afterword that everyone may enter, made if need be."""
    for folder in (STATE, STATE / name):
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o755)  # whatever the umask
    return STATE / name


def digest(path: Path) -> str:
    """Return a short name for a path, the same each time."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _make(home: Path, account: Account) -> None:
    """Make the stores' folder. It gets its name when it has its owner."""
    if home.parent == STATE:
        state_folder()
    new = home.with_name(f"{home.name}.new")
    if new.exists():
        new.rmdir()
    _own(new, account)
    new.rename(home)


def _claim(folder: Path, account: Account) -> None:
    """Make a folder where everyone may make one, or see that it is really the account's own."""
    try:
        _own(folder, account)
    except FileExistsError:
        status = folder.lstat()
        private = status.st_mode == stat.S_IFDIR | stat.S_IRWXU
        if not private or status.st_uid != account.uid:
            raise StartError(
                f"{folder} should be a folder of the account {account.name} alone: remove it, then start again."
            ) from None


def _own(folder: Path, account: Account) -> None:
    """Make a folder that only this account may enter."""
    folder.mkdir(mode=0o700)
    if account.user is not None:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
