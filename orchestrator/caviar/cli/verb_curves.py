"""`caviar curves`: the learning curves of the best trials, side by side."""

import sys
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Ranking, Target, axis_option, ranking_options, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

EPILOG = """\b
Examples:
  caviar curves
  caviar curves --top 20 --linear
  caviar curves --metric train_loss --json
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--top", default=10, show_default=True, type=click.IntRange(min=1), help="How many trials.")
@click.option("--metric", metavar="M", help="What to plot (default: the sweep's metric).")
@axis_option
@ranking_options
@target_options
def verb(top: int, metric: str | None, log: bool | None, ranking: Ranking, target: Target) -> None:
    """Draw the learning curves of the best trials of SWEEP, all on the same axes."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.results.best import best_document
    from caviar.results.curves import curves_document, known_metric

    rule, at_step = ranking.rule, ranking.at_step
    with opened(target) as sweep:
        if target.as_json:
            emit_json(curves_document(sweep, top=top, metric=metric, rule=rule, at_step=at_step))
            return
        shown = known_metric(sweep, metric)
        best = best_document(sweep, k=top, rule=rule, at_step=at_step)
        _print(sweep, [row.trial for row in best.trials], shown, log)


def _print(opened: "OpenSweep", trials: list[int], metric: str, log: bool | None) -> None:
    from caviar.cli.output import emit
    from caviar.display.axis import axis_of, axis_text
    from caviar.display.console import CURVE, data_console
    from caviar.display.glyphs import glyphs_for
    from caviar.display.numbers import number
    from caviar.display.sparkline import sparklines
    from caviar.display.table import Column, print_table
    from caviar.results.curves_sql import first_and_last, thinned

    points = thinned(opened, trials, metric)
    numbers = first_and_last(opened, list(points), metric)
    width = min(max(data_console(sys.stdout).width - 45, 10), 60)
    curves, steps = [one.values for one in points.values()], [one.steps for one in points.values()]
    if all(value is None for curve in curves for value in curve):
        never = "was never finite in" if any(curves) else "was reported by none of"
        emit(f"{opened.title}: {metric} {never} these trials", hang=2)
        return
    axis = axis_of(curves, log)
    sparks = sparklines(curves, steps=steps, width=width, axis=axis, spark=glyphs_for(sys.stdout).spark)
    emit(opened.title, hang=2)
    emit(f"{metric} {axis_text(axis)}", hang=2)
    emit()
    places = [step for one in steps for step in one]
    columns = [
        Column(name="trial", keep=True),
        Column(name=f"steps {min(places)} to {max(places)}", keep=True, style=CURVE),
        Column(name="first", align="right"),
        Column(name="last", align="right", keep=True),
    ]
    rows = [
        [f"t{trial}", spark, number(one.first), number(one.last)]
        for (trial, one), spark in zip(numbers.items(), sparks, strict=True)
    ]
    print_table(columns, rows, sys.stdout)
