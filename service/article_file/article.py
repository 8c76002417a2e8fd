"""An article, whole: what its file says, checked and safe to show."""

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from service.article_file import body, front_matter
from service.article_file.front_matter import FrontMatter
from service.article_file.manuscript import open_manuscript
from service.article_file.picture import Picture, find_picture
from service.article_file.remarks import Remarks, quoted

CommentsMode = Literal["open", "held", "closed", "none"]

_MODES: tuple[CommentsMode, ...] = get_args(CommentsMode)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SLUG_LENGTH = 100


class ArticleFile(msgspec.Struct, frozen=True, kw_only=True):
    """What one file says. Texts are plain, of one line, "" where absent; `html` is safe markup.

    `published_at` is in UTC and whole seconds. `picture` was a file beside the article, `image` is
    a path on this site; at most one of them is given. `warnings` read "path:line: reason".
    """

    slug: str
    title: str
    author: str
    published_at: datetime
    section: str
    summary: str
    html: str
    picture: Picture | None
    image: str | None
    image_credit: str | None
    tags: tuple[str, ...]
    comments: CommentsMode
    warnings: tuple[str, ...]


def read(path: Path, timezone: ZoneInfo) -> ArticleFile:
    """Read one article file; a date without an offset is in that time zone.

    Only `title` and `date` are required. Raises ArticleFileError, whatever the file holds.
    """
    remarks = Remarks(path)
    manuscript = open_manuscript(remarks)
    fields = front_matter.parse(manuscript.front_matter, remarks)
    image = _image(fields, remarks)
    return ArticleFile(
        title=fields.required("title", 300),
        published_at=_date(fields, timezone, remarks),
        slug=_slug(fields, remarks),
        author=fields.text("author", 200),
        section=fields.text("section", 60) or "News",
        summary=fields.text("summary", 1000),
        picture=image if isinstance(image, Picture) else None,
        image=image if isinstance(image, str) else None,
        image_credit=fields.text("image_credit", 300) or None,
        tags=fields.texts("tags", 20, 50),
        comments=_comments(fields, remarks),
        html=body.render(manuscript.body, manuscript.body_line, remarks),
        warnings=remarks.warnings,
    )


def _date(fields: FrontMatter, timezone: ZoneInfo, remarks: Remarks) -> datetime:
    text = fields.required("date", 40)
    try:
        date = datetime.fromisoformat(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone)
        if not 1000 <= date.year < 9999:  # so that every zone can show it, in four digits
            raise ValueError(date.year)
    except ValueError as error:
        raise remarks.error(
            fields.line("date"),
            f"the date {quoted(text)} can't be read; write 2017-11-09, 2017-11-09 18:30 or 2017-11-09T18:30:00+01:00",
        ) from error
    return date.astimezone(UTC).replace(microsecond=0)


def _slug(fields: FrontMatter, remarks: Remarks) -> str:
    slug = fields.text("slug", _SLUG_LENGTH)
    if not slug:
        return _slug_of_name(remarks)
    if not _SLUG.fullmatch(slug):
        reason = "is not made of a-z, 0-9 and single hyphens between them"
        raise remarks.error(fields.line("slug"), f"the slug {quoted(slug)} {reason}")
    return slug


def _slug_of_name(remarks: Remarks) -> str:
    letters = unicodedata.normalize("NFKD", remarks.path.stem.lower())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:_SLUG_LENGTH].rstrip("-")
    if not slug:
        raise remarks.error(1, "the file's name makes no slug; write one, such as 'slug: my-story'")
    return slug


def _image(fields: FrontMatter, remarks: Remarks) -> Picture | str | None:
    value = fields.text("image", 1000)
    return find_picture(value, fields.line("image"), remarks) if value else None


def _comments(fields: FrontMatter, remarks: Remarks) -> CommentsMode:
    value = fields.text("comments", 100) or "open"
    for mode in _MODES:
        if value == mode:
            return mode
    raise remarks.error(fields.line("comments"), f"comments can't be {quoted(value)}, only one of {', '.join(_MODES)}")
