"""The best trials of a family of sweeps, coarse and fine together, as a table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caviar.cli.output import emit, say_left_out

if TYPE_CHECKING:
    from caviar.results.family import FamilyDocument


def print_family(document: FamilyDocument) -> None:
    """Write the table, and the winner's configuration ready to copy, to stdout."""
    from caviar.cli.winners import literal
    from caviar.show.numbers import number, option_text
    from caviar.show.style import STRONG
    from caviar.show.table import Column, print_table

    names = list(dict.fromkeys(name for one in document.trials for name in one.config))
    columns = [
        Column(name="sweep", keep=True),
        Column(name="trial", keep=True, style=STRONG),
        Column(name=document.metric, align="right", keep=True, shrink=True, style=STRONG),
        *(Column(name=name, align="right") for name in names),
        Column(name="step", align="right"),
        Column(name="state"),
    ]
    rows = []
    for one in document.trials:
        values = [option_text(one.config[name], 20) if name in one.config else "" for name in names]
        rows.append([one.sweep, f"t{one.trial}", number(one.value), *values, number(one.step), one.state])
    emit(f"best by {document.rule}, {document.mode}", hang=2)
    emit()
    say_left_out(print_table(columns, rows, sys.stdout))
    emit()
    winner = document.trials[0]
    emit(f"# config of t{winner.trial} of {winner.sweep}, seed {winner.seed}")
    emit(literal(winner.config))
