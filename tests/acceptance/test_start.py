"""Starting, stopping, killing and starting again, as an operator and a power cut do it."""

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.conftest import SECRET
from tests.site import ROOT, Site, command, eventually, op, serving, telling

COMMENTS = "/articles/story/comments"
STORY = "---\ntitle: A story\nslug: story\ndate: 2026-01-01T12:00:00Z\n---\nOne paragraph.\n"
KILLED = 10.0  # seconds after which the supervisor kills a worker that did not leave: no stop may take so long


@pytest.fixture
def data() -> Iterator[Path]:
    """A data dir for bundled stores; pytest's own folders are root's alone, and the stores' account is another."""
    folder = Path(tempfile.mkdtemp(prefix="start-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def clean() -> dict[str, str]:
    """The environment without any setting, and with a port from the kernel."""
    return {name: text for name, text in os.environ.items() if not name.startswith("AFTERWORD_")} | {
        "AFTERWORD_PORT": "0"
    }


@pytest_asyncio.fixture
async def outside(clean: dict[str, str], database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of a service whose stores run elsewhere."""
    return clean | {
        "AFTERWORD_DATABASE_URL": database_url,
        "AFTERWORD_REDIS_URL": redis_url,
        "AFTERWORD_SECRET": SECRET,
    }


@contextlib.asynccontextmanager
async def bundled(data: Path, **settings: str) -> AsyncIterator[Site]:
    """A site on its bundled stores, with the thread `story`."""
    given = {"DATA_DIR": str(data), "POSTS_PER_MINUTE": "0", "WORKERS": "4"} | settings
    async with serving(data.with_name("log"), **given) as site:
        story = data.with_name("story.md")
        story.write_text(STORY)
        status, _, errors = await command(site.environ, "articles", "load", str(story))
        assert status == 0, errors
        yield site


async def post(site: Site, text: str) -> int:
    """Post until it is accepted, with one op; the comment's number."""
    mine = op()

    async def accepted() -> int | None:
        with contextlib.suppress(OSError):  # aiohttp's are
            async with site.http.post(COMMENTS, json={"op": mine, "text": text}) as response:
                if response.status in {200, 201}:
                    return int((await response.json())["no"])
        return None

    return int(await eventually(accepted))


async def texts(site: Site) -> list[str]:
    """What the thread says."""
    async with site.http.get(COMMENTS) as response:
        return [re.sub("<[^>]*>", "", comment["html"]) for comment in (await response.json())["comments"]]


def left(data: Path) -> list[str]:
    """The processes that belong to a data dir: by their command lines, or by their environment."""
    found = []
    for folder in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes()
            if any(str(data).encode() in text for text in (line, (folder / "environ").read_bytes())):
                found.append(line.replace(b"\0", b" ").decode()[:90])
    return found


def server(data: Path, mark: str) -> int | None:
    """The process of a bundled store's server, by a mark in its command line."""
    for folder in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if mark in line and str(data) in line:
                return int(folder.name)
    return None


def runs_anew(data: Path, mark: str, old: int) -> bool:
    """Whether that server was started again."""
    return server(data, mark) not in {None, old}


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def end(site: Site, number: signal.Signals) -> None:
    """Signal the supervisor, and see that it ends well and in time."""
    site.process.send_signal(number)
    assert await asyncio.wait_for(site.process.wait(), KILLED) == 0


async def test_a_second_start_finds_what_the_first_one_accepted(data: Path) -> None:
    log = data.with_name("log")
    async with bundled(data) as site:
        port = urlsplit(site.url).port or 0
        number = await post(site, "Said before the end.")
        await end(site, signal.SIGINT)
        assert left(data) == []
        assert is_free(port)
    async with bundled(data, PORT=str(port)) as site:
        assert await texts(site) == ["Said before the end."]
        assert await post(site, "Said after it.") > number
        await end(site, signal.SIGTERM)
        assert left(data) == []
        assert is_free(port)
    assert log.read_text() == ""


async def test_what_is_killed_is_started_again_and_nothing_accepted_is_lost(data: Path) -> None:
    async with bundled(data) as site:
        said = ["Before."]
        await post(site, said[0])
        first = set(await site.workers())
        assert len(first) == 4
        os.kill(min(first), signal.SIGKILL)

        async def replaced() -> bool:
            now = set(await site.workers())
            return len(now) == 4 and min(first) not in now

        await eventually(replaced)
        for mark in ("/postgres -D ", "/valkey-server "):
            old = server(data, mark)
            assert old
            os.kill(old, signal.SIGKILL)
            await eventually(functools.partial(runs_anew, data, mark, old))
            said.append(f"After the end of {old}.")
            await post(site, said[-1])
        assert await texts(site) == said
        port = urlsplit(site.url).port or 0
        site.process.kill()
        await eventually(lambda: is_free(port))
        await eventually(lambda: not [line for line in left(data) if " service work " in line])
    async with bundled(data, PORT=str(port)) as site:
        assert await texts(site) == said
        await post(site, "After the end of the supervisor.")
        await end(site, signal.SIGTERM)
        assert left(data) == []
    said_on_the_way = data.with_name("log").read_text()
    assert "Traceback" not in said_on_the_way, said_on_the_way


async def test_a_busy_port_and_a_data_dir_in_use_are_told(data: Path, clean: dict[str, str]) -> None:
    async with bundled(data) as site:
        port = urlsplit(site.url).port
        busy = site.environ | {"AFTERWORD_PORT": str(port), "AFTERWORD_DATA_DIR": f"{data}-2"}
        status, printed, said = await command(busy)
        assert (status, printed) == (2, "")
        assert said == f"Port {port} on 127.0.0.1 is busy: stop what uses it, or set AFTERWORD_PORT to a free one.\n"
        status, printed, said = await command(site.environ)
        assert (status, printed) == (2, "")
        assert said == f"Another Afterword is using {data}: stop it, or set AFTERWORD_DATA_DIR to another folder.\n"
        assert await texts(site) == []


@pytest.mark.parametrize("again", [False, True])
async def test_ctrl_c_during_the_first_start_leaves_nothing(data: Path, clean: dict[str, str], again: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service"),
        cwd=ROOT,
        env=clean | {"AFTERWORD_DATA_DIR": str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert "Preparing the database" in (await process.stdout.readline()).decode()
    process.send_signal(signal.SIGINT)
    if again:
        process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), KILLED)
    assert (process.returncode, errors.decode()) == (0, "")
    assert left(data) == []
    async with bundled(data) as site:
        assert await texts(site) == []


async def test_a_service_that_lost_its_parent_ends(outside: dict[str, str]) -> None:
    """`make run`, killed: the service notices, since nobody could stop it any more."""
    parent = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", f"{sys.executable} -m service serve --parent $$; exit 0"),
        cwd=ROOT,
        env=outside,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    ready = (await parent.stdout.readline()).decode()
    port = urlsplit(ready.split(" is ready: ")[1].split()[0]).port or 0
    assert not is_free(port)
    parent.kill()
    await asyncio.wait_for(parent.stdout.read(), KILLED)  # closed by the last who could write to it
    assert is_free(port)
    await parent.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel wakes nobody")
async def test_a_stopped_worker_does_not_hold_the_port_of_a_killed_supervisor(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with telling(tmp_path, database_url, redis_url) as site:
        for worker in await site.workers():
            os.kill(worker, signal.SIGSTOP)
        site.process.kill()
        await eventually(lambda: is_free(urlsplit(site.url).port or 0))


async def test_a_worker_that_cannot_start_ends_the_start(tmp_path: Path, outside: dict[str, str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'work' in sys.orig_argv:\n    os.write(2, b'broken')\n    os._exit(3)\n"
    )
    broken = outside | {"PYTHONPATH": str(tmp_path), "AFTERWORD_WORKERS": "4"}
    status, printed, said = await command(broken)
    assert (status, printed) == (2, "")
    assert "The first worker ended before it served; what it said stands above.\n" in said
    assert "Traceback" not in said


async def test_stopping_at_any_moment_ends_in_time(outside: dict[str, str]) -> None:
    """A worker that was told to leave while it connected to Redis once stayed until it was killed."""
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service"),
            cwd=ROOT,
            env=outside | {"AFTERWORD_WORKERS": "4"},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert b"ready" in await process.stdout.readline()
        process.send_signal(signal.SIGTERM)  # one worker serves, the others are at some point of their start
        assert await asyncio.wait_for(process.wait(), KILLED - 2) == 0


BAD = [
    ({"PORT": "eighty"}, "AFTERWORD_PORT: 'eighty' will not do"),
    ({"PORT": "65536"}, "AFTERWORD_PORT: '65536' will not do"),
    ({"WORKERS": "0"}, "AFTERWORD_WORKERS: '0' will not do"),
    ({"LOG_LEVEL": "loud"}, "AFTERWORD_LOG_LEVEL: 'loud' will not do"),
    ({"TIMEZONE": "Nowhere/Land"}, "AFTERWORD_TIMEZONE: 'Nowhere/Land' will not do"),
    ({"CHALLENGE": "sometimes"}, "AFTERWORD_CHALLENGE: 'sometimes' will not do"),
    ({"TRUSTED_PROXIES": "10.0.0.0/40"}, "AFTERWORD_TRUSTED_PROXIES: '10.0.0.0/40' will not do"),
    ({"SITE_URL": "example.org/paper"}, "AFTERWORD_SITE_URL: 'example.org/paper' will not do"),
    ({"SECRET": "short"}, "AFTERWORD_SECRET: its value will not do"),
    ({"WORKER": "2"}, "AFTERWORD_WORKER: there is no such setting"),
    ({"SECRET_FILE": "/nowhere/secret"}, "AFTERWORD_SECRET_FILE: /nowhere/secret can't be read"),
    ({"DATABASE_URL": "mysql://localhost/x"}, "AFTERWORD_DATABASE_URL: its value will not do"),
    ({"DATABASE_URL": "postgresql://localhost/x"}, "AFTERWORD_SECRET: required where"),
    ({"DATABASE_URL": "postgresql://localhost:port/x", "SECRET": SECRET}, "AFTERWORD_DATABASE_URL"),
    ({"REDIS_URL": "http://localhost"}, "AFTERWORD_REDIS_URL: its value will not do"),
    ({"REDIS_URL": "redis+cluster://localhost:7000"}, "redis+cluster:// is not supported yet"),
    ({"DATABASE_URL": "postgresql://a:1,b:99999/x", "SECRET": SECRET}, "its port is no number up to 65535"),
    ({"REDIS_URL": "redis://localhost:port"}, "AFTERWORD_REDIS_URL: its value will not do"),
    ({"REDIS_URL": "redis://[localhost"}, "AFTERWORD_REDIS_URL: its value will not do"),
    ({"HOST": "no.such.host.invalid"}, "Afterword can't listen on no.such.host.invalid, port 0: "),
]


@pytest.mark.parametrize(("settings", "sentence"), BAD, ids=[" ".join(settings) for settings, _ in BAD])
async def test_a_bad_setting_stops_the_start(
    tmp_path: Path, clean: dict[str, str], settings: dict[str, str], sentence: str
) -> None:
    given = {f"AFTERWORD_{name}": text for name, text in settings.items()}
    await refuses(clean | {"AFTERWORD_DATA_DIR": str(tmp_path / "data")} | given, sentence)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("DATABASE_URL", ("host=", "host=/nowhere"), "Postgres at "),
        ("DATABASE_URL", ("afterword_service:", "afterword_service:not"), "password authentication failed"),
        ("DATABASE_URL", ("/afterword?", "/another?"), 'database "another" does not exist'),
        ("DATABASE_URL", None, "start it, or correct AFTERWORD_DATABASE_URL."),
        ("REDIS_URL", ("unix://:", "unix://:not"), "or correct AFTERWORD_REDIS_URL."),
        ("REDIS_URL", ("valkey.sock", "nothing.sock"), "start it, or correct AFTERWORD_REDIS_URL."),
        ("DATABASE_URL", ("search_path=", "no_such_setting="), "AFTERWORD_DATABASE_URL will not do for "),
        ("DATABASE_URL", ("port=5432", "port=none"), "AFTERWORD_DATABASE_URL will not do for "),
        ("REDIS_URL", ("valkey.sock", "valkey.sock?db=none"), "AFTERWORD_REDIS_URL will not do for "),
        ("REDIS_URL", ("valkey.sock", "valkey.sock?no_such=1"), "AFTERWORD_REDIS_URL will not do for "),
        ("REDIS_URL", None, "start it, or correct AFTERWORD_REDIS_URL."),
    ],
)
async def test_a_store_that_does_not_answer_stops_the_start(
    outside: dict[str, str], name: str, change: tuple[str, str] | None, sentence: str
) -> None:
    url = outside[f"AFTERWORD_{name}"]
    with socket.socket() as nobody:  # bound, but it does not listen: it refuses
        nobody.bind(("127.0.0.1", 0))
        scheme = "postgresql" if name == "DATABASE_URL" else "redis"
        refusing = f"{scheme}://u:secret-word@127.0.0.1:{nobody.getsockname()[1]}"
        said = await refuses(outside | {f"AFTERWORD_{name}": url.replace(*change) if change else refusing}, sentence)
    assert "secret-word" not in said
    assert str(urlsplit(url).password) not in said


async def test_a_data_dir_that_is_none_is_told(tmp_path: Path, clean: dict[str, str]) -> None:
    (tmp_path / "data").write_text("a file in its place")
    for path in (tmp_path / "data", tmp_path / "data" / "below"):
        await refuses(clean | {"AFTERWORD_DATA_DIR": str(path)}, f"The data dir {path} can't be used (")


async def refuses(environ: dict[str, str], sentence: str) -> str:
    """See that the start is refused with one sentence, and return it."""
    status, printed, said = await asyncio.wait_for(command(environ), 30)
    assert (status, printed) == (2, ""), said
    assert sentence in said
    assert said.count("\n") == 1
    assert said.endswith(".\n")
    return said


async def test_articles_are_loaded_and_listed_alone_and_beside_a_service(data: Path, clean: dict[str, str]) -> None:
    alone = clean | {"AFTERWORD_DATA_DIR": str(data)}
    story, bad = data.with_name("story.md"), data.with_name("bad.md")
    story.write_text(STORY)
    bad.write_text("---\ntitle: [\n---\nx\n")
    status, _, errors = await command(alone, "articles", "load", str(story), str(bad))
    assert status == 1
    assert str(bad) in errors
    status, printed, errors = await command(alone, "articles", "list")
    assert status == 0, errors
    assert printed == "2026-01-01 12:00       0  story  A story\n"
    assert left(data) == []
    async with bundled(data) as site:
        story.write_text(STORY.replace("A story", "A story, told again"))
        status, _, errors = await command(site.environ, "articles", "load", str(story))
        assert (status, errors) == (0, "")
        status, printed, errors = await command(site.environ, "articles", "list")
        assert printed == "2026-01-01 12:00       0  story  A story, told again\n"

        async def shown() -> bool:
            async with site.http.get("/articles/story") as response:
                return "A story, told again" in await response.text()

        await eventually(shown)


@pytest.mark.parametrize("words", ["", "serve", "migrate", "articles", "articles load", "articles list"])
async def test_help_reads_well(clean: dict[str, str], words: str) -> None:
    status, printed, errors = await command(clean, *words.split(), "--help")
    assert (status, errors) == (0, "")
    assert printed.startswith(f"usage: python -m service {words}".rstrip())
    assert "--parent" not in printed
    assert "==" not in printed
    assert max(map(len, printed.splitlines())) <= 120


async def test_an_unknown_command_is_refused(clean: dict[str, str]) -> None:
    status, _, errors = await command(clean, "dance")
    assert status == 2
    assert "dance" in errors
    assert "Traceback" not in errors
