"""A moderator at the desk, with a browser that has no script."""

import contextlib
import http.client
import re
import secrets
from urllib.parse import urlencode

from bench.process import Broken
from bench.servers import Afterword


class Desk:
    """A new moderator of a site, who is signed in. Every request comes on a connection of its own."""

    def __init__(self, server: Afterword) -> None:
        self._port = server.port
        name, password = "Moderator", secrets.token_hex(16)
        server.command("moderators", "add", name, said=f"{password}\n".encode())
        answer, _ = self._ask("POST", "/desk/login", 303, {}, {"name": name, "password": password})
        self._cookie = {"Cookie": (answer.getheader("Set-Cookie") or "").split(";")[0]}
        found = re.search(rb'name="token" value="(\w+)"', self.get())
        if not found:
            raise Broken("the desk has no forms")
        self._token = found[1].decode()

    def get(self) -> bytes:
        """What waits. Raises `Broken` where the desk does not answer with 200."""
        return self._ask("GET", "/desk", 200, self._cookie)[1]

    def post(self, path: str, one: str) -> None:
        """Press a button of a form. Raises `Broken` where nothing comes of it."""
        self._ask("POST", path, 303, self._cookie, {"token": self._token, "one": one})

    def _ask(
        self, method: str, path: str, status: int, headers: dict[str, str], fields: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, urlencode(fields) if fields else None, headers | (kind if fields else {}))
            answer = connection.getresponse()
            if answer.status != status:
                raise Broken(f"{method} {path}: {answer.status}")
            return answer, answer.read()
