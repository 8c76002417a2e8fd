"""Settings: what an operator may write, and the sentence for what will not do."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from service import settings
from service.errors import StartError
from service.settings import Settings

URL = "postgresql://afterword:hidden@localhost/afterword"
SECRET = "sixteen characters and more"


def test_nothing_set_gives_the_defaults() -> None:
    loaded = settings.load({"PATH": "/bin", "HOME": "/root"})
    assert loaded == Settings()
    assert (loaded.host, loaded.port, loaded.workers, loaded.data_dir) == ("127.0.0.1", 8080, 1, Path("var"))
    assert (loaded.posts_per_minute, loaded.connections_per_address, loaded.challenge) == (6, 50, "surge")
    assert loaded.zone == ZoneInfo("UTC")


def test_every_setting_is_read_from_its_variable() -> None:
    loaded = settings.load(
        {
            "AFTERWORD_HOST": "192.0.2.1",
            "AFTERWORD_PORT": "0",
            "AFTERWORD_WORKERS": "4",
            "AFTERWORD_DATA_DIR": "/srv/paper",
            "AFTERWORD_DATABASE_URL": URL,
            "AFTERWORD_REDIS_URL": "rediss://cache:6379/1",
            "AFTERWORD_SITE_URL": "https://paper.example/",
            "AFTERWORD_SITE_NAME": "The Maren Courier",
            "AFTERWORD_TIMEZONE": "Europe/Berlin",
            "AFTERWORD_LANGUAGE": "de",
            "AFTERWORD_SECRET": SECRET,
            "AFTERWORD_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32,,192.0.2.1",
            "AFTERWORD_ALLOWED_ORIGINS": "https://a.example, http://[::1]:8080",
            "AFTERWORD_FRAME_ANCESTORS": "https://frame.example",
            "AFTERWORD_POSTS_PER_MINUTE": "0",
            "AFTERWORD_THREAD_POSTS_PER_MINUTE": "0",
            "AFTERWORD_SITE_POSTS_PER_MINUTE": "9000",
            "AFTERWORD_CONNECTIONS_PER_ADDRESS": "0",
            "AFTERWORD_CONNECTIONS_PER_WORKER": "2000",
            "AFTERWORD_ADDRESS_RETENTION_DAYS": "3",
            "AFTERWORD_REMOVED_RETENTION_DAYS": "0",
            "AFTERWORD_BACKUP_RETENTION_DAYS": "90",
            "AFTERWORD_REPORTS_TO_HOLD": "5",
            "AFTERWORD_OWNER_URL": URL,
            "AFTERWORD_POSTER_TAGS": "on",
            "AFTERWORD_CLOSE_AFTER_DAYS": "14",
            "AFTERWORD_CHALLENGE": "off",
            "AFTERWORD_SURGE_POSTS_PER_MINUTE": "300",
            "AFTERWORD_LOG_LEVEL": "debug",
        }
    )
    assert loaded == Settings(
        host="192.0.2.1",
        port=0,
        workers=4,
        data_dir=Path("/srv/paper"),
        database_url=URL,
        redis_url="rediss://cache:6379/1",
        site_url="https://paper.example/",
        site_name="The Maren Courier",
        timezone="Europe/Berlin",
        language="de",
        secret=SECRET,
        trusted_proxies=("10.0.0.0/8", "2001:db8::/32", "192.0.2.1"),
        allowed_origins=("https://a.example", "http://[::1]:8080"),
        frame_ancestors=("https://frame.example",),
        posts_per_minute=0,
        thread_posts_per_minute=0,
        site_posts_per_minute=9000,
        connections_per_address=0,
        connections_per_worker=2000,
        address_retention_days=3,
        removed_retention_days=0,
        backup_retention_days=90,
        reports_to_hold=5,
        owner_url=URL,
        poster_tags="on",
        close_after_days=14,
        challenge="off",
        surge_posts_per_minute=300,
        log_level="debug",
    )
    assert [str(network) for network in loaded.proxies] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]
    assert len(msgspec.structs.fields(Settings)) == 29, "this test sets every setting"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HOST_FILE", "/nowhere/at/all", "can't be read"),
        ("PORT", "eighty", "`int`"),
        ("PORT", "8_080", "`int`"),
        ("PORT", "-1", ">= 0"),
        ("PORT", "65536", "<= 65535"),
        ("PORT", "99999999999999999999999", "<= 65535"),
        ("WORKERS", "0", ">= 1"),
        ("WORKERS", "1000", "<= 256"),
        ("SITE_NAME", "x" * 81, "<= 80"),
        ("DATABASE_URL", "mysql://localhost/x", "postgresql://"),
        ("DATABASE_URL", "null", "postgresql://"),
        ("REDIS_URL", "http://localhost", "redis://"),
        ("REDIS_URL", "redis://localhost:port", "port"),
        ("DATABASE_URL", "postgresql://me:pass/word@localhost/x", "%2F"),
        ("REDIS_URL", "redis+cluster://localhost", "not supported yet"),
        ("SITE_URL", "paper.example", "https://example.org"),
        ("SITE_URL", "ftp://paper.example", "https://example.org"),
        ("SITE_URL", "https://paper.example/path", "without a path"),
        ("SITE_URL", "https://paper.example?x", "without a path"),
        ("SITE_URL", "https://me@paper.example", "https://example.org"),
        ("SITE_URL", "https://", "https://example.org"),
        ("SITE_URL", "https://pa per.example", "https://example.org"),
        ("SITE_URL", "https://bücher.example", "https://example.org"),
        ("SITE_URL", "https://paper.example:port", "Port"),
        ("SITE_URL", "https://paper.example:65536", "Port"),
        ("ALLOWED_ORIGINS", "https://a.example,nonsense", "https://example.org"),
        ("ALLOWED_ORIGINS", "https://*.a.example", "https://example.org"),
        ("FRAME_ANCESTORS", "https://a.example/page", "https://example.org"),
        ("TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("TIMEZONE", "Europe", "Europe/Berlin"),
        ("TIMEZONE", "../../etc/passwd", "Europe/Berlin"),
        ("LANGUAGE", "fr", "the languages are de and en"),
        ("LANGUAGE", "../languages/de", "the languages are de and en"),
        ("SECRET", "short", "16 characters"),
        ("SECRET", "null", "16 characters"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", "proxy", "10.0.0.0/8"),
        ("POSTS_PER_MINUTE", "-1", ">= 0"),
        ("THREAD_POSTS_PER_MINUTE", "-1", ">= 0"),
        ("SITE_POSTS_PER_MINUTE", "many", "`int"),
        ("POSTS_PER_MINUTE", "many", "`int`"),
        ("CONNECTIONS_PER_ADDRESS", "1000001", "<= 1000000"),
        ("CONNECTIONS_PER_WORKER", "-1", ">= 0"),
        ("CHALLENGE", "sometimes", "sometimes"),
        ("SURGE_POSTS_PER_MINUTE", "-1", ">= 0"),
        ("LOG_LEVEL", "loud", "loud"),
        ("COLOUR", "red", "no such setting"),
        ("", "red", "no such setting"),
        ("PORT_FILE_FILE", "/dev/null", "no such setting"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_is_right(name: str, value: str, right: str) -> None:
    with pytest.raises(StartError) as refused:
        settings.load({f"AFTERWORD_{name}": value})
    assert str(refused.value).startswith(f"AFTERWORD_{name}: ")
    assert right in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET", "hush-hush"), ("DATABASE_URL", "x://u:hush-hush@h"), ("REDIS_URL", "x://:hush-hush@h")],
)
def test_what_is_private_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(StartError) as refused:
        settings.load({f"AFTERWORD_{name}": value})
    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_counts_as_unset(empty: str) -> None:
    fields = msgspec.structs.fields(Settings)
    environ = {settings.variable(field.name): empty for field in fields}
    assert settings.load(environ) == Settings()
    assert settings.load({f"{name}_FILE": empty for name in environ}) == Settings()


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"  {SECRET}\n")
    assert settings.load({"AFTERWORD_SECRET_FILE": str(secret)}).secret == SECRET


def test_a_file_must_be_readable_text(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(StartError, match=r"AFTERWORD_SITE_NAME_FILE: .*latin can't be read: it is not UTF-8 text"):
        settings.load({"AFTERWORD_SITE_NAME_FILE": str(tmp_path / "latin")})
    with pytest.raises(StartError, match=r"AFTERWORD_SITE_NAME_FILE: .* can't be read: Is a directory"):
        settings.load({"AFTERWORD_SITE_NAME_FILE": str(tmp_path)})


def test_a_bad_value_in_a_file_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("eighty")
    with pytest.raises(StartError, match=r"^AFTERWORD_PORT: 'eighty' will not do"):
        settings.load({"AFTERWORD_PORT_FILE": str(tmp_path / "port")})


def test_a_setting_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    for environ in (
        {"AFTERWORD_PORT": "1", "AFTERWORD_PORT_FILE": str(tmp_path / "port")},
        {"AFTERWORD_PORT_FILE": str(tmp_path / "port"), "AFTERWORD_PORT": "1"},
    ):
        with pytest.raises(StartError, match=r"^AFTERWORD_PORT: .*not both"):
            settings.load(environ)
    assert settings.load({"AFTERWORD_PORT": "", "AFTERWORD_PORT_FILE": str(tmp_path / "port")}).port == 1


def test_an_owner_of_the_tables_needs_somebody_who_serves() -> None:
    with pytest.raises(StartError, match=r"^AFTERWORD_OWNER_URL: it needs AFTERWORD_DATABASE_URL beside it"):
        settings.load({"AFTERWORD_OWNER_URL": URL})


def test_an_own_database_needs_an_own_secret() -> None:
    with pytest.raises(StartError, match=r"^AFTERWORD_SECRET: required where AFTERWORD_DATABASE_URL is set"):
        settings.load({"AFTERWORD_DATABASE_URL": URL})
    assert settings.load({"AFTERWORD_DATABASE_URL": URL, "AFTERWORD_SECRET": SECRET}).database_url == URL


def test_the_table_names_every_setting_with_its_meaning_and_default() -> None:
    rows = {name: (meaning, default) for name, meaning, default in settings.table()}
    assert set(rows) == {settings.variable(field.name) for field in msgspec.structs.fields(Settings)}
    assert all(meaning for meaning, _ in rows.values())
    assert rows["AFTERWORD_PORT"][1] == "8080"
    assert rows["AFTERWORD_SECRET"][1] == rows["AFTERWORD_TRUSTED_PROXIES"][1] == ""
    assert rows["AFTERWORD_DATA_DIR"][1] == "var"


@pytest.mark.parametrize(
    ("given", "calm"),
    [
        ({}, 120),
        ({"POSTS_PER_MINUTE": "60"}, 1200),
        ({"SURGE_POSTS_PER_MINUTE": "300"}, 300),
        ({"SURGE_POSTS_PER_MINUTE": "0"}, 0),
        ({"POSTS_PER_MINUTE": "0"}, 0),
        ({"POSTS_PER_MINUTE": "0", "SURGE_POSTS_PER_MINUTE": "300"}, 0),
    ],
)
def test_how_much_a_thread_takes_calmly_follows_the_limit_on_an_address(given: dict[str, str], calm: int) -> None:
    assert settings.load({f"AFTERWORD_{name}": value for name, value in given.items()}).calm == calm
