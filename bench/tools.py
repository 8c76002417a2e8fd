"""The programs in C, and others that the load is made with."""

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.process import Broken


@functools.cache
def compiled(name: str) -> Path:
    """The program made of NAME.c. Raises `Broken` without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Broken("The benchmark needs a C compiler: install gcc.")
    program = Path(_folder().name) / name
    subprocess.run([compiler, "-O2", "-o", str(program), str(Path(__file__).with_name(f"{name}.c"))], check=True)
    return program


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where they lie, until the benchmark ends."""
    return tempfile.TemporaryDirectory(prefix="afterword-bench-")


def found(name: str) -> str:
    """An installed program. Raises `Broken` where it is not."""
    if path := shutil.which(name):
        return path
    raise Broken(f"This row needs {name}: install it.")
