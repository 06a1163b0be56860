"""Pausing by hand: a trial, or a whole sweep, frees its CPUs and GPUs, and goes on when its user says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import CaviarError, SpecError
from caviar.results.edits import standing
from caviar.results.open_sweep import open_sweep
from caviar.results.paused import paused_by_user
from caviar.run.acts import Refused, ask
from caviar.store.checkpoints import saves_of
from caviar.store.requests import ask_to_pause
from caviar_workers.states import ENDED, Action

if TYPE_CHECKING:
    from caviar.results.open_sweep import Say
    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDocument:
    """What was paused, or goes on.

    Attributes:
        sweep: id of the sweep.
        trials: its trials that were paused, or go on; empty: the whole sweep pauses.
        action: pause or continue.
        warnings: what to know about it.
    """

    sweep: str
    trials: tuple[int, ...]
    action: str
    warnings: tuple[str, ...]


def pause(store: Store, sweep: SweepDir, trial: int | None, *, say: Say) -> PauseDocument:
    """Have a trial, or all that run, pause at their next checkpoints.

    Nobody but its user lets a trial go on. A sweep ends when all have paused, and is resumed later.

    Args:
        store: The store.
        sweep: The sweep.
        trial: Its number; None: the sweep.
        say: Tells what is not shown of the sweep.

    Raises:
        SpecError, NotFoundError: The trial has ended, or there is none; or nobody runs the sweep.
        CaviarError: It was not accepted; nothing was changed.
    """
    if trial is None:
        if not sweep.owner().runs:
            raise SpecError(f"sweep {sweep.id} does not run, so there is nothing to pause")
        ask_to_pause(sweep)
        return PauseDocument(sweep=sweep.id, trials=(), action=Action.PAUSE, warnings=())
    with open_sweep(store, sweep, say) as opened:
        now = standing(opened, trial)
        if now.state in ENDED:
            raise SpecError(f"trial {trial} is {now.state}, and only one that has not ended can be paused")
        if trial in paused_by_user(opened):
            raise SpecError(f"trial {trial} is paused already: caviar continue {sweep.id} --trial {trial}")
        saved = saves_of(sweep, trial)
    answer = ask(store, sweep, Action.PAUSE, now, {}, say)
    if isinstance(answer, Refused):
        raise CaviarError(f"trial {trial} was not paused, for {answer.why}: nothing was changed")
    anew = f"trial {trial} has saved no checkpoint so far: without one it pauses at its next report, and begins anew"
    return PauseDocument(
        sweep=sweep.id, trials=(trial,), action=Action.PAUSE, warnings=() if saved else (anew,)
    )  # fmt: skip


def go_on(store: Store, sweep: SweepDir, trial: int | None, *, say: Say) -> PauseDocument:
    """Let a trial that its user has paused go on, or all of a sweep; where nobody runs it, when it is resumed.

    Raises:
        SpecError, NotFoundError: The trial is not paused, or there is none.
        CaviarError: It was not accepted; nothing was changed.
    """
    with open_sweep(store, sweep, say) as opened:
        held = paused_by_user(opened)
        if trial is not None and trial not in held:
            standing(opened, trial)  # there is one
            raise SpecError(f"trial {trial} is not paused by its user, so it goes on by itself")
        ones = {one: standing(opened, one) for one in (held if trial is None else [trial])}
    if not ones and sweep.owner().runs:
        raise SpecError(f"no trial of sweep {sweep.id} is paused by its user")
    for one, now in ones.items():
        answer = ask(store, sweep, Action.CONTINUE, now, {}, say)
        if isinstance(answer, Refused):
            raise CaviarError(f"trial {one} does not go on, for {answer.why}: nothing was changed")
    return PauseDocument(sweep=sweep.id, trials=tuple(ones), action=Action.CONTINUE, warnings=())
