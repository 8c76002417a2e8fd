"""What one connection has brought, held against the contract: whole, in order, once, and pings that are true."""

from dataclasses import dataclass, field

from tests.site import Message

KEPT = 5  # sentences of evidence that a reader keeps


@dataclass(slots=True)
class Complaints:
    """What was wrong with what a reader was sent."""

    doubled: int = 0
    disordered: int = 0
    evidence: list[str] = field(default_factory=list)

    def double(self, times: int, sentence: str) -> None:
        """Note changes that were delivered again."""
        self.doubled += times
        self._keep(sentence)

    def disorder(self, sentence: str) -> None:
        """Note a hole, a wrong order, a wrong ping, or anything else that the contract excludes."""
        self.disordered += 1
        self._keep(sentence)

    def _keep(self, sentence: str) -> None:
        if len(self.evidence) < KEPT:
            self.evidence.append(sentence)


class Hearing:
    """One connection, from its `joined`. Only comments are published here, so that every version names one comment.

    `asked` is the epoch and version that the connection was opened with; `at` is the version last written to it.
    """

    def __init__(self, epoch: str, asked: int, complaints: Complaints) -> None:
        self.epoch = epoch
        self.at = asked
        self.joined = False
        self._complaints = complaints

    def judge(self, message: Message) -> None:
        """Compare a message with everything before it."""
        kind = message["type"]
        if kind == "joined":
            self._judge_joined(message)
        elif not self.joined:
            self._complaints.disorder(f"{kind} came before joined")
        elif kind == "changes":
            self._judge_changes(message)
        elif kind == "ping" and (message["epoch"], message["version"]) != (self.epoch, self.at):
            sent = f"{self.epoch} {self.at}"
            self._complaints.disorder(f"a ping named {message['epoch']} {message['version']}, sent was {sent}")

    def _judge_joined(self, message: Message) -> None:
        mode, version = message["mode"], message["version"]
        versions = [comment["version"] for comment in message["comments"]]
        wanted = range(self.at + 1, version + 1) if mode == "catchup" else range(0)
        if versions != list(wanted):
            self._complaints.disorder(f"joined {mode} from {self.at} to {version} brought {_span(versions)}")
        if mode != "reset" and message["epoch"] != self.epoch:
            self._complaints.disorder(f"joined {mode} in {message['epoch']}, asked was {self.epoch}")
        if mode == "live" and version != self.at:
            self._complaints.disorder(f"joined live at {version}, asked was {self.at}")
        self.epoch, self.at, self.joined = message["epoch"], version, True

    def _judge_changes(self, message: Message) -> None:
        begin, end = message["from"], message["to"]
        versions = [comment["version"] for comment in message["comments"]]
        if versions != list(range(begin + 1, end + 1)):
            self._complaints.disorder(f"changes from {begin} to {end} brought {_span(versions)}")
        if begin > self.at:
            self._complaints.disorder(f"a hole: changes from {begin} to {end} after {self.at}")
        again = [version for version in versions if version <= self.at]
        if again:
            self._complaints.double(len(again), f"again: changes from {begin} to {end} after {self.at}")
        self.at = max(self.at, end)


def _span(versions: list[int]) -> str:
    """A list of versions for people."""
    return f"{len(versions)} versions ({versions[0]} … {versions[-1]})" if versions else "no versions"
