"""A site in German: its pages, dates, plurals and refusals; programs are answered as before."""

import json
import re
from pathlib import Path

from tests.site import Site, op, telling


async def page(site: Site, path: str) -> str:
    async with site.http.get(path) as response:
        return await response.text()


async def test_a_german_site_is_german(tmp_path: Path, database_url: str, redis_url: str) -> None:
    async with telling(tmp_path, database_url, redis_url, LANGUAGE="de", POSTS_PER_MINUTE="0") as site:
        front = await page(site, "/")
        assert '<html lang="de">' in front
        assert '<meta property="og:locale" content="de_DE">' in front
        assert ">1. Januar 2026</time>" in front
        article = await page(site, "/articles/story")
        assert ">Neueste Nachrichten</h2>" in article
        assert ">Noch keine Kommentare</h2>" in article

        comments = "/articles/story/comments"
        for number, words in ((1, "1 Kommentar"), (2, "2 Kommentare")):
            async with site.http.post(comments, json={"op": op(), "text": f"Nummer {number}"}) as response:
                assert response.status == 201
                made = await response.json()
            article = await page(site, f"/articles/story?seen={made['version']}")
            assert f">{words}</h2>" in article
            assert re.search(rf">Nr\. <span class=\"no\">{made['no']}</span>", article)
        assert "Veröffentlichen</button>" in article
        told = json.loads(re.search(r'data-part="words">(.+?)</script>', article)[1])  # type: ignore[index]
        assert told["new"] == {"one": "%(num)s neuer Kommentar", "other": "%(num)s neue Kommentare"}
        assert told["refused.closed"].startswith("Die Diskussion ist geschlossen")

        async with site.http.post(comments, data={"text": " "}) as response:
            assert response.status == 422
            assert "Bitte erst etwas schreiben." in await response.text()
        async with site.http.post(comments, json={"op": op(), "text": " "}) as response:
            assert (await response.json())["detail"] == "There is nothing to publish: please write something first."
        assert "<h1>Unter dieser Adresse ist nichts zu finden.</h1>" in await page(site, "/nowhere")


async def test_an_english_site_is_english(tmp_path: Path, database_url: str, redis_url: str) -> None:
    async with telling(tmp_path, database_url, redis_url) as site:
        front = await page(site, "/")
        assert '<html lang="en">' in front
        assert '<meta property="og:locale" content="en_GB">' in front
        assert ">1 January 2026</time>" in front
        article = await page(site, "/articles/story")
        assert ">Recent News</h2>" in article
        assert ">No comments yet</h2>" in article
        assert "There is nothing at this address." in await page(site, "/nowhere")
