"""`caviar rollback`: a trial goes on from an earlier checkpoint."""

from pathlib import Path
from typing import Any

import click

from caviar.cli.options import Target, code_if_trusted, sweep_option, target_options, trust_option
from caviar.cli.verb_edit import trial_and_wishes

EPILOG = """\b
Examples:
  caviar rollback 0 --to-step 900
  caviar rollback 0 --to-step 900 lr=*0.5 --why "spike at 950"
  caviar rollback 0 --to-step 900 --skip-data
  caviar rollback 0 --to-step 900 --code mended.py
"""


@click.command(epilog=EPILOG)
@click.argument("words", nargs=-1, required=True, metavar="[SWEEP] TRIAL [NAME=VALUE...]")
@sweep_option("The same as SWEEP.")
@click.option("--to-step", type=click.IntRange(min=0), required=True, metavar="N", help="Back to this step, or before.")
@click.option("--skip-data", is_flag=True, help="Leave out the data of the steps that are left behind: trial.skip.")
@click.option(
    "--code",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Go on with the functions of this file; the sweep's other trials do from here on, too.",
)
@click.option("--why", default="", metavar="TEXT", help="The reason, for the diary.")
@click.option("--address", metavar="HOST:PORT", help="Join this Ray cluster, as caviar resume does.")
@trust_option
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(
    words: tuple[str, ...], to_step: int, code: Path | None, trust: bool, quiet: bool, target: Target, **given: Any
) -> None:
    """Go on with a trial from its last checkpoint at or before a step, perhaps with other values.

    Of a sweep that runs, its driver does so; else the sweep is resumed. What was trained after the checkpoint is kept,
    and does not count any more.
    """
    from caviar.cli.after_act import after_act
    from caviar.cli.output import say
    from caviar.run.acts import Wish, roll_back
    from caviar.run.resumed_code import program_from
    from caviar.store import Store

    trial, wishes, sweep_ref = trial_and_wishes(words, target.sweep, few=0)
    store = Store.open(target.store)
    sweep = store.find(sweep_ref)
    runs = sweep.owner().runs
    trusted = code_if_trusted(trust)
    program = None if code is None else program_from(sweep, code, trusted)
    wish = Wish(values=wishes, skip_data=given["skip_data"], code=program, why=given["why"])
    document = roll_back(store, sweep, trial, wish, to_step=to_step, say=say)
    said = [f"{name} {old} → {new}" for name, (old, new) in document.changes.items()]
    say(f"trial {trial} goes on from step {document.after}" + "".join(f", {one}" for one in said))
    for warning in document.warnings:
        say(warning)
    after_act(target, store, sweep, document, runs=runs, quiet=quiet, address=given["address"], code=trusted)
