"""`caviar curves`: the learning curves of the best trials, side by side."""

import sys
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Ranking, Target, ranking_options, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.cli.reading import Reading
    from caviar.select import Selection

EPILOG = """\b
Examples:
  caviar curves
  caviar curves --top 20 --log
  caviar curves --metric train_loss --json
"""


@click.command(epilog=EPILOG, short_help="Learning curves in the terminal.")
@sweep_argument
@click.option("--top", default=10, show_default=True, type=click.IntRange(min=1), help="How many trials.")
@click.option("--metric", metavar="M", help="What to draw (default: the sweep's metric).")
@click.option("--log", is_flag=True, help="Logarithmic y-axis.")
@ranking_options
@target_options
def verb(top: int, metric: str | None, log: bool, ranking: Ranking, target: Target) -> None:
    """Draw the learning curves of the best trials of SWEEP, all on the same axes."""
    from caviar.cli.output import emit_json
    from caviar.cli.points import checked_metric, exact
    from caviar.cli.reading import reading
    from caviar.cli.winners import choose

    with reading(target) as opened:
        name = checked_metric(opened, metric)
        selection = choose(opened, top, ranking)
        if not target.as_json:
            _print(opened, selection, name, log)
            return
        curves = exact(opened, [row.trial for row in selection.rows], name)
        emit_json(
            {
                "sweep": opened.sweep.id,
                "metric": name,
                "trials": [
                    {"trial": trial, "steps": points.steps, "values": points.values} for trial, points in curves.items()
                ],
            }
        )


def _print(opened: "Reading", selection: "Selection", metric: str, log: bool) -> None:
    from caviar.cli.output import emit
    from caviar.cli.points import drawn
    from caviar.show.console import data_console
    from caviar.show.glyphs import glyphs_for
    from caviar.show.numbers import number
    from caviar.show.sparkline import sparklines
    from caviar.show.table import Column, print_table

    curves = drawn(opened, [row.trial for row in selection.rows], metric)
    width = min(max(data_console(sys.stdout).width - 45, 10), 60)
    sparks = sparklines(
        [points.values for points in curves.values()],
        steps=[points.steps for points in curves.values()],
        width=width,
        log=log,
        spark=glyphs_for(sys.stdout).spark,
    )
    finite = [value for points in curves.values() for value in points.values if value is not None]
    steps = [step for points in curves.values() for step in points.steps]
    if not finite:
        emit(f"{opened.title}: {metric} was never finite in these trials")
        return
    scale = ", log" if log else ""
    emit(f"{opened.title}: {metric} from {number(min(finite))} to {number(max(finite))}{scale}")
    emit()
    columns = [
        Column(name="trial", keep=True),
        Column(name=f"steps {min(steps)} to {max(steps)}", keep=True, style="cyan"),
        Column(name="first", align="right"),
        Column(name="last", align="right", keep=True),
    ]
    rows = [
        [f"t{trial}", spark, *(number(points.values[end] if points.values else None) for end in (0, -1))]
        for (trial, points), spark in zip(curves.items(), sparks, strict=True)
    ]
    print_table(columns, rows, sys.stdout)
