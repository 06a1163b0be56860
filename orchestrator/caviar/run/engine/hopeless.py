"""When a sweep is beyond hope: every trial fails the same way, so the rest would too."""

from __future__ import annotations

from caviar.errors import CaviarError, NoResultError, SpecError, missing
from caviar.run.engine.counters import HOPELESS, Counters
from caviar_workers.failure import headline


def hopeless(counters: Counters, max_failures: int | None = None, sweep: str = "") -> CaviarError | None:
    """The error that should end the sweep now; None: go on.

    The trials that began first must all have ended: some may fail, or give up, within a second, that were unlucky with
    their configurations, while others train for hours, and will report what these never came to.

    Args:
        counters: How the sweep stands.
        max_failures: Failed trials that the user puts up with; None: any number.
        sweep: Its id, to name it; empty: it is the latest.
    """
    if max_failures is not None and counters.failed > max_failures and counters.first_errors:
        trial, _, error = counters.first_errors[0]
        return NoResultError(
            f"{_trials(counters.failed)} failed, more than --max-failures {max_failures}, "
            f"first t{trial}: {_word(error)}; see {_look(sweep, trial)}"
        )
    if counters.hope or not counters.first_errors:
        return None
    if counters.failed < HOPELESS or counters.pioneers:
        return None
    trial, _, error = counters.first_errors[0]
    if counters.unmeasured == counters.failed:
        return None if counters.measured else SpecError(error)
    if len(counters.places) > 1:
        return None
    how = "with" if len(counters.errors) == 1 else "at one line, the first with"
    return NoResultError(
        f"the first {counters.failed} trials all failed {how} {_word(error)}: see {_look(sweep, trial)}"
    )


def fruitless(counters: Counters, sweep: str = "") -> CaviarError | None:
    """The error with which a sweep ends that has no usable result and not one completed trial; None: it has some."""
    if counters.before or counters.completed or not counters.first_errors:
        return None
    trial, _, error = counters.first_errors[0]
    if misspelt(counters):
        return SpecError(error)
    return NoResultError(
        f"{_trials(counters.failed)} failed and none completed, first t{trial}: {_word(error)}; "
        f"see {_look(sweep, trial)}"
    )


def misspelt(counters: Counters) -> bool:
    """Whether all trials that failed did so for want of the metric, which none ever reported."""
    return counters.unmeasured == counters.failed > 0 and not (counters.measured or counters.hope)


def _look(sweep: str, trial: int) -> str:
    return f"caviar show {sweep} {trial}" if sweep else f"caviar show {trial}"


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def _word(error: str) -> str:
    line = headline(error) or "no word of why"
    return line + missing(line) if line.startswith("ModuleNotFoundError: ") else line
