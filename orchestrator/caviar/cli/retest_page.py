"""A retest on a terminal: the verdict, a table of values with their intervals, and what could not be seen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caviar.cli.best_page import literal
from caviar.cli.output import emit, say_left_out
from caviar.display.numbers import MISSING, counted, number, option_text, with_half_width
from caviar.display.typed_commands import typed
from caviar.results.retest_words import seeds_in_words, trial_name, verdict_lines

if TYPE_CHECKING:
    from caviar.results.retest import RetestDocument, RetestedTrial


def print_retest(document: RetestDocument) -> None:
    """Write verdict, table and the winner's configuration, ready to copy, to stdout."""
    from caviar.display.console import STRONG
    from caviar.display.table import Column, print_table

    named = f"{document.name or 'sweep'} ({document.sweep})"
    emit(f"retest of {named}: {counted(len(document.trials), 'configuration')}, {seeds_in_words(document)}", hang=2)
    for line in verdict_lines(document):
        emit(typed(line), hang=2)
    emit()
    names = list(dict.fromkeys(name for one in document.trials for name in one.config))
    columns = [
        Column(name="trial", keep=True, style=STRONG),
        Column(name=document.metric, align="right", keep=True, style=STRONG),
        Column(name="mean", align="right"),
        Column(name="the sweep said", align="right"),
        Column(name="P(best)", align="right"),
        Column(name="seeds", align="right"),
        Column(name="failed on"),
        *(Column(name=name, align="right") for name in names),
    ]
    rows = [
        [
            trial_name(document, one),
            MISSING if one.value is None else with_half_width(one.value, one.half_width),
            MISSING if one.mean is None else number(one.mean),
            MISSING if one.lucky is None else number(one.lucky),
            f"{one.chance:.2f}" if one.live else "out" if document.verdict else MISSING,
            str(len(one.values) + sum(one.failures.values())),
            _failures(one),
            *(option_text(one.config[name], 20) if name in one.config else MISSING for name in names),
        ]
        for one in document.trials
    ]
    say_left_out(print_table(columns, rows, sys.stdout))
    winner = document.winner
    if winner is not None:
        emit()
        emit(f"# config of {trial_name(document, winner)}")
        emit(literal(winner.config))


def _failures(one: RetestedTrial) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in one.failures.items())
