"""Secrets that a trial was given, kept out of what it prints and of its traceback."""

from __future__ import annotations

from collections.abc import Iterable

HIDDEN = "***"


def without(text: str, hidden: Iterable[str]) -> str:
    """The text with stars in the place of each secret."""
    for secret in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
