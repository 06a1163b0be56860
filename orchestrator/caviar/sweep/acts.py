"""What can be done to one trial of a sweep by hand."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.errors import SpecError

if TYPE_CHECKING:
    from caviar.results.diary import DiaryDocument
    from caviar.results.open_sweep import OpenSweep
    from caviar.run.acts import ActDocument
    from caviar.run.forks import ForkDocument
    from caviar.run.pauses import PauseDocument
    from caviar.store import Store, SweepDir


class ActsOnTrials(ABC):
    """The part of a `Result` that does something to one trial."""

    _store: Store
    _sweep: SweepDir

    @abstractmethod
    def _told(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _opened(self) -> AbstractContextManager[OpenSweep]: ...

    def edit(
        self,
        trial: int,
        changes: dict[str, Any] | None = None,
        /,
        *,
        at_step: int | None = None,
        over: int | None = None,
        now: bool = False,
        why: str = "",
        **parameters: Any,
    ) -> ActDocument:
        """Give live parameters of a trial other values while it trains; as `caviar edit`.

        Args:
            trial: Its number.
            changes: Parameter → value, for names that are no keywords, such as `optim.lr`.
            at_step: Let it take effect after this step; None: after the next report.
            over: Get there in so many steps; None: at once.
            now: Change parameters that are not live too: train begins again for them, from its next checkpoint.
            why: The reason, for the diary.
            **parameters: Parameter → value, or what becomes of the present one, as text: `lr="*0.5"`.

        Raises:
            SpecError: A parameter is not live, a value is outside, or the trial has ended: nothing was changed.
            CaviarError: It was not accepted, and nothing was changed.
        """
        from caviar.run.acts import Wish, edit_trial  # noqa: PLC0415 — reading needs none of it

        trial = trial_number(trial)
        wish = Wish(values={**(changes or {}), **parameters}, at_step=at_step, over=over, now=now, why=why)
        with self._told():
            return edit_trial(self._store, self._sweep.again(), trial, wish, say=warnings.warn)

    def rollback(
        self,
        trial: int,
        changes: dict[str, Any] | None = None,
        /,
        *,
        to_step: int,
        skip_data: bool = False,
        code: str | PathLike[str] | None = None,
        why: str = "",
        **parameters: Any,
    ) -> ActDocument:
        """Have a trial go on from its last checkpoint at or before a step, as `caviar rollback`; where nobody runs the
        sweep, `resume` then does.

        Args:
            trial: Its number; it may have ended.
            changes: Parameter → value, for names that are no keywords.
            to_step: The step.
            skip_data: Leave out the data of the steps that are left behind: `trial.skip` says how many.
            code: A file with functions of the same names, with which the sweep goes on; None: the same code.
            why: The reason, for the diary.
            **parameters: Parameter → value, or what becomes of the present one, as text.

        Raises:
            SpecError: There is no such checkpoint, or a value is outside: nothing was changed.
            CaviarError: It was not accepted, and nothing was changed.
        """
        from caviar.run.acts import Wish, roll_back  # noqa: PLC0415 — reading needs none of it
        from caviar.run.code_to_run import STORED  # noqa: PLC0415
        from caviar.run.resumed_code import program_from  # noqa: PLC0415

        trial = trial_number(trial)
        if type(to_step) is not int or to_step < 0:
            raise SpecError(f"to_step is a whole number from 0, but got {to_step!r:.60}")
        with self._told():
            program = None if code is None else program_from(self._sweep.again(), Path(code), STORED)
            values = {**(changes or {}), **parameters}
            wish = Wish(values=values, skip_data=skip_data, code=program, why=why)
            return roll_back(self._store, self._sweep.again(), trial, wish, to_step=to_step, say=warnings.warn)

    def fork(
        self,
        trial: int,
        changes: dict[str, Any] | None = None,
        /,
        *,
        branch: int | None = None,
        at_step: int | None = None,
        k: int = 1,
        space: dict[str, Any] | None = None,
        why: str = "",
        **parameters: Any,
    ) -> ForkDocument:
        """Make new trials from a checkpoint of one, with its seed, as `caviar fork`; where nobody runs the sweep,
        `resume` then runs them.

        Args:
            trial: Its number.
            changes: Parameter → value, for names that are no keywords.
            branch: The trial's branch, dead or living; None: the one that lives.
            at_step: From its last checkpoint at or before this step; None: the newest.
            k: How many new trials.
            space: Parameter → where its values are drawn from, such as `{"lr": Float(1e-4, 1e-2, scale="log")}`.
            why: The reason, for the diary.
            **parameters: Parameter → value in all of them, or what becomes of the trial's own, as text.

        Raises:
            SpecError: There is no such checkpoint, or a value is outside: nothing was changed.
            CaviarError: It was not accepted, and nothing was changed.
        """
        from caviar.run.forks import ForkWish, fork_trial  # noqa: PLC0415 — reading needs none of it

        values = {**(changes or {}), **parameters}
        wish = ForkWish(branch=branch, at_step=at_step, k=k, space=dict(space or {}), values=values, why=why)
        with self._told():
            return fork_trial(self._store, self._sweep.again(), trial_number(trial), wish, say=warnings.warn)

    def pause(self, trial: int | None = None) -> PauseDocument:
        """Let a trial, or the sweep, pause at its next checkpoint, until you continue it; as `caviar pause`."""
        from caviar.run.pauses import pause  # noqa: PLC0415 — reading needs none of it

        one = None if trial is None else trial_number(trial)
        with self._told():
            return pause(self._store, self._sweep.again(), one, say=warnings.warn)

    def continue_(self, trial: int | None = None) -> PauseDocument:
        """Let a trial that you paused go on, or all; where nobody runs the sweep, `resume` then does."""
        from caviar.run.pauses import go_on  # noqa: PLC0415 — reading needs none of it

        one = None if trial is None else trial_number(trial)
        with self._told():
            return go_on(self._store, self._sweep.again(), one, say=warnings.warn)

    def note(self, trial: int, text: str) -> ActDocument:
        """Keep a few words about a trial, for its diary; as `caviar note`."""
        from caviar.run.acts import note_trial  # noqa: PLC0415 — reading needs none of it

        trial = trial_number(trial)
        with self._told():
            return note_trial(self._store, self._sweep.again(), trial, text, say=warnings.warn)

    def diary(self, trial: int) -> DiaryDocument:
        """What was done to a trial by hand, and what its curve made of it; as `caviar diary`."""
        from caviar.results.diary import diary_document  # noqa: PLC0415

        trial = trial_number(trial)
        with self._opened() as opened:
            return diary_document(opened, trial)


def trial_number(trial: object) -> int:
    """A trial's number, which may come out of a table; SpecError where it is none."""
    if isinstance(trial, bool) or not isinstance(trial, Integral):
        raise SpecError(f"a trial is a whole number from 0, such as 19, but got {trial!r:.60}")
    return int(trial)
