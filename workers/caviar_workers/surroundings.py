"""What a process has one of and code may change: the working folder, the environment variables, the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from caviar_workers.messages import Program

_now: dict[bytes, bytes] = os.environb._data  # type: ignore[attr-defined]
"""The dict that the environment variables are kept in: to compare it costs a microsecond, to copy them fifty."""
_began: dict[str, str] = {}
"""The folder in which this process was before it imported any program."""
_led: dict[str, str] = {}
"""The folder to which importing a program led, by its digest: that of the last one."""


class Surroundings:
    """What surrounds a trial, as it is now, to be put back after it.

    Args:
        mask: The umask too. To ask for it is to change it for a moment, so no other thread may write files just now.
    """

    def __init__(self, *, mask: bool) -> None:
        self.folder = working_folder()
        self._variables = dict(_now)
        self._mask = -1
        if mask:
            self._mask = os.umask(0o77)
            os.umask(self._mask)

    def restore(self) -> None:
        """Put them back; asked after every trial, so what has not changed costs a look."""
        self.go_back()
        if self._mask >= 0:
            os.umask(self._mask)
        if _now != self._variables:
            self._restore_variables()

    def go_back(self) -> None:
        """Put the working folder back."""
        try:
            if os.getcwd() == self.folder:  # half the time of going there
                return
        except OSError:
            pass
        _go(self.folder)

    def _restore_variables(self) -> None:
        for name in _now.keys() - self._variables.keys():
            del os.environb[name]
        for name, value in self._variables.items():
            if os.environb.get(name) != value:
                os.environb[name] = value


@contextmanager
def where_import_leads(program: Program) -> Iterator[None]:
    """Import the program's file where this process began, or in its project, and be then where that led, whoever was
    here in between.
    """
    _began.setdefault("folder", working_folder())
    _go(_led.get(program.digest, program.root or _began["folder"]))
    _led.clear()  # another program's modules make way
    yield
    _go(program.folder)
    _led[program.digest] = working_folder()


def working_folder() -> str:
    """The working folder; the root where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return os.sep


def _go(folder: str) -> None:
    with suppress(OSError):
        if folder:
            os.chdir(folder)
