"""When a sweep is beyond hope: every trial fails the same way, so the rest would too."""

from __future__ import annotations

from caviar.errors import CaviarError, NoResultError, SpecError
from caviar.installing import missing
from caviar.schedule.tally import Tally
from caviar_workers.execution import NOT_ONLY
from caviar_workers.failure import headline

HOPELESS = 10
"""Trials that must have failed alike, with none completed."""


def hopeless(tally: Tally, max_failures: int | None = None) -> CaviarError | None:
    """The error that should end the sweep now; None: go on.

    Args:
        tally: How the sweep stands.
        max_failures: Failed trials that the user puts up with; None: any number.
    """
    if max_failures is not None and tally.failed > max_failures and tally.first_errors:
        trial, _, error = tally.first_errors[0]
        return NoResultError(
            f"{_trials(tally.failed)} failed, more than --max-failures {max_failures}, "
            f"first t{trial}: {_word(error)}; see caviar show {trial}"
        )
    if tally.before or tally.completed or not tally.first_errors:
        return None
    trial, kind, error = tally.first_errors[0]
    if kind == "metric" and NOT_ONLY in error:
        return SpecError(error)  # a misspelt metric; one that reported nothing at all may be the only one
    if tally.failed >= HOPELESS and len(tally.errors) == 1:
        if kind == "metric":
            return SpecError(error)
        return NoResultError(f"the first {tally.failed} trials all failed with {_word(error)}: see caviar show {trial}")
    return None


def fruitless(tally: Tally) -> CaviarError | None:
    """The error with which a sweep ends that has not one completed trial; None: it has some."""
    if tally.before or tally.completed or not tally.first_errors:
        return None
    trial, kind, error = tally.first_errors[0]
    if kind == "metric" and len(tally.errors) == 1:
        return SpecError(error)
    return NoResultError(
        f"{_trials(tally.failed)} failed and none completed, first t{trial}: {_word(error)}; see caviar show {trial}"
    )


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def _word(error: str) -> str:
    line = headline(error) or "no word of why"
    return line + missing(line) if line.startswith("ModuleNotFoundError: ") else line
