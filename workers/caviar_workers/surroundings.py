"""What a process has one of and code may change: the working folder, the environment variables, the umask."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from caviar_workers.load import root_of
from caviar_workers.messages import Program

_now: dict[bytes, bytes] = os.environb._data  # type: ignore[attr-defined]
"""The dict that the environment variables are kept in: to compare it costs a microsecond, to copy them fifty."""
_began: dict[str, str] = {}
"""The folder in which this process was before it imported any program."""
_led: dict[str, str] = {}
"""The folder to which importing a program led, by its digest: that of the last one."""
_before: dict[str, str | None] = {}
"""What the variables that a program brings were before; None: there was none."""
_served = [""]
"""Digest of the program that brought them."""


class NoFolderError(RuntimeError):
    """This machine lacks the folder in which trials are to begin."""


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
    """Import the program's file with its variables, in its folder, and be then where that led, whoever was here in
    between. Its folder is its project, or the driver's; where a machine has neither, that in which this process began.

    Raises:
        NoFolderError: It says another one, which is not here.
    """
    give_variables(program)
    _began.setdefault("folder", working_folder())
    _go(_began["folder"])
    _go(_led.get(program.digest, program.root or program.here))
    _led.clear()  # another program's modules make way
    _go_to_its_own(program)
    yield
    _go(program.folder)
    _go_to_its_own(program)
    _led[program.digest] = working_folder()


@contextmanager
def as_given(program: Program) -> Iterator[None]:
    """The program's variables and its own folder, in a process that does other things too.

    Raises:
        NoFolderError: The folder is not here.
    """
    before = Surroundings(mask=False)
    give_variables(program)
    try:
        _go_to_its_own(program)
        yield
    finally:
        _take_back()
        before.go_back()


def give_variables(program: Program) -> None:
    """Set the variables that a program brings; those of the program before it are as if they had not been."""
    if _served[0] == program.digest:
        return
    _take_back()
    _served[0] = program.digest
    for name, value in program.env.items():
        _before[name] = os.environ.get(name)
        os.environ[name] = value


def _take_back() -> None:
    for name, value in _before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _before.clear()
    _served[0] = ""


def _go_to_its_own(program: Program) -> None:
    """Begin in the folder that the program says, if it says one."""
    if not program.workdir:
        return
    home = program.root or (root_of(program) if program.module else program.here)
    folder = os.path.join(home, os.path.expanduser(program.workdir))
    try:
        os.chdir(folder)
    except OSError as error:
        raise NoFolderError(
            f"there is no folder {folder} to begin in, on {socket.gethostname()}: {error.strerror}"
        ) from None


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
