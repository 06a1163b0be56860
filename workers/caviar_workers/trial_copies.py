"""A trial that is copied, pickled, or inherited by a process that was forked: it reports from its own process only."""

from __future__ import annotations

import os
from typing import Any


class OfOneProcess:
    """What stays one thing when it is copied, and in another process is a shadow that refuses to report."""

    __slots__ = ()

    def arrive(self) -> None:
        """The trial trains in this process from now on (for the recorder)."""
        _present.add(self)

    def leave(self) -> None:
        """The trial trains no more."""
        _present.discard(self)

    def estrange(self) -> None:
        """Refuse all that has to come from train's own process."""

    @property
    def key(self) -> tuple[str, int, int]:
        """Sweep, number and attempt."""
        one: Any = self
        return one.sweep, one.number, one.attempt

    def __copy__(self) -> Any:
        """Return the trial itself: what is reported to a copy counts."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle who the trial is: in another process it knows number, seed and data, and refuses the rest."""
        facts = {name: getattr(self, name) for name in ("sweep", "number", "attempt", "seed", "devices", "metric")}
        return _unpickled, (type(self), (os.getpid(), id(self)), facts, self.data)  # type: ignore[attr-defined]


_present: set[OfOneProcess] = set()
"""The trials that train in this process."""


def _unpickled(kind: type, origin: tuple[int, int], facts: dict[str, Any], data: Any) -> Any:
    """The trial that was pickled, in the process that `origin` names first; elsewhere, a shadow of it."""
    process, identity = origin
    trial = kind(**facts)
    if process == os.getpid():
        for present in list(_present):
            if id(present) == identity and present.key == trial.key:
                return present
    trial.data = data
    if process == os.getpid():
        trial.leave()
    else:
        trial.estrange()
    return trial


def _estrange_all() -> None:
    for trial in list(_present):
        trial.estrange()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_estrange_all)  # asks nothing of report(), which is called a million times
