"""Commands in what is said: as they work when they are typed here.

The rule: whoever tells a user to type `caviar resume ID` writes just that, in any room. Where it is shown (a line of a
verb, a note of the display, a JSON document, an error that Python's user gets), `typed` puts in what it takes here:
the store, where that is not the one that the next command looks into by itself, and the program as it was called.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import TYPE_CHECKING

from caviar.display.sanitize import one_line, plain
from caviar.display.verb_names import VERBS
from caviar.errors import CaviarError, SweepInterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED = "CAVIAR_CALLED"
"""The variable in which the script of a checkout says how it was called, such as `./caviar`."""

DEFAULT_STORE = os.path.join(".", "caviar-store")

_STORE: ContextVar[str] = ContextVar("store", default="")
"""What follows --store in a command that is told; empty: nothing."""

_READ = "|".join([*(verb for verb in VERBS if verb not in {"run", "store"}), "store (?:info|check|compact)"])
"""Verbs that need the store that is there; a new sweep may be run anywhere."""

_COMMAND = re.compile(rf"\bcaviar ({_READ})\b(?! --(help|store)\b)")
_PROGRAM = re.compile(rf"(?<![\w./-])caviar(?= (?:{_READ}|run|store)\b)")


def remember_store(store: str | PurePath | None) -> None:
    """The store that commands are told for from now on; None: the one that they look into by themselves."""
    _STORE.set("" if store is None or _looked_into(str(store)) else str(store))


@contextmanager
def told_for(store: str | PurePath | None) -> Iterator[None]:
    """Within it, commands are told for this store; also in the sentence of an error that leaves it."""
    before = _STORE.get()
    remember_store(store)
    try:
        yield
    except (CaviarError, SweepInterrupted) as error:
        error.args = tuple(typed(one) if isinstance(one, str) else one for one in error.args)
        raise
    finally:
        _STORE.set(before)


def typed(text: str) -> str:
    """The text, with each command in it as it works here: with its store, and as `./caviar` for who typed that."""
    store, called = _STORE.get(), os.environ.get(CALLED, "")
    if store:
        text = _COMMAND.sub(lambda found: f"{found[0]} --store {shlex.quote(store)}", text)
    return _PROGRAM.sub(lambda _: shlex.quote(called), text) if called else text


def told(text: str) -> str:
    """The text as one line for a terminal, with each command in it as it works here."""
    return " ".join(plain(typed(one_line(text))).splitlines())


def _looked_into(store: str) -> bool:
    usual = os.environ.get("CAVIAR_STORE") or DEFAULT_STORE
    return store == usual or ("://" not in store + usual and _absolute(store) == _absolute(usual))


def _absolute(folder: str) -> str:
    return os.path.abspath(os.path.expanduser(folder))
