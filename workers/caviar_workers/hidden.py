"""Secrets that a trial was given, kept out of what it prints and of its traceback."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from urllib.parse import quote, quote_plus

HIDDEN = "***"


def without(text: str, hidden: Iterable[str]) -> str:
    """The text with stars in the place of each secret, as it is or as programs quote it."""
    return _of(tuple(hidden)).sub(HIDDEN, text)


@lru_cache(maxsize=16)
def _of(hidden: tuple[str, ...]) -> re.Pattern[str]:
    return _pattern(_forms(hidden))


_QUOTES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: repr(text)[1:-1],
    lambda text: ascii(text)[1:-1],
    lambda text: repr(text.encode("utf-8", "surrogateescape"))[2:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: quote(text, errors="surrogateescape"),  # in the path of a URL
    lambda text: quote(text, safe="", errors="surrogateescape"),  # elsewhere in one, as a password
    lambda text: quote_plus(text, errors="surrogateescape"),  # in its query
    html.escape,
    shlex.quote,
)
"""How programs write a text down."""


def _forms(hidden: Iterable[str]) -> list[str]:
    """Return the forms of some secrets, the longest first."""
    forms = {quoted(secret) for secret in hidden for quoted in _QUOTES}
    return sorted(filter(None, forms), key=len, reverse=True)


def _pattern(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, forms)) or r"(?!)")


class SecretFilter:
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
        """Return what waited, when nothing comes any more."""
        text, self._held = "" if self._amid else self._held, ""
        return self._pattern.sub(HIDDEN, text)


def _head(text: str, form: str) -> int:
    """How much of the text's end may be the beginning of a secret."""
    return next((size for size in range(len(form) - 1, 0, -1) if text.endswith(form[:size])), 0)


def _tail(text: str, form: str) -> int:
    """How much of the text's beginning may be the end of a secret."""
    return next((size for size in range(len(form) - 1, 0, -1) if text.startswith(form[-size:])), 0)
