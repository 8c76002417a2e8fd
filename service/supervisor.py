"""The first process: it binds the port, starts what is bundled, and keeps the workers alive.

It holds the one listening socket, so that a worker that dies takes no waiting connection with it; and every worker
holds a lifeline to it, so that none outlives it.
"""

import asyncio
import contextlib
import errno
import os
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service import crew, embedded, press, resources, worker
from service.embedded import Postgres, Say, Valkey
from service.errors import StartError, Unavailable
from service.settings import Settings
from service.store import database, migrations
from service.store.articles import Articles

BUSY_SECONDS = 3.0  # for which the workers of a killed supervisor may still hold the port
REDIS_SECONDS = 5.0
UNSENT_BYTES = 64 * 1024  # of a connection that the kernel takes ahead; megabytes would hide how slow a reader is
SECRET_BYTES = 32

Store = Postgres | Valkey


async def serve(settings: Settings, say: Say, renew: asyncio.Event) -> None:
    """Serve until cancelled, with new workers when `renew` is set. Raises `StartError` where it can't begin."""
    with await bind(settings.host, settings.port) as listener:
        async with _bundled(settings, say) as (complete, stores):
            await prepare(complete, say, demonstrate=not settings.database_url)
            serving = msgspec.structs.replace(complete, owner_url=None)  # no worker is told
            try:
                await _run(serving, stores, listener, say, renew)
            except BaseExceptionGroup as group:
                if failed := group.subgroup(StartError):
                    raise failed.exceptions[0] from None
                raise


async def _run(
    settings: Settings, stores: list[Store], listener: socket.socket, say: Say, renew: asyncio.Event
) -> None:
    ready = asyncio.Event()
    workers = [crew.Worker(settings, listener, ready) for _ in range(settings.workers)]
    async with asyncio.TaskGroup() as tasks:
        for store in stores:
            tasks.create_task(crew.keep(type(store).__name__, crew.StoreProcess(store).live))
        for number, each in enumerate(workers, 1):
            tasks.create_task(crew.keep(f"worker {number}", each.live))
        await ready.wait()
        tasks.create_task(crew.replace(workers, renew))
        say(f"{settings.site_name} is ready: {address(settings, listener)} (Ctrl-C stops it)")
        with listener:  # closed before the workers drain: who comes now is refused at once, and goes elsewhere
            await asyncio.Event().wait()


async def bind(host: str, port: int) -> socket.socket:
    """Take the port for this supervisor alone. Raises `StartError`, where it is busy, say."""
    end = asyncio.get_running_loop().time() + BUSY_SECONDS
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartError(f"Afterword can't listen on {host}, port {port}: {error.strerror}.") from None
            if asyncio.get_running_loop().time() > end:
                raise StartError(
                    f"Port {port} on {host} is busy: stop what uses it, or set AFTERWORD_PORT to a free one."
                ) from None
            await asyncio.sleep(0.1)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=worker.BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)  # its connections inherit it
    return listener


def address(settings: Settings, listener: socket.socket) -> str:
    """Where a person on this machine finds the site."""
    if settings.site_url:
        return settings.site_url
    port = listener.getsockname()[1]
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@contextlib.asynccontextmanager
async def _bundled(settings: Settings, say: Say) -> AsyncIterator[tuple[Settings, list[Store]]]:
    """Start the stores that no URL names, and complete the settings with their URLs and the secret."""
    if settings.database_url and settings.redis_url:
        yield settings, []
        return
    async with embedded.hold(settings.data_dir, say) as data:
        stores: list[Store] = []
        if not settings.database_url:
            stores.append(Postgres(data))
        if not settings.redis_url:
            stores.append(Valkey(data))
        try:
            for store in stores:
                await store.start()
            yield complete(settings, data.record.urls), stores
        finally:
            for store in reversed(stores):
                await store.stop()


def complete(settings: Settings, urls: embedded.Urls) -> Settings:
    """The settings with everything that a worker needs."""
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or urls.postgres,
        owner_url=settings.owner_url if settings.database_url else urls.owner,
        redis_url=settings.redis_url or urls.valkey,
        secret=settings.secret or _secret(settings.data_dir / "secret"),
    )


def _secret(path: Path) -> str:
    """The secret of this data dir, made once."""
    try:
        if not path.exists():
            partial = path.with_suffix(".new")
            partial.touch(mode=0o600)
            with partial.open("w") as file:
                file.write(secrets.token_urlsafe(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())  # a name must never stand for an empty file, whenever the power goes
            partial.replace(path)
        secret = path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise StartError(f"The secret in {path} can't be read ({error}); set AFTERWORD_SECRET.") from None
    if len(secret) < SECRET_BYTES:
        raise StartError(f"The secret in {path} is damaged; restore it from a backup, or set AFTERWORD_SECRET.")
    return secret


async def prepare(settings: Settings, say: Say, *, demonstrate: bool) -> None:
    """See that both stores answer, migrate, and load the demonstration into an empty database. Raises `StartError`."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    await _ping(settings.redis_url)
    try:
        await migrate(settings.database_url, say, settings.owner_url)
        if demonstrate:
            await _demonstrate(settings, say)
    except Unavailable as refusal:
        raise StartError(no_postgres(settings.database_url, refusal)) from None


async def migrate(url: str, say: Say, owner: str | None = None) -> None:
    """Bring the schema up to this release, as its `owner`, and let the role of `url` serve by it.

    Without one that role owns it itself, or finds it made. Raises `StartError` and `Unavailable`.
    """
    serving = None
    if owner:
        async with _connected(url, "DATABASE_URL") as connection:
            serving = await database.role(connection)
    async with _connected(owner or url, "OWNER_URL" if owner else "DATABASE_URL") as connection:
        if serving == await database.role(connection):
            serving = None  # one role, though it is named twice
        for name in await migrations.migrate(connection, serving):
            say(f"Migrated the database: {name}")


@contextlib.asynccontextmanager
async def _connected(url: str, setting: str) -> AsyncIterator[database.Connection]:
    """One connection to the database. Raises `StartError` where the URL will never do, and `Unavailable`."""
    try:
        connection = await database.connect(url)
    except (ValueError, asyncpg.PostgresError) as error:  # it answers or not: that URL will never do
        raise StartError(f"AFTERWORD_{setting} will not do for {_place(url)}: {error}.") from None
    try:
        yield connection
    finally:
        await connection.close(timeout=2)


async def _demonstrate(settings: Settings, say: Say) -> None:
    assert settings.database_url is not None
    async with database.pool(settings.database_url, 1) as pool:
        articles = Articles(pool)
        if not await articles.any():
            say("Loading the demonstration articles …")
            await press.load(articles, [resources.DEMONSTRATION], settings.zone, _nothing, say)


async def _ping(url: str) -> None:
    try:
        async with Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS) as redis:
            await redis.ping()
    except (ValueError, TypeError) as error:  # words behind the ? of the URL
        raise StartError(f"AFTERWORD_REDIS_URL will not do for {_place(url)}: {error}.") from None
    except (RedisError, OSError) as error:
        raise StartError(
            f"Redis at {_place(url)} does not answer ({error}): start it, or correct AFTERWORD_REDIS_URL."
        ) from None


def no_postgres(url: str, refusal: Unavailable) -> str:
    """What an operator is told when the database is away."""
    return (
        f"Postgres at {_place(url)} does not answer ({refusal.__cause__ or 'in time'}): "
        "start it, or correct AFTERWORD_DATABASE_URL."
    )


def _place(url: str) -> str:
    """The part of a URL that is no secret."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path or "its socket"


def _nothing(_line: str) -> None:
    """Say nothing."""
