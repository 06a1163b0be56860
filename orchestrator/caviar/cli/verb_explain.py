"""`caviar explain`: what was decided about one trial, and on which numbers."""

from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, target_options, trial_argument

if TYPE_CHECKING:
    from caviar.cli.reading import Reading

_HEEDED = {"pause": ("PAUSED", "STOPPED"), "stop": ("STOPPED", "CANCELLED")}
"""States of the execution that a decision was about, if it did as it was told."""

EPILOG = """\b
Examples:
  caviar explain 19
  caviar explain digits t19 --json
"""


@click.command(epilog=EPILOG, short_help="Why a trial was stopped, or went on.")
@trial_argument
@target_options
def verb(trial: int, target: Target) -> None:
    """Tell what was decided about one trial, each decision in a sentence with the numbers that it rests on."""
    from caviar.cli.output import emit, emit_json
    from caviar.cli.reading import reading

    with reading(target) as opened:
        document = _document(opened, trial)
    if target.as_json:
        emit_json(document)
        return
    emit(f"trial {trial} of {document['name']} ({document['sweep']}): {document['state']}", hang=2)
    for decision in document["decisions"]:
        emit(f"  {decision['sentence']}", hang=4)
    if not document["decisions"]:
        emit("  nothing was decided about it: " + _silence(document["stopping"]), hang=4)


def _silence(stopping: str) -> str:
    if not stopping:
        return "the sweep has no stop policy"
    return f"it came to no step at which {stopping} judges, or ended before its rows arrived"


def _document(opened: "Reading", trial: int) -> dict[str, Any]:
    from caviar.searching import asked
    from caviar.stopping import sentence
    from caviar.store.aside import no_trial
    from caviar.store.record import numbers_of

    found = opened.rows("select state from trials where trial = ?", [trial])
    if not found:
        raise no_trial(opened.title, trial, opened.plan["trials"], opened.views)
    rows = opened.rows("select * exclude (sweep) from decisions where trial = ? order by n", [trial])
    attempts = opened.rows("select attempt, state, step from attempts where trial = ? order by attempt", [trial])
    ends: dict[int | None, dict[str, Any]] = {row["attempt"]: row for row in attempts}
    if attempts:
        ends[None] = attempts[-1]  # what was decided of a trial that was in no process concerns what came then
    decisions = []
    for row in rows:
        numbers = numbers_of(row["numbers"])
        facts = {name: row[name] for name in ("action", "step", "value", "bar")}
        after = ends.get(row["attempt"])
        heeded = row["action"] not in _HEEDED or (after is not None and after["state"] in _HEEDED[row["action"]])
        by = row["decided_by"]
        told = (
            asked(by, numbers) if row["action"] == "ask" else sentence(**facts, by=by, numbers=numbers, heeded=heeded)
        )
        if not heeded and after is not None:
            told += f"; it ran on to step {after['step']}, and is {after['state']}"
        decisions.append({**row, "numbers": numbers, "sentence": told})
    return {
        "sweep": opened.sweep.id,
        "name": opened.plan["name"],
        "trial": trial,
        "state": found[0]["state"],
        "metric": opened.plan["metric"],
        "stopping": opened.plan.get("stopping", ""),
        "decisions": decisions,
    }
