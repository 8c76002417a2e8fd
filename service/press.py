"""The press: brings article files into the store, one bad file never in the way of the others."""

from collections.abc import Callable, Iterable
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
                article = article_file.read(file, zone)
            except ArticleFileError as error:
                complain(str(error))
                whole = False
                continue
            for warning in article.warnings:
                complain(warning)
            say(f"{await articles.publish(article):9} {article.slug}")
    return whole
