"""A wall clock of the site's own, which can be set without touching that of the machine."""

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
OFFSET = struct.Struct("=q")


class Clock:
    """What every process started while the clock was `worn` takes for the time of day."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, ahead: int) -> None:
        """Be that many seconds ahead of the machine; negative: behind it."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:  # in place: it is mapped
            file.write(OFFSET.pack(ahead))


@contextlib.contextmanager
def worn() -> Iterator[Clock | None]:
    """Let processes started inside have a clock of ours; None where no C compiler can make it."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="clock-"))
    folder.chmod(0o755)
    library = folder / "clock.so"
    build = (compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl")
    if subprocess.run(build, check=False, capture_output=True).returncode:
        shutil.rmtree(folder)
        yield None
        return
    clock = Clock(folder / "offset")
    before = os.environ.get("LD_PRELOAD")
    os.environ |= {"LD_PRELOAD": f"{library} {before or ''}".strip(), "FAULTS_CLOCK": str(folder / "offset")}
    try:
        yield clock
    finally:
        del os.environ["LD_PRELOAD"], os.environ["FAULTS_CLOCK"]
        if before is not None:
            os.environ["LD_PRELOAD"] = before
        shutil.rmtree(folder)
