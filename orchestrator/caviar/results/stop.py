"""How a sweep, or one of its trials, stands after it was asked to stop, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.display.typed_commands import typed
from caviar.errors import CaviarError
from caviar.results.open_sweep import OpenSweep
from caviar.store import Views
from caviar_workers.states import WAITING, State
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir

_NEXT = {"finished": "best", "interrupted": "resume"}
"""State of a sweep → the verb that is of use then; of all others: `status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDocument:
    """A sweep that was asked to stop.

    Attributes:
        sweep: its id.
        state: running, finished, interrupted or failed.
        trial: the one that was to stop; None: the sweep was.
        trial_state: of the trial, as in `TrialDocument`.
        next: the command to type next.
    """

    sweep: str
    state: str
    trial: int | None
    trial_state: str | None
    next: str


def stop_document(store: Store, sweep: SweepDir, trial: int | None, say: Say) -> StopDocument:
    """How a sweep stands, and the trial of it that was to stop; None: the whole sweep was.

    Raises:
        NotFoundError: The sweep has no such trial.
        CaviarError: The sweep does not run, and the trial has not ended, so nobody stopped it.
    """
    state = sweep.state()
    found = None if trial is None else trial_state(store, sweep, trial, say)
    if found in (*WAITING, State.LOST):
        raise CaviarError(
            f"sweep {sweep.id} is not running, so trial {trial} was not stopped; it runs again with: "
            f"caviar resume {sweep.id}"
        )
    following = typed(f"caviar {_NEXT.get(state, 'status')} {sweep.id}")
    return StopDocument(sweep=sweep.id, state=state, trial=trial, trial_state=found, next=following)


def trial_state(store: Store, sweep: SweepDir, trial: int, say: Say) -> str:
    """Return a trial's state as the view `trials` has it; PENDING or CANCELLED, if it was not drawn yet.

    Raises:
        NotFoundError: The sweep has no such trial.
    """
    with Views(store, [sweep]) as views:
        opened = OpenSweep(store=store, sweep=sweep, views=views, say=say)
        if opened.plan.trials <= trial < FORKED:
            raise opened.no_trial(trial)
        rows = views.execute("SELECT state FROM trials WHERE trial = ?", [trial]).fetchall()
        if rows:
            return str(rows[0][0])
        ended = views.execute("SELECT state FROM attempts WHERE trial = ?", [trial]).fetchall()
        if trial >= FORKED and not ended:
            raise opened.no_trial(trial)
    return str(ended[0][0]) if ended else State.PENDING
