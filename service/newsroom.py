"""The newsroom's own voice: what whoever is signed in writes below an article, in the name of all of them."""

from service import text
from service.errors import OpReused
from service.ingest import Ingest
from service.keyring import Keyring
from service.protocol import Op, ThreadId
from service.store.comments import Draft, Standing
from service.store.moderation import Moderation


class Newsroom:
    """Answers by the newsroom. `name`: as readers know it, whoever of it writes."""

    def __init__(self, name: str, keyring: Keyring, moderation: Moderation, ingest: Ingest) -> None:
        self.name = name
        self._keyring = keyring
        self._moderation = moderation
        self._ingest = ingest

    async def answer(self, thread: ThreadId, op: Op, raw: str, moderator: str) -> Standing:
        """Publish it, once for this op: past every guard, and as durable and as live as any comment.

        Who wrote it is kept for the desk before it stands. Raises `Empty`, `TooLong`, `OpReused`, `ThreadClosed`,
        `NotFound`, `Unavailable`.
        """
        cleaned = text.clean(raw)
        tag, text_tag = self._keyring.op_tag(self._keyring.author_key(thread, op)), self._keyring.text_tag(cleaned)
        await self._moderation.sign(thread, tag, moderator)
        standing = await self._ingest.submit(Draft(thread, tag, cleaned, text_tag, by=self.name))
        if standing.text_tag != text_tag:
            raise OpReused
        return standing
