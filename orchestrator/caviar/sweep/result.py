"""What a sweep found: read from the store, so it is the same now, in another process, and next year."""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NoReturn

from caviar.display.typed_commands import told_for
from caviar.errors import CaviarError, NoResultError, NotFoundError, SpecError
from caviar.results.best import best_document, final_of
from caviar.results.family import newest_retest
from caviar.results.open_sweep import OpenSweep, newest, store_path
from caviar.results.pareto import ParetoTrial, pareto_document
from caviar.results.selector import Selection, Wish, select
from caviar.space.call_hints import called_as
from caviar.store import Store, SweepDir, Views
from caviar.sweep.acts import ActsOnTrials, trial_number
from caviar.sweep.answer import Answer
from caviar.sweep.best_trial import BestTrial
from caviar.sweep.runs_again import RunsAgain
from caviar_workers.checkpoint import Checkpoint

if TYPE_CHECKING:
    import pandas as pd

    from caviar.export.export import ExportDocument
    from caviar.results.plots import Plots
    from caviar.results.retest import RetestDocument
    from caviar.results.understand_findings import UnderstandDocument
    from caviar.space import Space
    from caviar_workers.messages import Program


MOST_FRAMED = 1000
"""Trials up to which a notebook shows the report, and beyond a table: the report lies in the notebook's own file."""
FRAME_HEIGHT = 900


OF_OTHERS = {
    "best_params": "result.best.config",
    "best_config": "result.best.config",
    "best_value": "result.best.value",
    "best_trial": "result.best",
    "best_result": "result.best",
    "get_best_result": "result.best",
    "get_dataframe": "result.trials()",
    "trials_dataframe": "result.trials()",
    "df": "result.trials()",
    "history": "result.curves()",
}
"""What Ray Tune, Optuna and others call what a result has → what it is here."""


def _public() -> list[str]:
    return [name for name in dir(Result) if not name.startswith("_")]


@called_as("Result(store, sweep)")
class Result(RunsAgain, ActsOnTrials):
    """A sweep in the store.

    Args:
        store: Folder of the store, or its URI.
        sweep: Id of the sweep, the beginning or end of it, or its name; None: the latest. Where it names several, the
            newest is taken, with a warning.

    Raises:
        NotFoundError: There is no such sweep.
        StoreError: The store cannot be read.
    """

    def __init__(self, store: str | PurePath | None = None, sweep: str | None = None) -> None:
        if not isinstance(sweep, (str, type(None))):
            raise SpecError(f"a sweep is called by its id or its name, as text, but got {sweep!r:.60}")
        with told_for(store if isinstance(store, (str, PurePath)) else None):
            self._store = Store.open(store_path(store))
            self._sweep: SweepDir = newest(self._store, sweep, lambda text: warnings.warn(text, stacklevel=4))
        self.program: Program | None = None

    @property
    def id(self) -> str:
        """The sweep's id."""
        return self._sweep.id

    @property
    def metric(self) -> str:
        """The metric that ranks the trials."""
        return self._sweep.plan.metric

    @property
    def mode(self) -> str:
        """`min` or `max`: what is better."""
        return self._sweep.plan.mode

    @property
    def space(self) -> Space:
        """What was searched, as it was sampled: parameters held at their defaults for want of trials are constants."""
        from caviar.spec.plan import Plan  # noqa: PLC0415 — a result that is only read needs none of it

        return Plan.from_json(self._sweep.description()["plan"]).space

    @property
    def best(self) -> BestTrial:
        """The best trial, by the sweep's own rule; `result.best.checkpoint("best.pt")` writes its model.

        Raises:
            NoResultError: No trial has a usable result.
        """
        with self._opened() as opened:
            return BestTrial.of(best_document(opened, k=1).trials[0], self)

    @property
    def final(self) -> dict[str, float] | None:
        """What the sweep's `final` function found for the winner, or for that of its retest; None: there is none."""
        with self._opened() as opened:
            found = final_of(opened, newest_retest(self._store, self._sweep))
        return None if found is None else found["metrics"]

    @property
    def retested(self) -> RetestDocument | None:
        """What the newest retest of the sweep found: the verdict, and what each configuration is worth.

        None: its best were not tested again; `Sweep(retest=5)` or `caviar retest` does it.
        """
        from caviar.results.retest import newest_verdict  # noqa: PLC0415 — costs scipy

        with self._told(), suppress(NoResultError):
            return newest_verdict(self._store, self._sweep)
        return None

    def understand(self, *, rule: str | None = None, at_step: int | None = None) -> UnderstandDocument:
        """What the sweep tells of its space: what matters, where the best lie, what more trials would gain.

        Raises:
            NoResultError: No trial has a usable value.
            SpecError: It is a retest; or as of `select`.
        """
        from caviar.results.understand import understand_document  # noqa: PLC0415 — what else is read needs none of it

        with self._opened() as opened:
            return understand_document(opened, rule=rule, at_step=at_step)

    def select(
        self,
        k: int = 5,
        *,
        rule: str | None = None,
        at_step: int | None = None,
        metric: str | None = None,
        mode: str | None = None,
        where: str | Sequence[str] = (),
    ) -> Selection:
        """The best `k` trials, from 1; those that repeat a configuration with other seeds are one, with their mean.

        Args:
            k: How many.
            rule: `last`, `best` or `smoothed`; None: the sweep's own.
            at_step: Compare what trials had up to this step.
            metric: Another metric, or an expression over metrics and parameters: `"val_error + 0.01*latency_ms"`.
            mode: `min` or `max`; None: the sweep's own, where that is the metric or stands in the expression.
            where: Expressions that must hold, such as `"params < 1e6"`.

        Raises:
            SpecError: `k` is no such number, there is no such rule, or an expression is none.
        """
        wish = Wish(metric=metric, mode=mode, where=_several(where), repeats=True)
        with self._opened() as opened:
            return select(opened.views, self._sweep.description(), k=k, rule=rule, at_step=at_step, wish=wish)

    def pareto(
        self, *objectives: str, rule: str | None = None, where: str | Sequence[str] = ()
    ) -> tuple[ParetoTrial, ...]:
        """The completed trials that no other one beats in all objectives, the best of the first one first.

        Args:
            objectives: Metrics or expressions, two at least, such as `"val_error:min"`, `"latency_ms:min"`.
            rule: `last`, where the sweep's own is another one.
            where: Expressions that must hold.

        Raises:
            SpecError: There are fewer than two, or one is none.
            NoResultError: No trial has completed with a value of each.
        """
        with self._opened() as opened:
            return pareto_document(opened, objectives, rule=rule, where=_several(where)).trials

    def checkpoint(self, trial: int | None = None, *, step: int | None = None, best: bool = False) -> Checkpoint:
        """A checkpoint of a trial: its `step`, and its `data`, the bytes that train gave to `trial.save`.

        Args:
            trial: Which; None: the best one, or the winner of the sweep's retest.
            step: The last step that is in it; None: the newest.
            best: Take the one that was saved with the best value of the metric.

        Raises:
            NotFoundError: There is no such trial, or no such checkpoint.
            StoreError: It is damaged or gone.
        """
        from caviar.results.checkpoint import checkpoint_of  # noqa: PLC0415 — few ask for it

        number = None if trial is None else trial_number(trial)
        with self._opened() as opened:
            found, data = checkpoint_of(opened, number, step=step, best=best)
        return Checkpoint(found.step, data)

    def artifact(self, name: str, trial: int | None = None) -> bytes:
        """A file that a trial kept by `trial.keep`, the newest of that name; errors as of `checkpoint`.

        Args:
            name: What it is called.
            trial: Which; None: the best one, or the winner of the sweep's retest.
        """
        from caviar.results.checkpoint import artifact_of  # noqa: PLC0415 — few ask for it

        number = None if trial is None else trial_number(trial)
        with self._opened() as opened:
            _, write = artifact_of(opened, number, name)
            write(file := BytesIO())
        return file.getvalue()

    @property
    def plot(self) -> Plots:
        """Plots for papers, such as `result.plot.curves().savefig("curves.pdf")`; they need matplotlib."""
        from caviar.results.plots import Plots  # noqa: PLC0415 — who reads numbers does not pay for plots

        return Plots(self._opened)

    def report(self, path: str | PurePath | None = None, *, metrics: Sequence[str] = (), force: bool = False) -> str:
        """Write a report, one file for a browser: the verdict, what to know before one trusts it, and pictures.

        Args:
            path: Where to; None: `report-ID.html` in the working folder.
            metrics: Whose curves it shows; empty: as many as there is room for.
            force: Write over a file that is no report.

        Returns:
            The absolute path of the file.

        Raises:
            SpecError: Another file is there, or it cannot be written.
            NotFoundError: One of the metrics was never reported.
        """
        from caviar.results.report.report_file import write_report  # noqa: PLC0415 — costs jinja2 and scipy

        place = None if path is None else str(path)
        with self._told():
            return write_report(
                self._store, [self._sweep], place, warnings.warn, metrics=_several(metrics), force=force
            ).file

    def export(self, to: str, where: str | PurePath, *, force: bool = False) -> ExportDocument:
        """Write the sweep for another tool, each trial with its configuration, its state and its whole curve.

        Args:
            to: `optuna`, `tensorboard`, `mlflow`, `wandb`, or a table: `csv`, `latex`, `markdown`.
            where: The file or folder, as of `caviar export`.
            force: Replace a file that is there.

        Raises:
            SpecError: There is no such tool, it is not installed, or the place does not suit it, or is taken.
        """
        from caviar.export.export import export  # noqa: PLC0415 — few ask for it

        with self._opened() as opened:
            return export(opened, to, str(where), force=force)

    def trials(self) -> pd.DataFrame:
        """One row a trial: state, seed, parameters, last and best metrics, times, host."""
        return self.sql("SELECT * FROM trials ORDER BY trial").df()

    def curves(self, trial: int | None = None) -> pd.DataFrame:
        """One row a report, in the order of trial and report; of one trial, or of all.

        Raises:
            NotFoundError: The sweep has no such trial.
        """
        if trial is None:
            return self.sql("SELECT * EXCLUDE (_row) FROM _curves ORDER BY trial, _row").df()
        number = trial_number(trial)
        with self._opened() as opened, opened.views.of_trials([number]):
            opened.trial(number)
            rows = f"SELECT * EXCLUDE (_row) FROM _curves WHERE trial = {number} ORDER BY _row"
            return opened.views.ask(rows).df()

    def sql(self, query: str) -> Answer:
        """Ask the views sweeps, trials, curves, attempts, configs, logs, decisions, schedule of this sweep: one SELECT.

        Returns:
            DuckDB's result: `.fetchall()`, `.df()` for pandas, `.to_arrow_table()`; it shows itself as a table.

        Raises:
            SpecError: The query is not one SELECT, or wrong.
        """
        with self._told():
            return Answer(Views(self._store, [self._sweep]), query)

    @contextmanager
    def _opened(self) -> Iterator[OpenSweep]:
        with self._told(), Views(self._store, [self._sweep]) as views:
            yield OpenSweep(store=self._store, sweep=self._sweep, views=views, say=warnings.warn)

    def _told(self) -> AbstractContextManager[None]:
        """Within it, an error tells commands for this store."""
        return told_for(self._store.path)

    if not TYPE_CHECKING:  # a type checker is to find what is misspelt

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)
            hint = f"write {OF_OTHERS[name]}" if name in OF_OTHERS else f"it has {', '.join(_public())}"
            raise AttributeError(f"a result has no {name!r}: {hint}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"Result({str(self._store.path)!r}, {self.id!r})"

    def _repr_html_(self) -> str:
        """The report in a frame of its own; a table, where it would be long or cannot be made."""
        from caviar.results.report.report_file import report_frame  # noqa: PLC0415 — costs jinja2 and scipy

        with suppress(CaviarError), self._opened() as opened:
            if sum(opened.states().values()) <= MOST_FRAMED:
                return report_frame(opened, (), FRAME_HEIGHT)
        return self._table()

    def _table(self) -> str:
        try:
            with self._opened() as opened:
                best = best_document(opened, k=5)
        except (NoResultError, NotFoundError) as error:
            return f"<p>{html.escape(str(error))}</p>"
        rows = [
            {"trial": row.trial, best.metric: f"{row.value:.6g}", **row.config, "step": row.step} for row in best.trials
        ]
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row.values()) + "</tr>"
            for row in rows
        )
        title = html.escape(f"{opened.title}: {best.rule}")
        return f"<p>{title}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _several(words: str | Sequence[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
