"""How a package gets into the environment that this process runs in: what is to be typed, for whoever lacks one."""

from __future__ import annotations

import os
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "PIL": "pillow",
    "pytorch_lightning": "pytorch-lightning",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "yaml": "pyyaml",
}
"""Modules whose packages are called otherwise."""


def to_install(*packages: str, prefix: Path | None = None) -> str:
    """The command line that puts packages into the environment of this process.

    Args:
        packages: Their names, or other requirements.
        prefix: The environment's folder; None: that of this process.
    """
    prefix = Path(sys.prefix) if prefix is None else prefix
    script = prefix.parent / "caviar"
    if (prefix / "caviar-stamp").is_file() and script.is_file():  # made by the checkout's script
        words = [_typed(script), "add", *packages]
    elif (prefix / "uv-receipt.toml").is_file():
        words = ["uv", "tool", "install", "caviar-sweep", *(word for one in packages for word in ("--with", one))]
    elif (prefix / "pipx_metadata.json").is_file():
        words = ["pipx", "inject", "caviar-sweep", *packages]
    elif prefix == Path(sys.prefix) and find_spec("pip") is None:
        words = ["uv", "pip", "install", "--python", sys.executable, *packages]
    elif os.environ.get("VIRTUAL_ENV") == str(prefix):
        words = ["pip", "install", *packages]
    else:
        words = [str(prefix / "bin" / "python"), "-m", "pip", "install", *packages]
    return shlex.join(words)


def missing(words: str) -> str:
    """What an error about a missing module is to be followed by; empty: it is about something else.

    Args:
        words: What was raised, such as `ModuleNotFoundError: No module named 'torch'`.
    """
    found = re.search(r"No module named '([\w.]+)'", words)
    if found is None:
        return ""
    module = found[1].partition(".")[0]
    if module in {"caviar", "caviar_workers"} or module in sys.stdlib_module_names or _is_there(module):
        return ""  # a part of a package that is there: another version of it, or a misspelt name
    return f"; if that is a package, type: {to_install(PACKAGES.get(module, module))}"


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _typed(script: Path) -> str:
    """The script as a user in this folder types it."""
    try:
        here = script.resolve().relative_to(Path.cwd().resolve())
    except (ValueError, OSError):
        return str(script)
    return f"./{here}" if len(here.parts) == 1 else str(here)
