"""Write constraints.txt anew: the newest versions that pyproject.toml allows, tried in an environment of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ("hatchling", "editables")
ELSEWHERE = ("async-timeout",)  # needed only by Python before 3.11.3
OURS = {"afterword", "pip", "setuptools"}
HEAD = """\
# The exact versions of everything that Afterword is installed, built and tested with. `make run`, `make test` and the
# Dockerfile use them. `make lock` writes this file anew, with the newest versions that pyproject.toml allows.
"""


def main() -> None:
    """Install everything without constraints, and write down what came."""
    environ = {name: text for name, text in os.environ.items() if "CONSTRAINT" not in name}
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = (python, "-m", "pip", "install", "--quiet", ".[embedded,test]", *BUILD, *ELSEWHERE)
        subprocess.run(install, cwd=ROOT, env=environ, check=True)
        freeze = (python, "-m", "pip", "freeze", "--all")
        lines = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout.splitlines()
    pins = [line for line in lines if "==" in line and line.partition("==")[0] not in OURS]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(f"{pin}\n" for pin in sorted(pins, key=str.lower)))


if __name__ == "__main__":
    main()
