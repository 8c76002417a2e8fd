"""The command line: `python -m service`, also installed as `afterword`."""

import signal
import sys

if __name__ == "__main__":
    if sys.platform == "win32":
        print("Afterword does not run on Windows itself: use docker compose, or WSL.", file=sys.stderr)
        sys.exit(2)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the imports below: no traceback

from service.commands import main

if __name__ == "__main__":
    sys.exit(main())
