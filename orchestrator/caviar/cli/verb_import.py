"""`caviar import`: a finished sweep of a table of trials that ran elsewhere."""

import re
from collections.abc import Sequence
from typing import Any

import click

from caviar.cli.command_sweep import named_range
from caviar.cli.options import Target, target_options
from caviar.cli.output import say

EPILOG = """\b
A row is a trial, or a report; in npz, Parquet and JSON it may hold whole
curves. Tables of Optuna (trials_dataframe), Ray Tune (get_dataframe) and
Weights & Biases (export of runs) are known by their columns.

\b
Examples:
  caviar import study.csv
  caviar import optuna.db --study digits
  caviar import ~/ray_results/train_2026-11-30
  caviar import runs.csv --metric val_error --params lr,units,optimizer
  caviar import curves.parquet --trial run --params 'hp_*' --metric loss
  caviar import bench.npz --params lr,momentum --metric accuracy --mode max \\
    --space lr=log:5e-3..50 --step step
"""


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE")
@click.option("--metric", metavar="COLUMN", help="The metric that decides.")
@click.option("--mode", type=click.Choice(["min", "max"]), help="Which is better (default: min, or as Optuna says).")
@click.option("--params", multiple=True, metavar="COLUMNS", help="Parameters: lr,units or 'hp_*'; repeatable.")
@click.option("--metrics", multiple=True, metavar="COLUMNS", help="Further metrics (default: all other numbers).")
@click.option("--trial", metavar="COLUMN", help="Says of which trial a row is (default: each row is one).")
@click.option("--step", metavar="COLUMN", help="Steps of the reports (default: counted from 0).")
@click.option("--seed", metavar="COLUMN", help="Seeds of the trials.")
@click.option("--study", metavar="NAME", help="Which study, where an Optuna storage holds several.")
@click.option("--steps", metavar="LOW..HIGH", help="Leave out reports of other steps.")
@click.option(
    "--space",
    multiple=True,
    metavar="NAME=RANGE",
    help="What a parameter was drawn from: lr=log:1e-4..1, units=8..256, opt=adam,sgd (default: inferred).",
)
@click.option("--searcher", metavar="NAME", help="Who chose the points, such as optuna:tpe (default: drawn at random).")
@click.option("--name", metavar="TEXT", help="What to call the sweep (default: the file's name).")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A tag to find the sweep by; repeatable.")
@click.option("--note", default="", metavar="TEXT", help="A note to keep with the sweep.")
@click.option("--dry-run", is_flag=True, help="Say which column is what; store nothing.")
@target_options
def verb(
    *,
    file: str,
    study: str | None,
    steps: str | None,
    space: tuple[str, ...],
    dry_run: bool,
    target: Target,
    **given: Any,
) -> None:
    """Make a finished sweep of the table in FILE: .csv, .jsonl, .parquet or .npz; or of what a tool keeps.

    That is a storage of Optuna (.db, or a journal, .log), or the folder of results of Ray Tune.

    What was found out of the table rather than said is told on stderr. The sweep has no code: what reads it works,
    and nothing can be run with it.
    """
    from pathlib import Path

    from caviar.cli.output import emit, emit_json
    from caviar.display.numbers import counted
    from caviar.run.import_mapping import Asked
    from caviar.run.import_sweep import import_trials, read_trials
    from caviar.spec.provenance import provenance
    from caviar.store import Store

    columns: dict[str, Any] = {key: given.pop(key) for key in ("metric", "trial", "step", "seed")}
    columns |= {key: _listed(given.pop(key)) for key in ("params", "metrics")}
    asked = Asked(**columns)
    settings = {key: value for key, value in given.items() if value is not None}
    ranges = dict(map(named_range, space))
    table = read_trials(Path(file), asked, say, ranges=ranges, steps=_steps(steps), settings=settings, study=study)
    made = None
    if not dry_run:
        made = import_trials(Store.open(target.store, create=True), table, provenance(None))
    document = table.document(target.store, made)
    if target.as_json:
        emit_json(document)
    else:
        what = f"{counted(document.trials, 'trial')}, {counted(document.reports, 'report')}"
        states = ", ".join(f"{number} {state.lower()}" for state, number in document.states.items())
        emit(
            f"{document.name}{'' if made is None else f' ({made})'}: {what}: {states}, {document.diverged} diverged",
            hang=2,
        )
    say("nothing was stored (--dry-run)" if made is None else "next: caviar best")


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    """The words between commas; an option may be repeated too."""
    return tuple(one.strip() for word in words for one in word.split(",") if one.strip())


def _steps(word: str | None) -> tuple[int, int] | None:
    if word is None:
        return None
    found = re.fullmatch(r"(\d{1,18})\.\.(\d{1,18})", word)
    if found is None:
        raise click.UsageError(f"--steps is LOW..HIGH, such as 1..50, got {word!r}")
    return int(found[1]), int(found[2])
