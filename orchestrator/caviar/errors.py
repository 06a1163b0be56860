"""Every error that Caviar shows its user, one sentence each, and how such a sentence ends: with what to type.

CaviarError (exit code 1)
├── SpecError       2  the sweep, or the command line, is described wrongly: change it
├── NoResultError   3  the sweep ended without a usable result: look at the failures
├── NotFoundError   4  no such sweep, trial or metric: look at `caviar ls`
├── StoreError      5  the store is locked, full, newer or unreadable: see to the disk
└── ClusterError    6  the cluster cannot be reached: see to the address

SweepInterrupted (a KeyboardInterrupt, exit code 129, 130 or 143) is no error: the sweep was stopped in good order.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended."""


class CaviarError(Exception):
    """Base of all errors with a sentence for the user; `exit_code` is the program's exit status."""

    exit_code = 1


class SpecError(CaviarError, ValueError):
    """A sweep, a search space or a command line breaks a rule; the sentence states the rule and what it got."""

    exit_code = 2


class NoResultError(CaviarError):
    """A sweep ended, and no trial of it has a usable result."""

    exit_code = 3


class NotFoundError(CaviarError, LookupError):
    """A sweep, a trial or a metric that was asked for does not exist."""

    exit_code = 4


class StoreError(CaviarError, OSError):
    """The results store cannot be read or written."""

    exit_code = 5


class ClusterError(CaviarError, ConnectionError):
    """Ray cannot be started or reached."""

    exit_code = 6


class SweepInterrupted(KeyboardInterrupt):
    """The sweep was stopped by Ctrl-C, SIGTERM or SIGHUP; what it had reported is in the store.

    Args:
        sentence: What a user is told.
        exit_code: The program's exit status.
        sweep: Id of the sweep; empty: there is none yet.
    """

    def __init__(self, sentence: str, exit_code: int, sweep: str = "") -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.sweep = sweep


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The end of a sentence about a misspelt word: `"; did you mean 'log'?"` where a known word is close, else all.

    Case and the choice between `-`, `_` and blank do not count as differences. Up to 12 known words are
    listed.
    """
    from difflib import get_close_matches  # noqa: PLC0415 — needed where something went wrong

    words = list(known)
    if isinstance(word, str):
        folded = {_fold(one): one for one in reversed(words)}
        close = get_close_matches(_fold(word), folded, n=1, cutoff=0.6)
        if close:
            return f"; did you mean {folded[close[0]]!r}?"
    shown = ", ".join(repr(one) for one in words[:12])
    return f"; choose from {shown}" + (", …" if len(words) > 12 else "")


def _fold(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


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
    """Return how an error about a missing module goes on, with what to type; empty: it is about something else.

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
