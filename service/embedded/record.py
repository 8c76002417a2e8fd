"""What the data dir remembers of its stores, in `stores.json`: where they are, their passwords."""

import os
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from service.errors import StartError

PORT = 5432  # not of any network: it is the number in the name of Postgres's socket
OWNER, SERVING = "afterword", "afterword_service"  # roles


class Urls(NamedTuple):
    """Where the stores answer, as asyncpg and redis-py read it; `owner`: Postgres to who owns the tables."""

    postgres: str
    valkey: str
    owner: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of `stores.json`.

    Postgres's passwords are missing until a database has them: that of the tables' owner, and that of the role that
    serves, which no release before knew.
    """

    home: str
    sockets: str
    valkey: str
    postgres: str | None = None
    service: str | None = None

    @property
    def urls(self) -> Urls:
        """The URLs of both stores; passwords are hexadecimal and need no quoting.

        Beside a service of a release before, the owner serves until its next start.
        """
        folder = quote(self.sockets)
        place = f"/afterword?host={folder}&port={PORT}"
        owner = f"postgresql://{OWNER}:{self.postgres}@{place}"
        serving = f"postgresql://{SERVING}:{self.service}@{place}" if self.service else owner
        return Urls(serving, f"unix://:{self.valkey}@{folder}/valkey.sock", owner)


def password() -> str:
    """Return 128 random bits."""
    return secrets.token_hex(16)


def recall(folder: Path) -> Record | None:
    """Read the record in a data dir; none before its first start. Raises OSError, StartError."""
    file = folder / "stores.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        raise StartError(f"{file} is damaged: remove it, then start again; the stores get new passwords.") from None


def remember(folder: Path, record: Record) -> None:
    """Write the record, whole or not at all. Raises OSError."""
    new = folder / f"stores.json.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(record) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / "stores.json")
    finally:
        new.unlink(missing_ok=True)
