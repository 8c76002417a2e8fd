"""What tests do at the desk: let moderators in, sign in, act by its forms."""

import asyncio
import io
import re
import sys
from asyncio import subprocess
from http.cookies import SimpleCookie
from typing import NamedTuple

import aiohttp

from tests.site import ROOT, Site

PASSWORD = "a long enough password"


class Answer(NamedTuple):
    """What the desk answered, its redirects not followed."""

    status: int
    where: str
    text: str
    cookies: SimpleCookie
    retry_after: str | None


class Seat:
    """A moderator at the desk, who has no script. `cookie`: what the browser sends."""

    def __init__(self, site: Site, cookie: str) -> None:
        self.site = site
        self.cookie = cookie

    async def get(self, path: str = "/desk") -> Answer:
        """A page."""
        return await ask(self.site, "GET", path, cookie=self.cookie)

    async def post(self, path: str, origin: str | None = None, token: str | None = None, **fields: object) -> Answer:
        """Send a form as it stands on the desk; with another token or origin where these are given."""
        if token is None:
            token = await self.token()
        return await ask(self.site, "POST", path, {"token": token, **fields}, self.cookie, origin)

    async def token(self) -> str:
        """What every form of this session holds."""
        return str(re.findall(r'name="token" value="(\w+)"', (await self.get()).text)[0])

    async def upload(self, path: str, token: str | None = None, **files: list[tuple[str, bytes]]) -> Answer:
        """Send a form with files, by the fields in which they were chosen."""
        form = aiohttp.FormData(
            {"token": await self.token() if token is None else token}, default_to_multipart=True, quote_fields=False
        )
        for field, chosen in files.items():
            for name, data in chosen:
                form.add_field(field, io.BytesIO(data), filename=name)
        headers = {"Cookie": f"__Host-desk={self.cookie}"}
        async with self.site.http.post(path, data=form, headers=headers, allow_redirects=False) as response:
            where = response.headers.get("Location", "")
            return Answer(response.status, where, await response.text(), response.cookies, None)


async def ask(
    site: Site,
    method: str,
    path: str,
    fields: dict[str, object] | None = None,
    cookie: str = "",
    origin: str | None = None,
) -> Answer:
    """One request, without the client's own cookies: to it, a secure one is none for http."""
    headers = ({"Cookie": f"__Host-desk={cookie}"} if cookie else {}) | ({"Origin": origin} if origin else {})
    pairs = [
        (name, str(each))
        for name, value in (fields or {}).items()
        for each in (value if isinstance(value, list) else [value])
    ]
    data = pairs if method == "POST" else None
    async with site.http.request(method, path, data=data, headers=headers, allow_redirects=False) as response:
        text = await response.text()
        where = response.headers.get("Location", "")
        return Answer(response.status, where, text, response.cookies, response.headers.get("Retry-After"))


async def moderators(site: Site, *arguments: str, password: str = PASSWORD) -> tuple[int, str, str]:
    """Run `moderators …`, with a password on its standard input; its status and what it printed."""
    process = await subprocess.create_subprocess_exec(
        sys.executable, "-m", "service", "moderators", *arguments,
        cwd=ROOT, env=site.environ, stdin=-1, stdout=-1, stderr=-1,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(f"{password}\n".encode()), 30)
    return process.returncode or 0, out.decode(), errors.decode()


async def sign_in(site: Site, name: str, password: str = PASSWORD) -> Answer:
    """Send the form at the door."""
    return await ask(site, "POST", "/desk/login", {"name": name, "password": password})


async def seat(site: Site, name: str, role: str = "moderator") -> Seat:
    """A new moderator, signed in."""
    status, _, errors = await moderators(site, "add", name, "--role", role)
    assert status == 0, errors
    answer = await sign_in(site, name)
    assert answer.where == "/desk?welcome", answer.text
    return Seat(site, answer.cookies["__Host-desk"].value)
