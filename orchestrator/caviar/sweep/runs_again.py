"""What can be run with a sweep that is in the store: the rest of it, more of it, a closer look, its best again."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from caviar.errors import SpecError
from caviar.results.family import searched
from caviar.sweep.starting import refuse_import

if TYPE_CHECKING:
    from typing import Self, Unpack

    from caviar.display.progress import ProgressDisplay
    from caviar.results.lineage import ReplayDocument
    from caviar.results.retest import RetestDocument
    from caviar.store import Store, SweepDir
    from caviar_workers.messages import Program


class HasProgram(Protocol):
    """A `Sweep`, as far as its functions are concerned."""

    @property
    def program(self) -> Program:
        """Its code as it is now."""


class Where(TypedDict, total=False):
    """Where something is run, and with which functions.

    Attributes:
        sweep: The sweep whose functions are meant, where they live in no file.
        address: A Ray cluster to join; None: start Ray on this machine, and keep it.
        progress: The display; None: one that suits the terminal or notebook.
    """

    sweep: HasProgram
    address: str | None
    progress: ProgressDisplay | None


class RunsAgain(ABC):
    """The part of a `Result` that runs something.

    Attributes:
        program: The functions that the sweep was run with in this process; None: it was not.
    """

    _store: Store
    _sweep: SweepDir
    program: Program | None

    @abstractmethod
    def __init__(self, store: str | PurePath | None = None, sweep: str | None = None) -> None: ...

    @abstractmethod
    def _told(self) -> AbstractContextManager[None]: ...

    def resume(
        self,
        *,
        add: int = 0,
        retry_failed: bool = False,
        force: bool = False,
        time_limit: float | None = None,
        **where: Unpack[Where],
    ) -> Self:
        """Train the trials that are not finished, and more of them if that is asked for; as `caviar resume`.

        Args:
            add: Trials by which the sweep is extended, ≥ 0: those that a longer sweep would have had.
            retry_failed: Run failed trials again too.
            force: Take the code as it is now, and record it.
            time_limit: Seconds for this run; None: as long as the sweep says.
            **where: `sweep`, whose functions are meant if they live in no file, as in a notebook that was started
                again; `address` and `progress` as in `Sweep.run`.

        Returns:
            This sweep; of one in rounds, the last round.

        Raises:
            SpecError: The functions live in no file and are not here, or are others; or it cannot be extended.
            SweepInterrupted: Ctrl-C, SIGTERM or a closed terminal; it is a KeyboardInterrupt.
        """
        from caviar.run.resume import resume_sweep  # noqa: PLC0415 — reading needs none of it

        if type(add) is not int or add < 0:
            raise SpecError(f"add is a whole number of trials, from 0, but got {add!r:.60}")
        wishes: dict[str, Any] = {"add": add, "retry_failed": retry_failed, "force": force, "time_limit": time_limit}
        with self._running(where) as how:
            last = resume_sweep(self._store, self._sweep.again(), **wishes, **how)
        return self._of(searched(self._store, last), where)

    def replay(self, trial: int, **where: Unpack[Where]) -> ReplayDocument:
        """Train a trial again from its seed, with all that was done to it, and compare the curves; `caviar replay`.

        Args:
            trial: Its number.
            **where: As of `resume`.

        Returns:
            Whether they are the same, bit for bit (`equal`), and where they differ; nothing else is kept.
        """
        from caviar.run.replay_trial import replay_trial  # noqa: PLC0415

        with self._running(where) as how:
            return replay_trial(self._store, self._sweep.again(), trial, say=warnings.warn, **how)

    def zoom(
        self,
        *,
        top: int | None = None,
        trials: int | None = None,
        rule: str | None = None,
        at_step: int | None = None,
        **where: Unpack[Where],
    ) -> Self:
        """Sweep a smaller space, the box round the best few trials; as `caviar zoom`.

        Args:
            top: Round how many of the best, from 3; None: 5, or a tenth.
            trials: How many configurations; None: as many as before.
            rule: Which value of a curve counts; None: the sweep's own rule.
            at_step: Compare what trials had up to this step.
            **where: As of `resume`.

        Returns:
            The new sweep.

        Raises:
            NoResultError: Too few trials have a usable value.
            SpecError: As of `resume`.
        """
        from caviar.results.next_sweep import zoom_into, zoom_plan  # noqa: PLC0415
        from caviar.run.driver import hold_parent, run_child  # noqa: PLC0415
        from caviar.spec.plan import Plan  # noqa: PLC0415
        from caviar.spec.provenance import provenance  # noqa: PLC0415

        store, sweep = self._store, searched(self._store, self._sweep)
        with self._running(where) as how, hold_parent(sweep) as held:
            plan = Plan.from_json(sweep.description()["plan"])
            zoom = zoom_into(store, sweep, top=top, rule=rule, at_step=at_step)
            child = zoom_plan(plan, sweep.id, zoom, plan.trials if trials is None else trials)
            made = run_child(store, sweep, child, held=held, command=provenance(None), **how)
        return self._of(searched(store, made), where)

    def retest(
        self, k: int | None = None, *, repeats: int = 5, rule: str | None = None, **where: Unpack[Where]
    ) -> RetestDocument:
        """Train the best again on seeds that nobody has looked at; as `caviar retest`.

        Args:
            k: How many configurations; None: as many as the newest retest began with, or 5.
            repeats: Fresh seeds of each: 5, 10 or 20.
            rule: Which value of a curve counts; None: the sweep's own rule.
            **where: As of `resume`.

        Returns:
            The verdict, which is `retested` from now on.

        Raises:
            NoResultError: No trial has a usable value.
            SpecError: As of `resume`.
        """
        from caviar.results.retest import retest_document  # noqa: PLC0415
        from caviar.run.retest import retest_sweep  # noqa: PLC0415
        from caviar.spec.provenance import provenance  # noqa: PLC0415

        with self._running(where) as how:
            command = provenance(None)
            made = retest_sweep(self._store, self._sweep, k=k, repeats=repeats, rule=rule, command=command, **how)
            return retest_document(self._store, made)

    @contextmanager
    def _running(self, where: Where) -> Iterator[dict[str, Any]]:
        """The settings that all have in common that run something."""
        from caviar.display.choose_display import choose_display  # noqa: PLC0415
        from caviar.run.code_to_run import Code  # noqa: PLC0415

        refuse_import()
        progress = where.get("progress") or choose_display()
        with self._told():
            yield {"address": where.get("address"), "progress": progress, "code": Code(live=self._live(where))}

    def _live(self, where: Where) -> Program | None:
        given = where.get("sweep")
        return self.program if given is None else given.program

    def _of(self, sweep: SweepDir, where: Where) -> Self:
        """The result of a sweep that was run by the same functions."""
        found = type(self)(self._store.path, sweep.id)
        found.program = self._live(where)
        return found
