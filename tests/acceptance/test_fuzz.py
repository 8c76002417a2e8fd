"""Whatever is sent, by whomever: no answer is a mistake of the server, and each is one of those that are described."""

import asyncio
import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from service.protocol import Close
from tests.desk import Seat, seat
from tests.site import ROOT, Site, op, receive, send

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The same each time, without what Hypothesis says of slow machines and of data that is hard to find.
FUZZ = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
EXAMPLES = 3  # of each operation, such that fit its description and such that do not
WHERE = {"slug": st.sampled_from(["story", "nowhere"]), "no": st.integers(0, 5)}


def fuzz(url: str, headers: dict[str, str], token: str, operations: Sequence[Any]) -> list[str]:
    """Ask in ways that fit the description, and in others; what was wrong with the answers."""
    put = functools.partial(ask, url, headers, token)
    return [complaint for each in operations for mode in GenerationMode for complaint in asked(each, mode, put)]


def asked(operation: Any, mode: GenerationMode, put: Callable[[Any, dict[str, Any]], None]) -> Iterator[str]:
    """What was wrong with the answers to one operation."""

    @settings(FUZZ, max_examples=EXAMPLES)
    @given(case=operation.as_strategy(mode), places=st.fixed_dictionaries(WHERE))
    def once(case: Any, places: dict[str, Any]) -> None:
        put(case, places)

    try:
        once()
    except Unsatisfiable:
        pass  # where there is nothing to say, nothing can be said wrongly
    except Exception as failure:  # noqa: BLE001
        yield f"{operation.label}, {mode}: {failure!r} {failure}"


def ask(url: str, headers: dict[str, str], token: str, case: Any, places: dict[str, Any]) -> None:
    """Put one question, mostly about what is there. Raises what is wrong with the answer."""
    case.path_parameters.update({key: places[key] for key in places if key in case.path_parameters})
    if case.path.endswith("/events"):
        case.path_parameters["slug"] = "nowhere"  # the answer for a thread that is there does not end
    if isinstance(case.body, dict) and token:
        case.body["token"] = token
    response = case.call(url, headers=headers, allow_redirects=False, timeout=30)
    case.validate_response(response, checks=CHECKS)


def described(*but: str) -> list[Any]:
    """Every operation of the description, but for some."""
    every = schemathesis.openapi.from_path(ROOT / "docs/openapi.yaml").get_all_operations()
    return [
        each for each in (cast("Any", found).ok() for found in every) if each.definition.raw["operationId"] not in but
    ]


async def test_every_answer_to_a_stranger_is_one_that_is_described(site: Site) -> None:
    wrong = await asyncio.to_thread(fuzz, site.url, {}, "", described())
    assert not wrong, "\n\n".join(wrong)
    await lives(site)


async def test_every_answer_to_an_admin_is_one_that_is_described(site: Site) -> None:
    ida = await seat(site, "ida", "admin")
    token = re.findall(r'name="token" value="(\w+)"', (await ida.get()).text)[0]
    desk = [each for each in described("deskEvents", "signOut") if each.path.startswith("/desk")]
    wrong = await asyncio.to_thread(fuzz, site.url, {"Cookie": f"__Host-desk={ida.cookie}"}, token, desk)
    assert not wrong, "\n\n".join(wrong)
    assert (await ida.get()).status == 200, "still signed in"


# Forms of the desk

ACTS = [
    "try",
    "save",
    "end 1",
    "again 1",
    "remove 1",
    "hold 1",
    "restore 1",
    "close story",
    "open nowhere",
    "disable ole",
]
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "one": st.sampled_from(ACTS) | st.text(max_size=12),
        "act": st.sampled_from(["1", "2", "remove", "publish"]) | st.text(max_size=12),
        "no[]": st.lists(st.integers(-1, 2**54) | st.text(max_size=3), max_size=4),
        "kind": st.sampled_from(["word", "pattern", "host", "links", "first"]) | st.text(max_size=4),
        "value": st.sampled_from(["a.example", "3", "(", "[ab]+c"]) | st.text(max_size=30),
        "action": st.sampled_from(["hold", "refuse", "pass"]) | st.text(max_size=4),
        "back": st.sampled_from(["/desk/record", "//evil.example"]) | st.text(max_size=12),
        **{name: st.text(max_size=12) for name in ("section", "article", "reason", "x")},
    },
)
PATHS = ["comments", "threads", "undo", "people", "filters"]


async def test_no_form_of_the_desk_is_more_than_it_can_take(site: Site) -> None:
    ida = await seat(site, "ida", "admin")
    token = re.findall(r'name="token" value="(\w+)"', (await ida.get()).text)[0]
    stranger, statuses = Seat(site, ""), set()
    await lives(site)
    for path, told in examples(st.tuples(st.sampled_from(PATHS), FIELDS), 150):
        statuses.add((await ida.post(f"/desk/{path}", token=token, **told)).status)
        assert (await ida.post(f"/desk/{path}", token="", **told)).status == 403
        assert (await stranger.post(f"/desk/{path}", token=token, **told)).status == 303
    assert statuses <= {200, 303, 400, 404, 422}, statuses
    assert (await ida.get()).status == 200


# Messages of a socket

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELD: st.SearchStrategy[Any] = JSON | st.uuids().map(str)
MESSAGE = st.fixed_dictionaries(
    {"type": st.sampled_from(["post", "retract", "pong", "joined", "nothing"]) | JSON},
    optional={"op": FIELD, "text": st.text(max_size=40) | JSON, "no": st.integers(-1, 2**64) | JSON, "key": FIELD},
)
FRAME = (
    (MESSAGE | JSON).map(json.dumps)
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.just("[" * 30_000)
    | st.just("")
)


async def test_no_frame_ends_a_socket_without_a_code_and_a_valid_post_is_accepted_after(site: Site) -> None:
    for frames in examples(st.lists(FRAME, min_size=1, max_size=12), 60):
        async with site.socket("story") as socket:
            await receive(socket, "joined")
            with contextlib.suppress(ConnectionClosed):
                for frame in frames:
                    await socket.send(frame)
            with contextlib.suppress(ConnectionClosed):
                await accepted(socket)
                continue
            assert socket.close_code in {*Close}, frames
            assert ends(frames), frames
    await lives(site)


def ends(frames: Sequence[str | bytes]) -> bool:
    """Whether frames are among those after which a socket is closed: a binary one, or ten that are malformed."""
    return any(isinstance(frame, bytes) for frame in frames) or len(frames) >= 10


async def accepted(socket: ClientConnection) -> None:
    """A post is accepted, whatever was sent before it."""
    mine = op()
    await send(socket, "post", op=mine, text="And yet it moves")
    while (answer := await receive(socket, "accepted", "refused"))["op"] != mine:
        pass
    assert answer["type"] == "accepted"


async def lives(site: Site) -> None:
    """Every thread is as alive as before."""
    async with site.socket("story") as socket:
        await receive(socket, "joined")
        await accepted(socket)


def examples(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """Examples, the same each time, for what Hypothesis can't run itself: it knows no event loop."""
    found: list[Any] = []

    @settings(FUZZ, max_examples=number)
    @given(strategy)
    def keep(example: Any) -> None:
        found.append(example)

    keep()
    return found
