"""Environments of their own for what we are compared with, made when they are not there."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HOME = Path("~/.cache/caviar-bench").expanduser()
"""The folder in which they are made, unless another one is named."""


def peer_python(env: Path, packages: Sequence[str]) -> Path:
    """The Python of a virtual environment that has these packages.

    Args:
        env: Its folder.
        packages: As pip spells them; they are installed when the environment is made, and not looked at again.
    """
    python = env / "bin" / "python"
    done = env / "caviar-bench-packages.txt"
    if not done.exists() or done.read_text("utf-8").split() != list(packages):
        subprocess.run([sys.executable, "-m", "venv", env], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        done.write_text("\n".join(packages), "utf-8")
    return python
