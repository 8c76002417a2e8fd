"""Everything the app holds, by type. What is not in this list is nowhere."""

from aiohttp import web

from service.assets import Assets
from service.filters import Sieve
from service.fresh import Fresh
from service.guard.connections import Connections
from service.guard.passwords import Passwords
from service.guard.tries import Tries
from service.health import Health
from service.ingest import Ingest
from service.judging import Judging
from service.keyring import Keyring
from service.language import Language
from service.newsroom import Newsroom
from service.paper import Paper
from service.posting import Posting
from service.reporting import Reporting
from service.rooms import Rooms
from service.settings import Settings
from service.store.articles import Articles
from service.store.bans import Bans
from service.store.comments import Comments
from service.store.desk import Desk
from service.store.filters import Filters
from service.store.moderators import Moderators
from service.store.reports import Reports

SETTINGS = web.AppKey("settings", Settings)
LANGUAGE = web.AppKey("language", Language)
KEYRING = web.AppKey("keyring", Keyring)
CONNECTIONS = web.AppKey("connections", Connections)
ARTICLES = web.AppKey("articles", Articles)
COMMENTS = web.AppKey("comments", Comments)
INGEST = web.AppKey("ingest", Ingest)
ROOMS = web.AppKey("rooms", Rooms)
POSTING = web.AppKey("posting", Posting)
JUDGING = web.AppKey("judging", Judging)
BANS = web.AppKey("bans", Bans)
NEWSROOM = web.AppKey("newsroom", Newsroom)
REPORTING = web.AppKey("reporting", Reporting)
REPORTS = web.AppKey("reports", Reports)
MODERATORS = web.AppKey("moderators", Moderators)
PASSWORDS = web.AppKey("passwords", Passwords)
TRIES = web.AppKey("tries", Tries)
FILTERS = web.AppKey("filters", Filters)
SIEVE = web.AppKey("sieve", Sieve)
DESK = web.AppKey("desk", Desk)
WATCH = web.AppKey("watch", Fresh[str])
"""The version of what the desk shows."""
PAPER = web.AppKey("paper", Paper)
ASSETS = web.AppKey("assets", Assets)
HEALTH = web.AppKey("health", Health)
