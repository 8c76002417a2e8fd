"""What authors did and what they were told, to be held against what stands in the end."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Accepted(NamedTuple):
    """What an author was told."""

    no: int
    version: int
    text: str


@dataclass(slots=True)
class Act:
    """A comment that is to be posted; `due` is when it is sent next."""

    op: str
    text: str
    due: float = 0.0


@dataclass(slots=True)
class Acts:
    """What all authors did on one thread, by op."""

    pending: dict[str, Act] = field(default_factory=dict)
    accepted: dict[str, Accepted] = field(default_factory=dict)
    unavailable: int = 0
    repeated: int = 0
    wrong: list[str] = field(default_factory=list)

    def accept(self, act: Act, no: int, version: int | None, state: str = "published") -> None:
        """Note an answer; every answer to one op must name the same comment."""
        self.pending.pop(act.op, None)
        if version is None or state != "published":
            self.wrong.append(f"accepted as {state}, version {version}")
            return
        told = Accepted(no, version, act.text)
        first = self.accepted.setdefault(act.op, told)
        if first != told:
            self.wrong.append(f"one op was told {first.no} at {first.version}, then {no} at {version}")

    def refuse(self, act: Act, how: str) -> None:
        """Note a refusal for good, of which there should be none."""
        self.pending.pop(act.op, None)
        self.wrong.append(f"a post was refused: {how}")
