"""A word to a program or a web address."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from caviar.errors import SpecError

LIMIT_S = 10.0
"""Seconds that a notification may take."""


def whom(wish: str) -> str:
    """Whom a wish names: a command line, or an address.

    Args:
        wish: Either, or `env:NAME`, which is what that variable holds.

    Raises:
        SpecError: It is neither, or there is no such variable.
    """
    if wish.startswith("env:"):
        if not os.environ.get(wish[4:]):
            raise SpecError(f"--notify is {wish}, but there is no environment variable {wish[4:]} here: type export …")
        wish = os.environ[wish[4:]]
    if "://" in wish and not wish.startswith(("http://", "https://")):
        raise SpecError("--notify takes an address that begins with https:// or http://, or a command")
    try:
        if not _is_address(wish) and not shlex.split(wish):
            raise SpecError("--notify names a command, or an address, but got an empty text")
    except ValueError as error:
        raise SpecError(f"--notify is split into words as a shell does, but {error}") from error
    return wish


def _is_address(wish: str) -> bool:
    return wish.startswith(("http://", "https://"))


def notify(whom: str, message: Mapping[str, Any]) -> str:
    """Tell somebody.

    Args:
        whom: As of `whom`.
        message: A command gets its `text` as its last word, and all of it as JSON on standard input; an address, all.

    Returns:
        Why nobody was told, without the words of the command or the address, which are secrets; empty: somebody was.
    """
    try:
        _send(whom, message)
    except (OSError, ValueError, subprocess.SubprocessError) as trouble:
        return _why(trouble)
    return ""


def _send(whom: str, message: Mapping[str, Any]) -> None:
    data = json.dumps(message).encode()
    if _is_address(whom):
        from urllib.request import Request, urlopen  # noqa: PLC0415 — few are told by web

        with urlopen(Request(whom, data, {"Content-Type": "application/json"}), timeout=LIMIT_S):
            return
    ran = subprocess.run(
        [*shlex.split(whom), message["text"]],
        input=data,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=False,
    )
    if ran.returncode:
        raise OSError(f"the command ended with exit code {ran.returncode}")


def _why(trouble: BaseException) -> str:
    if isinstance(trouble, (subprocess.TimeoutExpired, TimeoutError)):
        return f"it took more than {LIMIT_S:.0f} s"
    if isinstance(trouble, FileNotFoundError):
        return "there is no such command"
    reason = getattr(trouble, "reason", None) or getattr(trouble, "strerror", None) or trouble
    return str(reason) if isinstance(trouble, OSError) else type(trouble).__name__
