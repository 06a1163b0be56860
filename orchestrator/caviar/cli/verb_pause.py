"""`caviar pause`: a trial, or a sweep, frees what it computes on, until its user lets it go on."""

import click

from caviar.cli.options import Target, TrialNumber, sweep_argument, target_options

EPILOG = """\b
Examples:
  caviar pause
  caviar pause --trial 19
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--trial", type=TrialNumber(), metavar="N", help="Pause this trial only; the others go on.")
@target_options
def verb(trial: int | None, target: Target) -> None:
    """Let SWEEP, or one of its trials, pause at the next checkpoint: its CPUs and GPUs are free then.

    No stop policy wakes a trial that its user has paused; caviar continue does.
    """
    from caviar.cli.output import emit_json, say
    from caviar.run.pauses import pause
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = store.find(target.sweep)
    document = pause(store, sweep, trial, say=say)
    if target.as_json:
        emit_json(document)
        return
    which = "" if trial is None else f" --trial {trial}"
    what = f"sweep {sweep.id}" if trial is None else f"trial {trial} of sweep {sweep.id}"
    say(f"{what} pauses at the next checkpoint; it goes on with: caviar continue {sweep.id}{which}")
    for warning in document.warnings:
        say(warning)
