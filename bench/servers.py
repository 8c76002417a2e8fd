"""Who is measured: Afterword, and its peers that do a part of its work. What is not installed is left out."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import tools
from bench.process import Process

HERE = Path(__file__).parent
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
NGINX = """
load_module {module};
worker_processes 1;
pid {folder}/pid;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    error_log {folder}/errors crit;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location = / {{ return 200 "here"; }}
        location = /ws {{ nchan_subscriber websocket; nchan_channel_id all; nchan_subscriber_first_message newest; }}
        location = /pub {{ nchan_publisher; nchan_channel_id all; nchan_message_timeout 5s; }}
    }}
}}
daemon off;
"""


class Server(Process):
    """A peer: readers take /ws, and what is posted to /pub goes to each of them."""

    path = "/ws"
    durable = False


class Afterword(Server):
    """The service as an operator starts it, without limits unless they are set, with open threads below articles."""

    path = "/articles/measured/live"
    durable = True

    def __init__(self, slugs: Sequence[str] = ("measured",), settings: Mapping[str, str] | None = None) -> None:
        def environ(folder: Path, port: int) -> dict[str, str]:
            return _environ(folder, port) | dict(settings or {})

        super().__init__(lambda _folder, _port: [sys.executable, "-m", "service"], environ, "/readyz")
        stories = self.folder / "stories"
        stories.mkdir()
        for slug in slugs:
            (stories / f"{slug}.md").write_text(
                f"---\ntitle: The story {slug}\nauthor: A Reporter\ndate: 2026-01-01T12:00:00Z\nsection: News\n"
                f"summary: Made for measuring.\nslug: {slug}\n---\nOne paragraph.\n"
            )
        self.run([sys.executable, "-m", "service", "articles", "load", str(stories)], _environ(self.folder, self.port))


def peers() -> dict[str, Callable[[], Server]]:
    """The peers that are here, by name."""
    here: dict[str, Callable[[], Server]] = {
        "C": lambda: _peer(lambda _, port: [str(tools.compiled("loop")), str(port)])
    }
    here["aiohttp"] = bare
    if shutil.which("nginx") and NCHAN.exists():
        here["Nchan"] = lambda: _peer(_nginx)
    if bun := os.environ.get("BUN") or shutil.which("bun"):
        here["Bun"] = lambda: _peer(lambda _, port: [bun, str(HERE / "bun.js"), str(port)])
    return here


def bare(page: Path | None = None) -> Server:
    """A server of aiohttp without anything of ours; `page` is what it serves as /page."""
    files = [str(page)] if page else []
    return _peer(lambda _, port: [sys.executable, "-m", "bench.bare", str(port), *files], "/page")


def _peer(command: Callable[[Path, int], Sequence[str]], path: str = "/") -> Server:
    return Server(command, lambda _folder, _port: {}, path)


def _nginx(folder: Path, port: int) -> list[str]:
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(module=NCHAN, folder=folder, port=port))
    return ["nginx", "-c", str(file), "-e", str(folder / "errors")]


def _environ(folder: Path, port: int) -> dict[str, str]:
    return {
        "AFTERWORD_HOST": "127.0.0.1",
        "AFTERWORD_PORT": str(port),
        "AFTERWORD_DATA_DIR": str(folder / "data"),
        "AFTERWORD_WORKERS": "1",
        "AFTERWORD_POSTS_PER_MINUTE": "0",
        "AFTERWORD_CONNECTIONS_PER_ADDRESS": "0",
        "AFTERWORD_CHALLENGE": "off",
    }
