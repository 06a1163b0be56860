"""`caviar replay`: a trial once more, with all that was done to it, and whether the same curve comes of it."""

from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, code_if_trusted, target_options, trial_argument, trust_option
from caviar.cli.output import data_only

if TYPE_CHECKING:
    from caviar.results.lineage import ReplayDocument

EPILOG = """\b
Examples:
  caviar replay 0
  caviar replay 7f3a 0 --json
"""


@click.command(epilog=EPILOG)
@trial_argument
@click.option("--address", metavar="HOST:PORT", help="Join this Ray cluster, as caviar resume does.")
@trust_option
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(trial: int, address: str | None, trust: bool, quiet: bool, target: Target) -> None:
    """Train a trial again from its seed, with its edits and rollbacks where they took effect, and compare the curves.

    It runs the code of the sweep; nothing of it is kept. Exit code 1: the curves of the sweep's metric differ.
    """
    from caviar.cli.output import emit_json, say
    from caviar.display.choose_display import choose_display
    from caviar.run.replay_trial import replay_trial
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = store.find(target.sweep)
    with data_only():
        document = replay_trial(
            store,
            sweep,
            trial,
            address=address,
            progress=choose_display(quiet=quiet),
            say=say,
            code=code_if_trusted(trust),
        )
    if target.as_json:
        emit_json(document)
    else:
        _print(document)
    if not document.equal:
        raise SystemExit(1)


def _print(document: "ReplayDocument") -> None:
    from caviar.cli.output import emit, say
    from caviar.display.numbers import counted

    emit(f"trial {document.trial} of {document.sweep}, {counted(document.rows, 'row')} trained again", hang=2)
    if document.same:
        emit(f"  the same, bit for bit: {', '.join(document.same)}", hang=4)
    for name, step in document.differs.items():
        what = f"its steps part at {step}" if name == "step" else f"{name} differs from step {step} on"
        emit(f"  {what}", hang=4)
    for note in document.notes:
        say(note)
