"""What stands between a page's sockets and the server, and keeps back what a test wants to see waiting."""

import json

from playwright.async_api import Page, WebSocketRoute


class Valve:
    """The sockets of one page: messages from the server of the types that are `shut` wait until let through."""

    def __init__(self, *shut: str) -> None:
        self._shut = set(shut)
        self._waiting: list[tuple[str, WebSocketRoute, str | bytes]] = []

    async def fit(self, page: Page) -> None:
        """Stand between from now on; before the page is opened."""
        await page.route_web_socket(lambda url: "/live?" in url, self._pass)

    @property
    def waiting(self) -> list[str]:
        """The types of what waits, in order."""
        return [kind for kind, _, _ in self._waiting]

    def open(self, *kinds: str) -> None:
        """Let through what waits, and what comes: of these types."""
        self._shut.difference_update(kinds)
        waiting, self._waiting = self._waiting, []
        for kind, page, message in waiting:
            self._tell(kind, page, message)

    def _pass(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda message: self._tell(json.loads(message)["type"], page, message))

    def _tell(self, kind: str, page: WebSocketRoute, message: str | bytes) -> None:
        if kind in self._shut:
            self._waiting.append((kind, page, message))
        else:
            page.send(message)
