"""Secrets that a trial was given, kept out of what it prints and of its traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import partial

HIDDEN = "***"


def without(text: str, hidden: Iterable[str]) -> str:
    """The text with stars in the place of each secret, as it is or as programs quote it."""
    return _pattern(_forms(hidden)).sub(HIDDEN, text)


def _forms(hidden: Iterable[str]) -> list[str]:
    """The longest first."""
    forms = {form for secret in hidden for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])}
    return sorted(filter(None, forms), key=len, reverse=True)


def _pattern(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, forms)) or r"(?!)")


class Sieve:
    """Puts stars in the place of secrets in a text that comes in pieces, wherever it is cut.

    Args:
        hidden: The secrets.
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._forms = _forms(hidden)
        self._pattern = _pattern(self._forms)
        self.renew()

    def renew(self, *, amid: bool = False) -> None:
        """Begin with another text; `amid`: perhaps within a secret, whose rest is left out."""
        self._held = ""
        self._amid = amid and bool(self._forms)

    def add(self, text: str) -> str:
        """Take a piece; returns what can be handed on: its end waits if a secret may begin there."""
        if not self._forms:
            return text
        text = self._held + text
        if self._amid and len(text) >= len(self._forms[0]):
            text, self._amid = text[max(map(partial(_tail, text), self._forms)) :], False
        cut = 0 if self._amid else len(text) - max(map(partial(_head, text), self._forms))
        for found in self._pattern.finditer(text):
            if found.start() < cut < found.end():
                cut = found.start()
        self._held = text[cut:]
        return self._pattern.sub(HIDDEN, text[:cut])

    def rest(self) -> str:
        """What waited, where nothing comes any more."""
        text, self._held = "" if self._amid else self._held, ""
        return self._pattern.sub(HIDDEN, text)


def _head(text: str, form: str) -> int:
    """How much of the text's end may be the beginning of a secret."""
    return next((size for size in range(len(form) - 1, 0, -1) if text.endswith(form[:size])), 0)


def _tail(text: str, form: str) -> int:
    """How much of the text's beginning may be the end of a secret."""
    return next((size for size in range(len(form) - 1, 0, -1) if text.startswith(form[-size:])), 0)
