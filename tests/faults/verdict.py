"""The verdict: what was accepted against what stands, and what every reader shows against both."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.crowd import Crowd, window
from tests.faults.reader import Reader
from tests.faults.setting import Setting

SHOWN = 3  # pieces of evidence of one kind


@dataclass(slots=True)
class Row:
    """What came of a fault. `complaints` says what was wrong; nothing: all was well."""

    fault: str
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    seconds: float = 0.0
    growth: float = 0.0
    skipped: str = ""
    complaints: list[str] = field(default_factory=list)


class Standing(NamedTuple):
    """A comment as it stands in the end."""

    no: int
    version: int
    text: str


async def judge(setting: Setting, here: Crowd, row: Row) -> None:
    """Fill the row with what was lost, doubled and out of order, and the complaints with evidence."""
    stored = await _stored(setting, here.slug)
    served = await _served(setting, here.slug)
    told = here.acts.accepted
    row.accepted = len(told)
    for place, standing in (("Postgres", stored), ("the windows", served)):
        by_no = {comment.no: comment for comment in standing}
        missing = [each for each in told.values() if by_no.get(each.no) != Standing(each.no, each.version, each.text)]
        again = len(standing) - len({comment.text for comment in standing})
        row.lost = max(row.lost, len(missing))
        row.doubled = max(row.doubled, again)
        for each in missing[:SHOWN]:
            row.complaints.append(f"{each.no} at {each.version} was accepted, {place} have {by_no.get(each.no)}"[:300])
        if again:
            row.complaints.append(f"{again} comments stand twice in {place}")
    if [comment.version for comment in sorted(stored, key=lambda each: each.version)] != list(
        range(1, len(stored) + 1)
    ):
        row.disordered += 1
        row.complaints.append("the versions in Postgres have a hole, or one of them twice")
    if stored != served:
        row.disordered += 1
        row.complaints.append(f"Postgres has {len(stored)} comments, the windows {len(served)}, or others")
    row.complaints += here.acts.wrong[:SHOWN]
    _judge_readers(here, {comment.no: comment.version for comment in stored}, row)


def _judge_readers(here: Crowd, stored: dict[int, int], row: Row) -> None:
    for reader in here.readers:
        row.doubled += reader.complaints.doubled
        row.disordered += reader.complaints.disordered
    evidence = [each for reader in here.readers for each in reader.complaints.evidence]
    row.complaints += [f"a reader: {each}" for each in evidence[:SHOWN]]
    other = [reader for reader in here.readers if not _shows(reader, stored)]
    row.lost = max([row.lost, *(_missed(reader, stored) for reader in other)])
    if other:
        row.disordered += len(other)
        row.complaints.append(f"{len(other)} readers show something else than what stands")


def _shows(reader: Reader, stored: dict[int, int]) -> bool:
    """Whether a reader shows all comments that it claims to, at the versions they have."""
    return reader.shown == {no: version for no, version in stored.items() if no >= reader.begin}


def _missed(reader: Reader, stored: dict[int, int]) -> int:
    """How many comments a reader lacks."""
    return sum(no >= reader.begin and no not in reader.shown for no in stored)


async def _stored(setting: Setting, slug: str) -> list[Standing]:
    """What stands in Postgres, in `no` order."""
    query = """SELECT no, c.version, text FROM comments c JOIN articles a ON a.id = c.thread
               WHERE slug = $1 AND c.version IS NOT NULL ORDER BY no"""
    async with setting.stores.sql() as session:
        return [Standing(*row) for row in await session.fetch(query, slug)]


async def _served(setting: Setting, slug: str) -> list[Standing]:
    """What the windows show, in `no` order."""
    found: list[Standing] = []
    query = "?limit=200"
    while query:
        page = await window(setting.site, slug, query)
        texts = [re.sub("<[^>]*>", "", comment["html"]) for comment in page["comments"]]
        some = [
            Standing(comment["no"], comment["version"], text)
            for comment, text in zip(page["comments"], texts, strict=True)
        ]
        found = some + found
        query = f"?limit=200&before={found[0].no}" if page["earlier"] else ""
    return found
