"""The press: brings article files into the store, one bad file never in the way of the others."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from service import article_file
from service.article_file import ArticleFileError
from service.store.articles import Articles

Say = Callable[[str], None]


async def load(articles: Articles, paths: Iterable[Path], zone: ZoneInfo, say: Say, complain: Say) -> bool:
    """Publish every article file in `paths` (files and folders). Return whether all of them could be read.

    Each file gets a line through `say`; what is wrong with one is a line `path:line: reason` through `complain`.
    Raises `Unavailable`.
    """
    whole = True
    for path in paths:
        try:
            files = article_file.find([path])
        except ArticleFileError as error:
            complain(str(error))
            whole = False
            continue
        for file in files:
            try:
                article = await asyncio.to_thread(article_file.read, file, zone)  # a long one takes a while
            except ArticleFileError as error:
                complain(str(error))
                whole = False
                continue
            for warning in article.warnings:
                complain(warning)
            say(f"{await articles.publish(article):9} {article.slug}")
    return whole


async def receive(articles: Articles, files: Mapping[str, bytes], zone: ZoneInfo, say: Say, complain: Say) -> bool:
    """Publish the article files among some that were sent, by their names, with the pictures sent beside them.

    The same as `load`, but for a folder that nobody keeps and no line names.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        return await load(
            articles, [Path(folder)], zone, say, lambda remark: complain(remark.replace(f"{folder}/", "", 1))
        )
