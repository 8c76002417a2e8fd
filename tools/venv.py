"""Make a virtual environment, or say in one sentence why there can be none (exit status 2).

    python3 tools/venv.py FOLDER

Whatever Python is there runs this file, so it is written in the Python of long ago: older ones should read why they
are too old, not a SyntaxError. Where `python3` is too old and a later one stands beside it, that one is taken.
"""

import os
import subprocess
import sys

LEAST = (3, 11)
LATER = ["python3.%d" % minor for minor in range(20, LEAST[1] - 1, -1)]


def main(folder):
    """Make the environment; one that works is kept."""
    if sys.platform == "win32":
        refuse("Afterword does not run on Windows itself: use docker compose, or WSL.")
    if sys.version_info < LEAST:
        hand_over()
        refuse(
            "Afterword needs Python %d.%d or later, and %s is Python %s: install a later one, "
            "or name it: make run PYTHON=/path/to/python3."
            % (LEAST[0], LEAST[1], sys.executable, sys.version.split()[0])
        )
    if works(os.path.join(folder, "bin", "python")):
        return
    try:
        import ensurepip  # noqa: F401 - the part of venv that Debian leaves out
    except ImportError:
        refuse(
            "The Python at %s can't make virtual environments: install what is missing (on Debian and Ubuntu: "
            "apt-get install python3-venv), then start again." % sys.executable
        )
    made = subprocess.Popen(
        [sys.executable, "-m", "venv", "--clear", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    said = made.communicate()[0]
    if made.returncode:
        lines = said.strip().splitlines() or ["it said nothing"]
        refuse("A virtual environment could not be made in %s (%s): mend that, then start again." % (folder, lines[-1]))


def works(python):
    """Whether this is a Python that is young enough and has pip."""
    test = "import sys, pip; sys.exit(sys.version_info < %r)" % (LEAST,)
    return runs(python, "-c", test)


def hand_over():
    """Do it again with a later Python, where there is one. Returns where there is none."""
    for name in LATER:
        if runs(name, "-c", "import ensurepip, venv"):
            sys.exit(subprocess.call([name] + sys.argv))


def runs(*command):
    """Whether a program is there and ends well."""
    with open(os.devnull, "w") as nothing:
        try:
            return subprocess.call(command, stdout=nothing, stderr=nothing) == 0
        except OSError:
            return False


def refuse(sentence):
    """End here."""
    sys.stderr.write(sentence + "\n")
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1])
