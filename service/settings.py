"""What an operator can set: read once at start from the environment, checked, and never changed.

Every setting is one field of `Settings`: `data_dir` is `AFTERWORD_DATA_DIR`, or `AFTERWORD_DATA_DIR_FILE` where the
value stands in a file, as docker secrets do.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, inspect

from service import resources
from service.errors import StartError

PREFIX = "AFTERWORD_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, typed and checked. The defaults are those of `make run`: one worker and the bundled stores."""

    host: Annotated[str, Meta(description="address to listen on", min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(description="port to listen on (0: any free one)", ge=0, le=65535)] = 8080
    workers: Annotated[int, Meta(description="worker processes under one supervisor", ge=1, le=256)] = 1
    data_dir: Annotated[Path, Meta(description="bundled stores, secret, caches")] = Path("var")
    database_url: Annotated[str | None, Meta(description="a Postgres URL; none: the bundled one")] = None
    owner_url: Annotated[
        str | None, Meta(description="a Postgres URL of the role that owns the tables; none: the one that serves")
    ] = None
    redis_url: Annotated[str | None, Meta(description="a Redis or Valkey URL; none: the bundled one")] = None
    site_url: Annotated[str | None, Meta(description="public address, https://example.org")] = None
    site_name: Annotated[str, Meta(description="the paper's name", min_length=1, max_length=80)] = "Afterword"
    timezone: Annotated[str, Meta(description="zone of the times on the pages, Europe/Berlin")] = "UTC"
    language: Annotated[str, Meta(description="language of the pages, en or de")] = "en"
    secret: Annotated[str | None, Meta(description="keys every hash, at least 16 characters")] = None
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="networks whose X-Forwarded-For is believed, comma-separated"),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        Meta(description="further origins that may connect and post, comma-separated"),
    ] = ()
    frame_ancestors: Annotated[
        tuple[str, ...],
        Meta(description="origins that may show the site in a frame, comma-separated"),
    ] = ()
    posts_per_minute: Annotated[
        int,
        Meta(description="comments an address may write a minute; 0: no limit", ge=0, le=1_000_000),
    ] = 6
    thread_posts_per_minute: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        Meta(description="comments in a thread a minute; none: 100 times an address's; 0: no limit"),
    ] = None
    site_posts_per_minute: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        Meta(description="comments on the site a minute; none: 1,000 times an address's; 0: no limit"),
    ] = None
    connections_per_address: Annotated[
        int,
        Meta(description="open sockets and streams of an address; 0: no limit", ge=0, le=1_000_000),
    ] = 50
    connections_per_worker: Annotated[
        int,
        Meta(description="open sockets and streams of a worker; 0: all its files allow", ge=0, le=1_000_000),
    ] = 0
    address_retention_days: Annotated[
        int,
        Meta(description="days for which keyed hashes of an address are kept with a comment", ge=0, le=3650),
    ] = 7
    removed_retention_days: Annotated[
        int,
        Meta(description="days after which the text of a removed comment is erased", ge=0, le=3650),
    ] = 30
    reports_to_hold: Annotated[
        int,
        Meta(description="reports by as many addresses hold a comment; 0: never", ge=0, le=1_000_000),
    ] = 3
    backup_retention_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(description="days for which you keep backups, for the page on privacy"),
    ] = None
    poster_tags: Annotated[
        Literal["on", "off"],
        Meta(description="a tag that is the same for one address within one thread only"),
    ] = "off"
    close_after_days: Annotated[
        int,
        Meta(description="days after which an article's thread is closed; 0: never", ge=0, le=36_500),
    ] = 0
    challenge: Annotated[
        Literal["off", "surge", "always"],
        Meta(description="when proof of work is asked of who writes: off, surge, always"),
    ] = "surge"
    surge_posts_per_minute: Annotated[
        Annotated[int, Meta(ge=0, le=100_000_000)] | None,
        Meta(description="posts a minute that a thread takes calmly; 0: any number; none: 20 x POSTS_PER_MINUTE"),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="what is logged; info: a line for every request"),
    ] = "warning"

    @property
    def calm(self) -> int:
        """Posts a minute beyond which a thread is in a surge; 0 where it never is: nothing limits posting, say."""
        given = self.surge_posts_per_minute
        return 20 * self.posts_per_minute if given is None else given if self.posts_per_minute else 0

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of `trusted_proxies`."""
        return tuple(ipaddress.ip_network(text) for text in self.trusted_proxies)


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def table() -> list[tuple[str, str, str]]:
    """Every setting: its variable, its meaning, and its default as one would write it."""
    described = inspect.type_info(Settings)
    assert isinstance(described, inspect.StructType)
    rows = []
    for field in described.fields:
        assert isinstance(field.type, inspect.Metadata)
        meaning = (field.type.extra_json_schema or {})["description"]
        rows.append((variable(field.name), meaning, "" if field.default in {None, ()} else str(field.default)))
    return rows


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Raises `StartError` naming the variable and what would be right."""
    fields = {variable(field.name): field for field in msgspec.structs.fields(Settings)}
    given = _given(environ, fields)
    values = {}
    for name, text in given.items():
        field = fields[name]
        value: Any = text
        if field.name in _LISTS:
            value = [part.strip() for part in text.split(",") if part.strip()]
        try:
            values[field.name] = msgspec.convert(value, field.type, strict=False, dec_hook=_path)
            _CHECKS.get(field.name, _anything)(values[field.name])
        except ValueError as error:  # msgspec's ValidationError is one
            shown = "its value" if field.name in _PRIVATE else repr(text)
            raise StartError(f"{name}: {shown} will not do: {error}.") from None
    settings = Settings(**values)
    if settings.database_url and not settings.secret:
        raise StartError(
            "AFTERWORD_SECRET: required where AFTERWORD_DATABASE_URL is set, "
            "so that every worker makes the same keys; take 32 random characters."
        )
    if settings.owner_url and not settings.database_url:
        raise StartError("AFTERWORD_OWNER_URL: it needs AFTERWORD_DATABASE_URL beside it, of the role that serves.")
    return settings


def _given(environ: Mapping[str, str], fields: Mapping[str, object]) -> dict[str, str]:
    """The values that are set, from variables and from files; an empty variable counts as unset."""
    given: dict[str, str] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        plain = name.removesuffix("_FILE")
        if plain not in fields:
            raise StartError(f"{name}: there is no such setting; `python -m service --help` lists them.")
        if not text.strip():
            continue
        if plain in given:
            raise StartError(f"{plain}: set it either by itself or as {plain}_FILE, not both.")
        given[plain] = _read(name, text).strip() if name != plain else text.strip()
    return given


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartError(f"{name}: {path} can't be read: {reason}.") from None


def _path(kind: type[T], value: object) -> T:
    return kind(value)  # type: ignore[call-arg]


def _anything(_value: object) -> None:
    """Take what the type allows."""


def _database(url: str) -> None:
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ValueError("a Postgres URL looks like postgresql://user:password@host:5432/name")
    for place in _place(url).split(","):  # several are allowed
        _port(place)


def _redis(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme == "redis+cluster":
        raise ValueError("redis+cluster:// is not supported yet; give one server as redis://host:6379")
    if scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("a Redis URL looks like redis://host:6379, rediss://host:6379 or unix:///path")
    _port(_place(url))


def _place(url: str) -> str:
    """Where a URL leads, without who goes there."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _port(place: str) -> None:
    try:
        _ = urlsplit(f"//{place}").port
    except ValueError:  # its words could hold a piece of a password
        raise ValueError("its port is no number up to 65535 (in a password, / is written %2F)") from None


def _origin(url: str) -> None:
    parts = urlsplit(url)
    whole = f"{parts.scheme}://{parts.netloc}"
    sent = re.fullmatch(r"[a-z0-9._:-]+", parts.hostname or "")  # as browsers send it: an IDN is xn--…, no wildcards
    if parts.scheme not in {"http", "https"} or not sent or "@" in parts.netloc or url.rstrip("/") != whole:
        raise ValueError("an origin looks like https://example.org, without a path")
    _ = parts.port  # raises ValueError where it is no port


def _origins(urls: tuple[str, ...]) -> None:
    for url in urls:
        _origin(url)


def _zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone looks like Europe/Berlin") from None


def _language(name: str) -> None:
    there = sorted(path.stem for path in resources.LANGUAGES.glob("*.po"))
    if name not in there:
        raise ValueError(f"the languages are {' and '.join(there)}")


def _networks(texts: tuple[str, ...]) -> None:
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise ValueError(f"a network looks like 10.0.0.0/8 or 2001:db8::/32, but {error}") from None


def _secret(text: str) -> None:
    if len(text) < 16:
        raise ValueError("it must be at least 16 characters long")


_LISTS = {"trusted_proxies", "allowed_origins", "frame_ancestors"}
_PRIVATE = {"secret", "database_url", "owner_url", "redis_url"}
_CHECKS: dict[str, Any] = {
    "database_url": _database,
    "owner_url": _database,
    "redis_url": _redis,
    "site_url": _origin,
    "timezone": _zone,
    "language": _language,
    "secret": _secret,
    "trusted_proxies": _networks,
    "allowed_origins": _origins,
    "frame_ancestors": _origins,
}
