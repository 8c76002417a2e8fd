"""What moderators did below an article, for everybody: in counts, by day and reason, and nobody's name."""

import itertools

from aiohttp import web

from service import keys
from service.errors import NotFound
from service.web import pages
from service.web.words import reasons

ACTS = 5_000  # the latest, that are counted


async def moderation(request: web.Request) -> web.Response:
    """GET /articles/{slug}/moderation: what was done in its thread, the latest day first."""
    app, slug = request.app, pages.slug(request)
    if not (await app[keys.ARTICLES].state(slug)).has_thread:
        raise NotFound
    known = list(reasons(app[keys.LANGUAGE]))
    done = await app[keys.REPORTS].done(slug, app[keys.SETTINGS].timezone, known, ACTS)
    context = {
        "article": await app[keys.ARTICLES].article(slug),
        "days": [(day, list(lines)) for day, lines in itertools.groupby(done, lambda line: line.day)],
        "bounded": ACTS if sum(line.times for line in done) >= ACTS else None,
        "hold": app[keys.SETTINGS].reports_to_hold,
    }
    return pages.page(request, "moderation.html", context, await app[keys.PAPER].lists())
