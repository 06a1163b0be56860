"""The seam of guided search: which point of the unit cube is tried next, given what was reported so far.

Contract, held by tests/contracts/test_searcher_contract.py over every searcher:

* `ask` depends on the seed, the trial's number and the events before it, earlier asks included, nothing else: the same
  events in the same order give the same points. Asks are recorded (a trial's point is in the store before any of its
  rows), so a driver that resumes a sweep gives them back with `restore`, tells the rows, and asks for the next only.
* A point that was asked for and has told nothing yet is pending: it is not asked for again, nor its close surroundings
  without reason.
* A searcher learns from the living history (`run.engine.living_rows`; test_living_history.py): what was withdrawn
  guides nothing that is asked for later, and of several rows of one step the last one counts.
* Steps are the sweep's; values are compared at equal steps only. NaN and infinities are as bad as the worst.
* Coordinates are in [0, 1). One thread. Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A point to try, and where it comes from."""

    u: FloatArray
    """In [0, 1), [d]."""
    origin: str
    """`random`, `near`, `model`, …"""
    numbers: Mapping[str, float | int] = field(default_factory=dict)
    """What the choice rests on; each searcher says which."""


class Searcher(Protocol):
    """Asks for points and is told of their rows; see the contract above."""

    def ask(self, trial: int) -> Proposal:
        """Return the point of a new trial; trials are asked for in the order of their numbers, each once."""
        ...

    def restore(self, trial: int, u: FloatArray) -> None:
        """Note the point of a trial as an earlier driver's ask gave it, or as it was moved since it was asked for."""
        ...

    def tell(self, trial: int, step: int, value: float) -> None:
        """Take in a row: the sweep's metric of a trial at a step."""
        ...

    def withdraw(self, trial: int) -> None:
        """Forget the rows of a trial that runs again; those up to where it goes on from now are told again."""
        ...

    def end(self, trial: int, *, state: str) -> None:
        """Note that a trial is over: COMPLETED, STOPPED, FAILED or CANCELLED."""
        ...
