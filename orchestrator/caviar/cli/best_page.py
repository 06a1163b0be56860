"""The best trials of a sweep, or of a family of sweeps, on a terminal: a table with sparklines, a configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from caviar.cli.output import emit, say, say_left_out
from caviar.display.typed_commands import typed
from caviar.results.curves_sql import Points, thinned
from caviar.results.retest_words import seeds_in_words, trial_name, verdict_lines
from caviar_workers.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.display.table import Column
    from caviar.results.best import BestDocument
    from caviar.results.family import FamilyDocument
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.pareto import ParetoDocument
    from caviar.results.retest import RetestDocument


SPARK_WIDTH = 10
_COUNTED = (State.COMPLETED, State.STOPPED, State.PAUSED, State.FAILED, State.CANCELLED)


def print_winners(opened: OpenSweep, document: BestDocument) -> None:
    """Write the table, and the winner's configuration ready to copy, to stdout."""
    emit(f"{opened.title}{_others(opened)}", hang=2)
    emit(f"best by {document.rule}, {document.mode}", hang=2)
    emit()
    _print_table(opened, document)
    emit()
    _print_config(document)
    _print_final(document)


def say_if_edited(opened: OpenSweep, document: BestDocument) -> bool:
    """Say on stderr, and return, whether the winner's configuration is not what it was trained with throughout."""
    from caviar.results.edited import edited_trials

    winner = document.trials[0].trial
    if winner not in edited_trials(opened.views):
        return False
    say(
        f"t{winner} was edited or forked, and its config is the one that it began with: "
        f"caviar diary {opened.sweep.id} {winner} --as-code has its schedule"
    )
    return True


def _print_table(opened: OpenSweep, document: BestDocument) -> None:
    from caviar.display.axis import axis_of
    from caviar.display.console import CURVE, STRONG
    from caviar.display.glyphs import glyphs_for
    from caviar.display.numbers import MISSING, number, option_text
    from caviar.display.sparkline import sparklines
    from caviar.display.table import Column, print_table

    retested = None if document.retest is None else _on_fresh_seeds(document.retest)
    curves = _curves(opened, document)
    axis = axis_of([one.values for one in curves])
    sparks = sparklines(
        [one.values for one in curves],
        steps=[one.steps for one in curves],
        width=SPARK_WIDTH,
        axis=axis,
        spark=glyphs_for(sys.stdout).spark,
    )
    repeated = any(row.n > 1 for row in document.trials)
    cells: list[tuple[Column, list[str]]] = [
        (Column(name="trial", keep=True, style=STRONG), [f"t{row.trial}" for row in document.trials]),
        (
            Column(name=document.metric, align="right", keep=True, shrink=True, style=STRONG),
            [number(row.value) for row in document.trials],
        ),
        *(_repeats(document) if repeated else ()),
        (
            Column(name="fresh seeds", align="right", style=STRONG),
            [] if retested is None else [retested.get(row.trial, MISSING) for row in document.trials],
        ),
        (Column(name="log curve" if axis.log else "curve", style=CURVE), list(sparks)),
        *(
            (
                Column(name=name, align="right"),
                [option_text(row.config[name], 20) if name in row.config else MISSING for row in document.trials],
            )
            for name in opened.parameters
        ),
        (Column(name="step", align="right"), [number(row.step) for row in document.trials]),
        (Column(name="state"), [row.state for row in document.trials]),
    ]
    shown = [pair for pair in cells if pair[1]]
    columns = [column for column, _ in shown]
    rows = [list(row) for row in zip(*(values for _, values in shown), strict=True)]
    say_left_out(print_table(columns, rows, sys.stdout))
    if document.luck is not None:
        emit(document.luck, hang=2)


def _print_config(document: BestDocument) -> None:
    """The winner's; after a retest, that of its winner, with the verdict."""
    retest = document.retest
    if retest is not None:
        _print_verdict(retest)
    if retest is not None and (better := retest.winner) is not None:
        emit(f"# config of {trial_name(retest, better)}")
        emit(literal(better.config))
        return
    winner = document.trials[0]
    emit(f"# config of t{winner.trial}{seeded(winner.seed)}")
    emit(literal(winner.config))


def _print_verdict(document: RetestDocument) -> None:
    """Write the verdict alone, beside what the sweep said."""
    first, *others = map(typed, verdict_lines(document))
    emit(f"retest, {seeds_in_words(document)}: {first}", hang=2)
    for line in others:
        emit(line, hang=2)
    emit()


def _on_fresh_seeds(retest: RetestDocument) -> dict[int, str]:
    """Trial → what a retest says that it is worth."""
    from caviar.display.numbers import with_half_width

    here = [one for one in retest.trials if one.sweep == retest.sweep]
    worth = {one.trial: with_half_width(one.value, one.half_width) for one in here if one.value is not None}
    return worth | {one.trial: "failed" for one in here if one.failures}


def _curves(opened: OpenSweep, document: BestDocument) -> list[Points]:
    """The curves of what ranks the trials; none, where that is an expression."""
    if document.metric not in opened.views.metrics():
        return []
    found = thinned(opened, [row.trial for row in document.trials], document.metric)
    return [found[row.trial] for row in document.trials]


def _repeats(document: BestDocument) -> list[tuple[Column, list[str]]]:
    """How many trainings each value is the mean of, and how they spread."""
    from caviar.display.numbers import MISSING, number
    from caviar.display.table import Column

    return [
        (Column(name="sd", align="right"), [MISSING if row.sd is None else number(row.sd) for row in document.trials]),
        (Column(name="n", align="right"), [str(row.n) for row in document.trials]),
    ]


def print_pareto(document: ParetoDocument) -> None:
    """Write the table of a Pareto set to stdout."""
    from caviar.display.console import STRONG
    from caviar.display.numbers import MISSING, number, option_text
    from caviar.display.table import Column, print_table

    names = list(dict.fromkeys(name for one in document.trials for name in one.config))
    columns = [
        Column(name="trial", keep=True, style=STRONG),
        *(
            Column(name=f"{one.metric} {one.mode}", align="right", keep=True, shrink=True)
            for one in document.objectives
        ),
        *(Column(name=name, align="right") for name in names),
        Column(name="step", align="right"),
    ]
    rows = [
        [
            f"t{one.trial}",
            *map(number, one.values),
            *(option_text(one.config[name], 20) if name in one.config else MISSING for name in names),
            number(one.step),
        ]
        for one in document.trials
    ]
    emit(f"{document.name} ({document.sweep})", hang=2)
    emit(f"Pareto set, {len(rows)} of {document.compared}: {document.rule}", hang=2)
    emit()
    say_left_out(print_table(columns, rows, sys.stdout))


def seeded(seed: int | None) -> str:
    """`, seed 7`; empty where it is not known, of an imported trial."""
    return "" if seed is None else f", seed {seed}"


def _others(opened: OpenSweep) -> str:
    """`: 38 completed, 24 stopped, 2 failed`, where not all trials that ended completed."""
    counts = opened.states()
    named = [(state, counts.get(state, 0)) for state in _COUNTED]
    if not any(count for state, count in named if state != State.COMPLETED):
        return ""
    return ": " + ", ".join(f"{count} {state.lower()}" for state, count in named if count)


def _print_final(document: BestDocument) -> None:
    from caviar.display.numbers import config_text

    final = document.final
    if final is not None:
        emit()
        home = final.get("sweep", document.sweep)
        where = "" if home == document.sweep else f" of {home}"
        looks = final.get("looks", 1)
        times = "once" if looks == 1 else f"after {looks - 1} other{'' if looks == 2 else 's'}"
        emit(f"final, measured {times} on t{final['trial']}{where}: {config_text(final['metrics'])}", hang=2)


def literal(config: Mapping[str, Any]) -> str:
    """The configuration as Python source, at full precision, in characters that stdout has; on one line if short."""
    flat = source = repr(dict(config))
    if len(flat) > 78:
        source = "\n".join(["{", *(f"    {name!r}: {value!r}," for name, value in config.items()), "}"])
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # What it lacks stands in texts only, and is escaped there.
    return source.encode(encoding, "backslashreplace").decode(encoding)


def print_family(document: FamilyDocument) -> None:
    """Write the table, and the winner's configuration ready to copy, to stdout."""
    from caviar.display.console import STRONG
    from caviar.display.numbers import number, option_text
    from caviar.display.table import Column, print_table

    names = list(dict.fromkeys(name for one in document.trials for name in one.candidate.config))
    columns = [
        Column(name="sweep", keep=True),
        Column(name="trial", keep=True, style=STRONG),
        Column(name=document.metric, align="right", keep=True, shrink=True, style=STRONG),
        *(Column(name=name, align="right") for name in names),
        Column(name="step", align="right"),
        Column(name="state"),
    ]
    rows = []
    for trial in document.trials:
        one = trial.candidate
        values = [option_text(one.config[name], 20) if name in one.config else "" for name in names]
        rows.append([trial.sweep, f"t{one.trial}", number(one.value), *values, number(one.step), one.state])
    emit(f"best by {document.rule}, {document.mode}", hang=2)
    emit()
    say_left_out(print_table(columns, rows, sys.stdout))
    emit()
    winner = document.trials[0].candidate
    emit(f"# config of t{winner.trial} of {document.trials[0].sweep}{seeded(winner.seed)}")
    emit(literal(winner.config))
