"""The canary: a stored trial's first report again, which tells whether code, data and machine still compute the same.

It costs two epochs. Both runs must agree with each other, or else a difference from then would say nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caviar.errors import CaviarError, SpecError
from caviar.results.drift import WHOSE, CanaryDocument, first_report
from caviar.results.statistics.drift import Canary, canary
from caviar.run.code_to_run import Code, code_of
from caviar.run.final_test import drawn
from caviar.run.loose_trials import LooseTrials, copies
from caviar.spec.code_today import program_today
from caviar.spec.command_source import MODULE as COMMAND
from caviar_workers.failure import headline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.store import Store, SweepDir
    from caviar_workers.messages import Program

_RUNS = 2


def chosen_program(sweep: SweepDir, code: Code, *, stored_code: bool) -> Program:
    """The code of a sweep as its file is now, or as it was stored.

    Raises:
        SpecError: It lives in no file, is not trusted, or its file is not here or not Python.
    """
    stored = code_of(sweep, code)
    if stored_code or stored.module == COMMAND:  # its files are read anew by each trial
        return stored
    path = Path(stored.files[stored.module][0])
    if not path.is_file():
        raise SpecError(
            f"the code of sweep {sweep.id} is not here any more, at {path}: add --stored-code to run the old"
        )
    return program_today(stored)


def run_canary(store: Store, sweep: SweepDir, trial: int, trials: LooseTrials, *, code: str) -> CanaryDocument:
    """Train a trial up to its first report, twice, and compare.

    Args:
        store: The store.
        sweep: The trial's sweep.
        trial: Its number.
        trials: Runs it.
        code: What it runs with: `today` or `stored`.

    Raises:
        CaviarError: It failed before it reported.
        NoResultError: Nothing of it is stored.
    """
    stored = first_report(store, sweep, trial)
    config, seed = drawn(store, sweep, trial)
    work = copies(config, [seed], first=trial)
    runs: list[Mapping[str, float]] = []
    for _ in range(_RUNS):
        (found,) = trials.run(work, reports=1)
        if not found.rows:
            raise CaviarError(
                f"trial {trial} of sweep {sweep.id} does not come to its first report with {WHOSE[code]}: "
                f"{headline(found.error) or 'it reported nothing'}"
            )
        runs.append(found.rows[0])
    said: Canary = canary(stored, runs)
    return CanaryDocument(
        sweep=sweep.id,
        trial=trial,
        code=code,
        outcome=said.outcome,
        differing=said.differing,
        compared=tuple(name for name in stored if name not in (*said.left_out, "step")),
        left_out=said.left_out,
    )
