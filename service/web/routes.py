"""Every address that this service answers."""

from aiohttp import web

from service.web import comments, events, health, live, pages, record, reports, static
from service.web.desk import acts, door, filters, views
from service.web.desk import events as desk_events

SLUG = "{slug:[a-z0-9]+(?:-[a-z0-9]+)*}"
NO = r"{no:[0-9]{1,16}}"
THREAD = f"/articles/{SLUG}"

ROUTES = (
    web.get("/", pages.front),
    web.get("/sections/{section:.+}", pages.section),
    web.get("/privacy", pages.privacy),
    web.get(THREAD, pages.article),
    web.get(f"{THREAD}/moderation", record.moderation),
    web.get(f"/comments/{NO}", comments.comment),
    web.get(f"/comments/{NO}/report", reports.report),
    web.post(f"/comments/{NO}/report", reports.send_report),
    web.get(f"/comments/{NO}/appeal", reports.appeal),
    web.post(f"/comments/{NO}/appeal", reports.send_appeal),
    web.get(r"/pictures/{name:[0-9a-f]{32}}", pages.picture),
    web.get(r"/static/{digest:[0-9a-f]{12}}/{name:.+}", static.static),
    web.get("/robots.txt", static.robots),
    web.get(f"{THREAD}/comments", comments.window),
    web.post(f"{THREAD}/comments", comments.post),
    web.delete(f"{THREAD}/comments/{NO}", comments.retract),
    web.get(f"{THREAD}/live", live.live, allow_head=False),
    web.get(f"{THREAD}/events", events.events, allow_head=False),
    web.get("/desk", views.queue),
    web.get("/desk/recent", views.recent),
    web.get("/desk/record", views.record),
    web.get("/desk/threads", views.threads),
    web.get("/desk/people", views.people),
    web.get(f"/desk/comments/{NO}", views.comment),
    web.get(f"/desk/comments/{NO}/others", views.others),
    web.get(f"/desk/threads/{SLUG}", views.thread),
    web.get("/desk/bans", views.bans),
    web.get("/desk/articles", views.articles),
    web.get("/desk/filters", filters.listed),
    web.post("/desk/filters", filters.on_filters),
    web.get("/desk/events", desk_events.events, allow_head=False),
    web.get(f"/desk/comments/{NO}/evidence", views.evidence),
    web.get("/desk/login", door.login),
    web.post("/desk/login", door.sign_in),
    web.post("/desk/logout", door.log_out),
    web.post("/desk/comments", acts.on_comments),
    web.post("/desk/threads", acts.on_thread),
    web.post("/desk/pins", acts.on_pins),
    web.post("/desk/bans", acts.on_bans),
    web.post("/desk/others", acts.on_others),
    web.post("/desk/answers", acts.on_answers),
    web.post("/desk/articles", acts.on_articles),
    web.post("/desk/undo", acts.undo),
    web.post("/desk/people", acts.on_people),
    web.get("/healthz", health.healthz),
    web.get("/readyz", health.readyz),
)
