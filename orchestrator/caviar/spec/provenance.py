"""Where a sweep comes from: commit, versions, host, command. Never the environment's variables, never a secret."""

from __future__ import annotations

import json
import os
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


SUBMITTED = "CAVIAR_SUBMITTED"
"""The variable in which a job of a cluster finds who submitted it, from where, and what git says of the code there."""
_MOST = 4096
"""Characters of it that are read."""


def provenance(source: Path | None, command: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what is worth knowing of a sweep's origin, as JSON values.

    Args:
        source: The experiment's file, whose git repository is asked; None: it has none.
        command: The command line; None: this process's own.
    """
    commit, dirty = _git(source.parent) if source is not None else (None, None)
    sent = submitted()
    if sent and commit is None:
        commit, dirty = sent.get("git_commit"), sent.get("git_dirty")
    return {
        "host": socket.gethostname(),
        "user": user_name(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": _versions(),
        "command": redact(sys.argv if command is None else command),
        "source": sent.get("source") if sent else None if source is None else str(source),
        "git_commit": commit,
        "git_dirty": dirty,
    } | ({"submitted": sent} if sent else {})


def submitted() -> dict[str, Any]:
    """What a job was told of its origin; nothing, where it is none or was told something else."""
    try:
        said = json.loads(os.environ.get(SUBMITTED, "")[:_MOST])
    except ValueError:
        return {}
    texts = (
        {name: said.get(name) for name in ("user", "host", "git_commit", "source")} if isinstance(said, dict) else {}
    )
    found: dict[str, Any] = {name: text for name, text in texts.items() if isinstance(text, str)}
    return found | ({"git_dirty": said["git_dirty"]} if found and isinstance(said.get("git_dirty"), bool) else {})


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
