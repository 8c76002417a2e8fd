"""Print the Chromium that the browser tests use, or say in one sentence what to install (exit status 2)."""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
# What a Chromium is started with that is root's, has no screen, and shall ask nobody for anything by itself.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def find() -> str | None:
    """Return the path of a Chromium: the one that $CHROMIUM names, else the first that is known here."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or next((str(path) for path in MACOS if path.exists()), None)


def main() -> int:
    """Return the exit status."""
    if browser := find():
        print(browser)
        return 0
    missing = f"There is no program {named}, which CHROMIUM names" if (named := os.environ.get("CHROMIUM")) else ""
    print(
        f"{missing or 'The browser tests need a Chromium'}: install one (on Debian: apt-get install chromium; "
        "on Ubuntu and macOS: Google Chrome), or name one by CHROMIUM=/path/to/it.",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
