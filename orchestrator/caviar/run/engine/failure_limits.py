"""When a sweep is beyond hope: every trial fails the same way, so the rest would too."""

from __future__ import annotations

from caviar.errors import CaviarError, NoResultError, SpecError, missing
from caviar.run.engine.counters import HOPELESS, Counters
from caviar_workers.failure import headline


def hopeless(tally: Counters, max_failures: int | None = None, sweep: str = "") -> CaviarError | None:
    """The error that should end the sweep now; None: go on.

    The trials that began first must all have ended: some may fail, or give up, within a second, that were unlucky with
    their configurations, while others train for hours, and will report what these never came to.

    Args:
        tally: How the sweep stands.
        max_failures: Failed trials that the user puts up with; None: any number.
        sweep: Its id, to name it; empty: it is the latest.
    """
    if max_failures is not None and tally.failed > max_failures and tally.first_errors:
        trial, _, error = tally.first_errors[0]
        return NoResultError(
            f"{_trials(tally.failed)} failed, more than --max-failures {max_failures}, "
            f"first t{trial}: {_word(error)}; see {_look(sweep, trial)}"
        )
    if tally.hope or not tally.first_errors:
        return None
    if tally.failed < HOPELESS or tally.pioneers:
        return None
    trial, _, error = tally.first_errors[0]
    if tally.unmeasured == tally.failed:
        return None if tally.measured else SpecError(error)
    if len(tally.errors) == 1:
        alike = f"the first {tally.failed} trials all failed with {_word(error)}"
        return NoResultError(f"{alike}: see {_look(sweep, trial)}")
    return None


def fruitless(tally: Counters, sweep: str = "") -> CaviarError | None:
    """The error with which a sweep ends that has no usable result and not one completed trial; None: it has some."""
    if tally.before or tally.completed or not tally.first_errors:
        return None
    trial, _, error = tally.first_errors[0]
    if misspelt(tally):
        return SpecError(error)
    return NoResultError(
        f"{_trials(tally.failed)} failed and none completed, first t{trial}: {_word(error)}; see {_look(sweep, trial)}"
    )


def misspelt(tally: Counters) -> bool:
    """Whether all trials that failed did so for want of the metric, which none ever reported."""
    return tally.unmeasured == tally.failed > 0 and not (tally.measured or tally.hope)


def _look(sweep: str, trial: int) -> str:
    return f"caviar show {sweep} {trial}" if sweep else f"caviar show {trial}"


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def _word(error: str) -> str:
    line = headline(error) or "no word of why"
    return line + missing(line) if line.startswith("ModuleNotFoundError: ") else line
