"""`caviar diary`: what was done to one trial by hand, and what its curve made of it."""

from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, target_options, trial_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.diary import DiaryDocument, DiaryEntry

EPILOG = """\b
Examples:
  caviar diary 0
  caviar diary 7f3a 0 --json
  caviar diary 0 --as-code > schedule.py
"""


@click.command(epilog=EPILOG)
@trial_argument
@click.option("--as-code", is_flag=True, help="Print the schedule as Python that any script can use.")
@target_options
def verb(trial: int, as_code: bool, target: Target) -> None:
    """Tell what was done to one trial by hand, day by day, and what became of its curve after each act."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit, emit_json
    from caviar.results.diary import diary_document, schedule_code

    with opened(target) as sweep:
        if as_code:
            emit(schedule_code(sweep, trial))
            return
        document = diary_document(sweep, trial)
    if target.as_json:
        emit_json(document)
        return
    _print(document)


def _print(document: "DiaryDocument") -> None:
    from caviar.cli.output import emit
    from caviar.display.numbers import number

    stands = "" if document.step is None else f" at step {document.step}, {document.metric} {number(document.value)}"
    emit(f"trial {document.trial} of {document.name} ({document.sweep}): {document.state}{stands}", hang=2)
    if not document.entries:
        emit("  nothing was done to it by hand", hang=4)
    day = 0
    for entry in document.entries:
        if entry.day != day:
            day = entry.day
            emit()
            emit(f"day {day}, {entry.time:%Y-%m-%d}", hang=2)
        emit(f"  {entry.time:%H:%M}  {_said(entry, document.metric)}", hang=9)


def _said(entry: "DiaryEntry", metric: str) -> str:
    """One act in a line: when it took effect, what it was, why, by whom, and what became of the curve."""
    step = entry.after if entry.after is not None else entry.step
    where = "from the beginning" if step is not None and step < 0 else "" if step is None else f"step {step}"
    ramp = f" over {entry.over} steps" if entry.over else ""
    what = ", ".join(f"{name} {_shown(old)} → {_shown(new)}{ramp}" for name, (old, new) in entry.changes.items())
    waits = entry.action == "edit" and entry.changes and entry.after is None
    due = "undone by a rollback" if entry.undone else "not taken yet" if waits else ""
    what = f"back to there{', ' + what if what else ''}" if entry.action == "rollback" else what
    what = {"pause": "paused", "continue": "went on"}.get(entry.action, what)
    what = f"forked{': ' + what if what else ''}" if entry.action == "fork" else what
    what = f"{_named(entry.children)} forked from there" if entry.children else what
    said = ": ".join(filter(None, (where, what or entry.action)))
    facts = [f"“{entry.text}”" if entry.text else "", due, entry.who, _effect(entry, metric)]
    return "; ".join(filter(None, (said, *facts)))


def _named(trials: "Sequence[int]") -> str:
    """Trials in a line; of many the first ones."""
    names = [f"t{trial}" for trial in trials]
    if len(names) == 1:
        return f"{names[0]} was"
    last = f"{len(names) - 4} more" if len(names) > 5 else names[-1]
    return f"{', '.join(names[:4] if len(names) > 5 else names[:-1])} and {last} were"


def _effect(entry: "DiaryEntry", metric: str) -> str:
    from caviar.display.numbers import number

    if not entry.changes or entry.before is None or entry.since is None:
        return ""
    judged = {None: "as before", True: "better", False: "worse"}[entry.better]
    return f"{metric} {number(entry.before)} → {number(entry.since)}, {judged}"


def _shown(value: object) -> str:
    from caviar.display.numbers import number

    return number(value) if isinstance(value, float) else str(value)
