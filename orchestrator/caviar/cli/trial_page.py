"""One trial on a terminal, from top to bottom."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from caviar.cli.output import emit

if TYPE_CHECKING:
    from caviar.results.trial import Summary, TrialDocument


def print_trial(document: TrialDocument, log: bool | None) -> None:
    """Write the page of one trial to stdout."""
    emit(f"trial {document.trial} of {document.name} ({document.sweep}): {_outcome(document)}", hang=2)
    emit(_facts(document), hang=2)
    emit()
    _print_config(document.config, document.held)
    _print_metrics(document.metrics)
    _print_curve(document, log)
    if len(document.attempts) > 1:
        _print_attempts(document.attempts)
    _print_artifacts(document.artifacts)
    _print_text("error", document.error or "")
    _print_text("output (last lines)", "\n".join(document.output))


def _outcome(document: TrialDocument) -> str:
    from caviar.display.numbers import duration

    kind = f" ({document.kind})" if document.kind and document.kind != document.state.lower() else ""
    if document.started is None or document.ended is None:
        return f"{document.state}{kind}"
    took = duration((document.ended - document.started).total_seconds())
    busy = "" if document.busy is None else f", {duration(document.busy)} of it busy"
    return f"{document.state}{kind} in {took}{busy}"


def _facts(document: TrialDocument) -> str:
    from caviar.display.numbers import counted

    facts = [] if document.seed is None else [f"seed {document.seed}"]
    facts.append(counted(document.rows or 0, "report"))
    if document.host:
        facts.append(f"host {document.host}, pid {document.pid}")
    if document.devices:
        facts.append(f"devices {document.devices}")
    if document.diverged:
        facts.append("reported NaN or infinity")
    return ", ".join(facts)


def _print_config(config: dict[str, Any], held: dict[str, int]) -> None:
    """The configuration, saying which values are defaults for want of trials."""
    from caviar.display.sanitize import plain
    from caviar.display.wrap import column_width, padded

    width = column_width(map(plain, config))
    emit("config")
    for name, value in config.items():
        default = f"  (its default; tier {held[name]})" if name in held else ""
        emit(f"  {padded(plain(name), width)}  {value!r}{default}", hang=6)


def _print_metrics(metrics: dict[str, Summary]) -> None:
    from caviar.display.numbers import number
    from caviar.display.table import Column, print_table

    if not metrics:
        return
    emit()
    columns = [
        Column(name="metric", keep=True, shrink=True),
        *(Column(name=n, align="right", keep=True) for n in ("last", "best")),
    ]
    rows = [[name, number(values["last"]), number(values["best"])] for name, values in metrics.items()]
    print_table(columns, rows, sys.stdout)


def _print_curve(document: TrialDocument, log: bool | None) -> None:
    from caviar.display.axis import axis_of, axis_text
    from caviar.display.console import data_console
    from caviar.display.glyphs import glyphs_for
    from caviar.display.sparkline import chart

    points = document.curves.get(document.metric)
    if points is None or len(points.steps) < 2:
        return
    axis = axis_of([points.values], log)
    width = min(data_console(sys.stdout).width, 80)
    lines = chart(points.values, points.steps, glyphs_for(sys.stdout), size=(width, 8), axis=axis)
    if lines:
        emit()
        emit(f"{document.metric} {axis_text(axis)}", hang=2)
        emit("\n".join(lines))


def _print_artifacts(artifacts: dict[str, int]) -> None:
    from caviar.display.numbers import sized
    from caviar.display.sanitize import plain

    if artifacts:
        emit()
        emit("artifacts (caviar get TRIAL --artifact NAME -o FILE)")
        for name, size in artifacts.items():
            emit(f"  {plain(name)}  {sized(size)}", hang=6)


def _print_attempts(attempts: list[dict[str, Any]]) -> None:
    from caviar.display.table import Column, print_table

    names = ("attempt", "cause", "state", "kind", "host", "rows", "step")
    emit()
    columns = [Column(name=name, keep=name in {"attempt", "state"}) for name in names]
    rows = [["" if row[name] is None else str(row[name]) for name in names] for row in attempts]
    print_table(columns, rows, sys.stdout)


def _print_text(title: str, text: str) -> None:
    if text.strip():
        emit()
        emit(title)
        for line in text.rstrip().splitlines():
            emit(f"  {line}", hang=6)
