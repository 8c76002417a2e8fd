"""The service of one worker, wired: read it as the table of contents."""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service import keys, protocol, redis_pool, reporting, resources
from service.assets import Assets
from service.blocklist import Blocklist
from service.brakes import Brakes
from service.bus import Bus
from service.crowd import Crowd
from service.filters import Sieve
from service.fresh import Fresh
from service.gate import Gate, Work
from service.guard.asked import Asked
from service.guard.challenge import Challenges
from service.guard.connections import Connections, capacity
from service.guard.limits import Limits
from service.guard.passwords import Passwords
from service.guard.posts import Posts, Rates
from service.guard.pressure import Pressure
from service.guard.tries import Tries
from service.health import Health
from service.ingest import Ingest
from service.judging import Judging
from service.keyring import Keyring
from service.language import Language
from service.level import Level
from service.newsroom import Newsroom
from service.paper import Paper
from service.posting import Posting
from service.reporting import Reporting
from service.rooms import Rooms
from service.settings import Settings
from service.store import database
from service.store.articles import Articles
from service.store.bans import Bans
from service.store.comments import Comments
from service.store.desk import Desk
from service.store.filters import Filters
from service.store.moderation import Moderation
from service.store.moderators import Moderators
from service.store.reports import Reports
from service.store.retention import Retention
from service.surge import Surge
from service.sweep import Sweep
from service.web import headers, middleware, pages
from service.web.desk import events
from service.web.routes import ROUTES
from service.web.words import complaints, desk_words, newsroom, reasons, words

POOL = 8  # connections for reading; ingest has one of its own
RETRACTIONS = 10  # for each post that an address may write a minute
REDIS_SECONDS = 0.25  # Redis answers within this, or the worker goes on without it

Context = Callable[[web.Application], AsyncIterator[None]]


def make_app(settings: Settings, tasks: asyncio.TaskGroup) -> web.Application:
    """Make the app of one worker. `settings` name both stores; `tasks` is the parent of what runs along."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    assert settings.secret is not None
    keyring, worker = Keyring(settings.secret), secrets.token_hex(8)
    language = Language(settings.language)
    pool = database.pool(settings.database_url, POOL)
    redis = _redis(settings.redis_url)
    tag = keyring.poster_tag if settings.poster_tags == "on" else None
    articles, comments, desk = Articles(pool), Comments(pool, tag), Desk(pool)
    bus = Bus(redis, settings.redis_url, keyring.site, worker)
    rooms = Rooms(comments, bus, Crowd(redis, keyring.site, worker))
    ingest = Ingest(settings.database_url, rooms.committed)
    bans, filters, moderation, reports = Bans(pool), Filters(pool), Moderation(pool, tag), Reports(pool)
    blocklist, brakes, sieve = Blocklist(bans), Brakes(comments), Sieve(filters)
    levels: dict[str, Level[Any]] = {"bans": blocklist, "threads": brakes, "filters": sieve}
    _share(bus, levels)
    pressure = Pressure(redis, keyring.site, settings.calm)
    gate = Gate(
        keyring,
        comments,
        blocklist=blocklist,
        brakes=brakes,
        sieve=sieve,
        work=Work(settings.challenge, Challenges(keyring.proof), Asked(redis, keyring.site)),
        posts=Posts(redis, keyring.site, _rates(settings)),
        retractions=Limits(redis, f"{keyring.site}:retract", RETRACTIONS * settings.posts_per_minute),
        pressure=pressure,
    )
    judging = Judging(moderation, bans, reports, blocklist=blocklist, brakes=brakes, rooms=rooms)
    surge = Surge(pressure, brakes, moderation, judging.tell)
    connections = Connections(
        redis,
        keyring.site,
        worker,
        settings.connections_per_address,
        capacity(settings.connections_per_worker),
    )

    app = web.Application(
        client_max_size=protocol.MAX_INBOUND,
        middlewares=[middleware.close_when_draining, middleware.log_request, middleware.word_refusals],
    )
    app[keys.SETTINGS] = settings
    app[keys.LANGUAGE] = language
    app[keys.KEYRING] = keyring
    app[keys.CONNECTIONS] = connections
    app[keys.ARTICLES] = articles
    app[keys.COMMENTS] = comments
    app[keys.ROOMS] = rooms
    app[keys.INGEST] = ingest
    app[keys.POSTING] = Posting(keyring, comments, gate, ingest, rooms, tag=tag)
    app[keys.JUDGING] = judging
    app[keys.BANS] = bans
    app[keys.NEWSROOM] = Newsroom(newsroom(language, settings.site_name), keyring, moderation, ingest)
    app[keys.REPORTING] = Reporting(
        keyring,
        reports,
        Limits(redis, f"{keyring.site}:reports", reporting.PER_MINUTE),
        blocklist,
        pressure=pressure,
        tell=judging.tell,
        to_hold=settings.reports_to_hold,
    )
    app[keys.REPORTS] = reports
    app[keys.MODERATORS] = Moderators(pool)
    app[keys.PASSWORDS] = Passwords()
    app[keys.TRIES] = Tries(redis, keyring.site)
    app[keys.FILTERS] = filters
    app[keys.SIEVE] = sieve
    app[keys.DESK] = desk
    app[keys.WATCH] = Fresh(desk.version, events.LOOK_SECONDS)
    app[keys.PAPER] = Paper(articles, comments, pages.renderer(app))
    app[keys.HEALTH] = Health(comments, redis, bus)
    app[keys.ASSETS] = Assets(resources.STATIC)
    sweep = Sweep(
        Retention(pool, settings.address_retention_days, settings.removed_retention_days),
        functools.partial(judging.close_old, settings.close_after_days) if settings.close_after_days else None,
        app[keys.PAPER].forget if tag else None,
    )
    _open_doors(app, settings, language)
    app.cleanup_ctx.extend(
        [
            _open(pool),
            _close(redis),
            _run(tasks, lambda: bus.run(rooms.heard, rooms.check)),
            _run(tasks, rooms.run),
            _run(tasks, connections.run),
            _run(tasks, ingest.run),
            *(_run(tasks, level.run) for level in levels.values()),
            _run(tasks, surge.run),
            _run(tasks, sweep.run),
        ]
    )
    return app


def _redis(url: str) -> Redis:
    """A client that rather goes without Redis than waits for it."""
    patience = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return Redis.from_pool(redis_pool.make(url, retry=Retry(NoBackoff(), 0), **patience))


def _share(bus: Bus, levels: Mapping[str, Level[Any]]) -> None:
    """Have each worker hear when another one has changed what all of them know."""
    for noun, level in levels.items():
        level.tell = functools.partial(bus.call, noun)
        bus.on(noun, level.wake)


def _rates(settings: Settings) -> Rates:
    return Rates.of(settings.posts_per_minute, settings.thread_posts_per_minute, settings.site_posts_per_minute)


def _open_doors(app: web.Application, settings: Settings, language: Language) -> None:
    """Give the app its addresses, and what their answers are made with."""
    _set_up_templates(app, settings, language)
    app.add_routes(ROUTES)
    app.on_response_prepare.append(headers.adding(settings))


def _set_up_templates(app: web.Application, settings: Settings, language: Language) -> None:
    """Give the app its templates, in the site's language."""
    templates = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(resources.TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        filters=pages.filters(settings, language),
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    templates.globals["words"] = words(language)
    templates.globals["desk_words"] = desk_words(language)
    templates.globals["reasons"] = reasons(language)
    templates.globals["complaints"] = complaints(language)
    _read(templates)


def _read(templates: jinja2.Environment) -> None:
    """Read every template now: later there may be no file descriptor left for it, and not even for the error page."""
    for name in templates.list_templates():
        templates.get_template(name)


def _open(pool: database.Pool) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        await pool  # it connects when asked: a worker can start while Postgres is away
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await pool.close()
        pool.terminate()

    return context


def _close(redis: Redis) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        yield
        await redis.aclose()

    return context


def _run(tasks: asyncio.TaskGroup, run: Callable[[], Coroutine[Any, Any, None]]) -> Context:
    """Keep something running while the app does; if it fails, the group ends the worker loudly."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        task = tasks.create_task(run())
        yield
        task.cancel()
        await asyncio.wait([task])

    return context
