"""sys.stdout and sys.stderr while trials run: one object each, for as long as the process lives.

What a library keeps when it is imported (the handler of a logger, a console, `out=sys.stdout`) outlives the lease
that imported it. So these objects never close, whoever asks them to, and write to where the present trial's output
goes; when none runs, to where output went before.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from io import RawIOBase, TextIOWrapper
from typing import Any

_ENCODING, _ERRORS = "utf-8", "backslashreplace"


class _Tap(RawIOBase):
    """Bytes to the file descriptor of the present trial; several trials run at a time only in threads."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute
        self._open: list[int] = []
        self._threads: dict[int, int | None] = {}
        self._home: Any = None

    def begin(self, target: int) -> None:
        """Let what threads write that belong to nobody go to this file descriptor, until another one begins."""
        if not self._open:
            home = getattr(sys, self._attribute)
            self._home = None if isinstance(home, Outlet) else home
            if (before := self._before()) is not None:
                before.flush()
        self._open.append(target)

    def end(self, target: int) -> None:
        """Nothing goes to this file descriptor any more; with the last one, the stream of before comes back."""
        self._open.remove(target)
        self._threads = {thread: one for thread, one in self._threads.items() if one != target}
        if not self._open:
            setattr(sys, self._attribute, self._home)

    def assign(self, target: int | None) -> None:
        """Let what the calling thread writes go there; None: where output went before."""
        self._threads[threading.get_ident()] = target

    def release(self) -> None:
        """Let the calling thread belong to nobody again."""
        self._threads.pop(threading.get_ident(), None)

    def write(self, data: Any, /) -> int:
        target, left = self._target(), memoryview(data).cast("B")
        size = len(left)
        if target is None:
            if (home := self._before()) is not None:
                home.write(bytes(left).decode(_ENCODING, "replace"))
            return size
        while left:
            left = left[os.write(target, left) :]
        return size

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        target = self._target()
        return int(self._before().fileno()) if target is None else target

    def isatty(self) -> bool:
        home = self._before() if self._target() is None else None
        return home is not None and bool(home.isatty())

    def flush(self) -> None:
        if self._target() is None and (home := self._before()) is not None:
            home.flush()

    def close(self) -> None:
        """Stay open: others keep this stream too."""

    def _target(self) -> int | None:
        last = self._open[-1] if self._open else None
        return self._threads.get(threading.get_ident(), last)

    def _before(self) -> Any:
        for home in (self._home, getattr(sys, f"__{self._attribute}__")):
            with suppress(ValueError):  # detached
                if home is not None and not home.closed:
                    return home
        return None


class Outlet(TextIOWrapper):
    """The text stream over a tap; see the module."""

    def __init__(self, attribute: str) -> None:
        self.tap = _Tap(attribute)
        self._attribute = attribute
        self._changed = False
        super().__init__(self.tap, _ENCODING, _ERRORS, write_through=True)  # type: ignore[arg-type]  # raw will do

    def install(self) -> None:
        """Be the process's stream, as it was at first: a trial may have put another one there, or changed this one."""
        if getattr(sys, self._attribute) is not self:
            setattr(sys, self._attribute, self)
        if self._changed:
            super().reconfigure(encoding=_ENCODING, errors=_ERRORS, newline="\n", write_through=True)
            self._changed = False

    def reconfigure(self, *args: Any, **given: Any) -> None:
        """Change the encoding, for the present trial."""
        self._changed = True
        super().reconfigure(*args, **given)

    def close(self) -> None:
        """Stay open: others keep this stream too."""

    def detach(self) -> Any:
        """The stream of bytes below, which stays this one's too."""
        return self.buffer


OUTLETS = {"out": Outlet("stdout"), "err": Outlet("stderr")}
