"""`caviar continue`: a trial, or a sweep, goes on that its user had paused."""

import click

from caviar.cli.options import Target, TrialNumber, code_if_trusted, sweep_argument, target_options, trust_option

EPILOG = """\b
Examples:
  caviar continue
  caviar continue --trial 19
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--trial", type=TrialNumber(), metavar="N", help="Let this trial go on; the others stay as they are.")
@click.option("--address", metavar="HOST:PORT", help="Join this Ray cluster, as caviar resume does.")
@trust_option
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(trial: int | None, address: str | None, trust: bool, quiet: bool, target: Target) -> None:
    """Let what its user has paused go on: of SWEEP all, or one trial.

    Of a sweep that runs, its driver does so; else the sweep is resumed.
    """
    from caviar.cli.after_act import after_act
    from caviar.cli.output import say
    from caviar.run.pauses import go_on
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = store.find(target.sweep)
    runs = sweep.owner().runs
    document = go_on(store, sweep, trial, say=say)
    for one in document.trials:
        say(f"trial {one} goes on")
    after_act(target, store, sweep, document, runs=runs, quiet=quiet, address=address, code=code_if_trusted(trust))
