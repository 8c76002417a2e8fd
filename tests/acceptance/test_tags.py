"""Poster tags: the same for one address within one thread, linked to nothing else, and gone with the hash."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio

from service.keyring import Keyring
from service.protocol import ThreadId
from tests.site import Site, command, op, receive, send, telling

HERE, BESIDE = "203.0.113.77", "203.0.113.78"


@pytest_asyncio.fixture
async def tagged(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    """Two workers behind a proxy that is trusted, with tags, and two threads."""
    settings = {"TRUSTED_PROXIES": "127.0.0.0/8", "POSTS_PER_MINUTE": "0", "POSTER_TAGS": "on"}
    async with telling(tmp_path, database_url, redis_url, **settings) as running:
        await running.load(tmp_path / "stories", "other")
        yield running


async def post(site: Site, forwarded: str, slug: str = "story", text: str = "Hello") -> dict[str, Any]:
    headers = {"X-Forwarded-For": forwarded}
    async with site.http.post(
        f"/articles/{slug}/comments", json={"op": op(), "text": text}, headers=headers
    ) as response:
        assert response.status == 201
        answer: dict[str, Any] = await response.json()
        return answer


async def tags(site: Site, slug: str = "story") -> dict[int, str | None]:
    """The tag of each comment of a thread, by its number."""
    async with site.http.get(f"/articles/{slug}/comments") as response:
        return {comment["no"]: comment.get("tag") for comment in (await response.json())["comments"]}


async def shown(site: Site, slug: str = "story") -> list[str]:
    """The tags on the page, in order."""
    async with site.http.get(f"/articles/{slug}") as response:
        return re.findall(r'<span class="tag hue-\d+" title="[^"]+"> (\w+)</span>', await response.text())


async def test_one_address_has_one_tag_in_a_thread_and_another_in_the_next(tagged: Site) -> None:
    async with tagged.socket("story") as reader:
        await receive(reader, "joined")
        numbers = [(await post(tagged, who))["no"] for who in (HERE, BESIDE, HERE)]
        live: dict[int, str] = {}
        while len(live) < 3:
            live |= {each["no"]: each["tag"] for each in (await receive(reader, "changes"))["comments"]}
    mine, theirs, again = (live[no] for no in numbers)
    assert mine == again != theirs
    assert await tags(tagged) == live
    assert await shown(tagged) == [mine, theirs, mine]
    await post(tagged, HERE, "other")
    assert set((await tags(tagged, "other")).values()).isdisjoint({mine, theirs})


async def test_what_is_gone_has_none_and_what_comes_back_has_its_own(tagged: Site) -> None:
    first, second = await post(tagged, HERE), await post(tagged, HERE)
    before = await tags(tagged)
    async with tagged.socket("story") as reader:
        await receive(reader, "joined")
        await send(reader, "retract", op=op(), no=first["no"], key=first["key"])
        [gone] = (await receive(reader, "changes"))["comments"]
        assert "tag" not in gone
    await command(tagged.environ, "comments", "remove", str(second["no"]))
    assert await tags(tagged) == {first["no"]: None, second["no"]: None}
    await command(tagged.environ, "comments", "publish", str(second["no"]))
    assert await tags(tagged) == {first["no"]: None, second["no"]: before[second["no"]]}


async def test_a_dump_holds_no_tag_and_links_none_to_another(tagged: Site, database_url: str) -> None:
    for slug in ("story", "other"):
        await post(tagged, HERE, slug)
    made = [tag for slug in ("story", "other") for tag in (await tags(tagged, slug)).values()]
    connection = await asyncpg.connect(database_url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        lines = [await connection.fetch(f"SELECT t::text FROM {name} t") for (name,) in names]  # noqa: S608
        rows = await connection.fetch("SELECT thread, address FROM comments ORDER BY no")
    finally:
        await connection.close()
    dump = "\n".join(row[0] for table in lines for row in table)
    assert "Hello" in dump
    words = set(re.findall(r"[0-9a-z]+", dump))
    assert words.isdisjoint(made)
    mine, guessed = (Keyring(secret) for secret in (tagged.environ["AFTERWORD_SECRET"], "a guess that is not it"))
    assert [mine.poster_tag(ThreadId(row["thread"]), row["address"]) for row in rows] == made
    assert not {guessed.poster_tag(ThreadId(row["thread"]), row["address"]) for row in rows} & set(made)


async def test_a_tag_is_gone_with_the_hash(tagged: Site) -> None:
    await post(tagged, HERE)
    assert len(await shown(tagged)) == 1
    swept, _, errors = await command(tagged.environ | {"AFTERWORD_ADDRESS_RETENTION_DAYS": "0"}, "sweep")
    assert (swept, errors) == (0, "")
    assert set((await tags(tagged)).values()) == {None}
    async with tagged.http.get("/articles/story/comments?epoch=x&after=0") as response:
        assert "tag" not in await response.text()


async def test_a_site_that_is_not_set_so_shows_none(site: Site) -> None:
    await post(site, HERE)
    assert list((await tags(site)).values()) == [None]
    assert await shown(site) == []
    async with site.http.get("/privacy") as response:
        assert "show the same tag" not in await response.text()


async def test_the_privacy_page_tells_of_them(tagged: Site) -> None:
    async with tagged.http.get("/privacy") as response:
        assert "show the same tag" in await response.text()
