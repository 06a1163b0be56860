"""Where a sweep comes from: commit, versions, host, command. Never the environment's variables, never a secret."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from caviar.spec.secrets import redact
from caviar.store.owner import user_name

_PACKAGES = (
    "caviar-sweep",
    "ray",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "duckdb",
    "scikit-learn",
    "torch",
    "jax",
    "tensorflow",
    "xgboost",
    "lightgbm",
)


def provenance(source: Path | None, command: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what is worth knowing of a sweep's origin, as JSON values.

    Args:
        source: The experiment's file, whose git repository is asked; None: it has none.
        command: The command line; None: this process's own.
    """
    commit, dirty = _git(source.parent) if source is not None else (None, None)
    return {
        "host": socket.gethostname(),
        "user": user_name(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": _versions(),
        "command": redact(sys.argv if command is None else command),
        "source": None if source is None else str(source),
        "git_commit": commit,
        "git_dirty": dirty,
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git(folder: Path) -> tuple[str | None, bool | None]:
    """Commit and whether tracked files differ from it; (None, None): no repository, or no git."""
    commit = _run_git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    changes = _run_git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _run_git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
