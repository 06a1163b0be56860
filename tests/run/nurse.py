"""Somebody in another shell who acts on trials as they come along, and asks again for what was not taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from caviar.errors import CaviarError
from caviar.results.open_sweep import open_sweep
from caviar.run import acts
from caviar.run.acts import Accepted
from caviar.store import Store, SweepDir
from caviar.store.requests import Asked

Do = Callable[[Store, SweepDir], object]
"""An act, as a verb has it done."""


class AskedError(Exception):
    """An act was asked of the process that runs the sweep."""

    def __init__(self, token: str, request: Asked) -> None:
        self.token, self.request = token, request


@dataclass(kw_only=True)
class Errand:
    """One thing to do."""

    trial: int
    when: Callable[[int, str], bool]
    """Told the trial's newest step, −1 without one, and its state."""
    do: Do
    done: bool = False
    asked: AskedError | None = None


class Nurse:
    """Has a list of errands for each trial, and runs one at a time."""

    def __init__(self, store: Store, errands: list[Errand], patch: pytest.MonkeyPatch) -> None:
        self.store = store
        (self.sweep,) = store.sweeps()
        self.errands = errands
        self.accepted: list[str] = []
        """Tokens of what was asked of a driver, and accepted."""
        self.denied: list[str] = []
        """Tokens of what was not: nothing of it may be left."""
        self.said: list[str] = []
        patch.setattr(acts, "_answer", self._leave_it_there)

    def look(self, steps: Mapping[int, int], states: Mapping[int, str]) -> None:
        """Do what it is time for, where the newest steps and states are these; and look for answers."""
        for errand in self.due():
            if errand.asked is not None:
                with open_sweep(self.store, self.sweep, self.said.append) as opened:
                    self._hear(errand, acts._found(opened, errand.asked.token))
            elif errand.when(steps.get(errand.trial, -1), states.get(errand.trial, "")):
                self._run(errand)

    def look_again(self) -> None:
        """The same, while nobody runs the sweep."""
        with open_sweep(self.store, self.sweep, self.said.append) as opened:
            rows = opened.rows("SELECT trial, state, coalesce(step, -1) AS step FROM trials")
        self.look({row["trial"]: row["step"] for row in rows}, {row["trial"]: row["state"] for row in rows})

    def due(self) -> list[Errand]:
        """The next errand of each trial."""
        return list({one.trial: one for one in reversed(self.errands) if not one.done}.values())

    def hear_last(self) -> None:
        """The driver is gone: see what it had taken, and take back what it had not."""
        with open_sweep(self.store, self.sweep, self.said.append) as opened:
            for errand in (one for one in self.errands if one.asked is not None):
                assert errand.asked is not None
                found = acts._found(opened, errand.asked.token)
                if found is None:
                    self.sweep.disk.delete([errand.asked.request.file])
                    self.denied.append(errand.asked.token)
                    errand.asked = None
                else:
                    self._hear(errand, found)

    def _hear(self, errand: Errand, answer: Any) -> None:
        if answer is None:
            return
        assert errand.asked is not None
        taken = isinstance(answer, Accepted)
        (self.accepted if taken else self.denied).append(errand.asked.token)
        errand.done, errand.asked = taken, None
        if not taken:
            self.said.append(answer.why)

    def _run(self, errand: Errand) -> None:
        try:
            errand.do(self.store, self.sweep)
            errand.done = True
        except AskedError as asked:
            errand.asked = asked
        except CaviarError as error:  # it has no checkpoint there yet, say
            self.said.append(str(error))

    def _leave_it_there(self, _store: object, _sweep: object, request: Asked, token: str, _say: object) -> Any:
        raise AskedError(token, request)
