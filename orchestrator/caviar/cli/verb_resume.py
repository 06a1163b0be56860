"""`caviar resume`: finish what is not finished."""

from pathlib import Path
from typing import Any

import click

from caviar.cli.at_the_end import at_the_end, end_options
from caviar.cli.options import (
    Target,
    code_if_trusted,
    setting_option,
    sweep_argument,
    take_over_option,
    target_options,
    trust_option,
)
from caviar.cli.output import data_only
from caviar.spec.settings import SETTINGS

EPILOG = """\b
Examples:
  caviar resume
  caviar resume 7f3a
  caviar resume --retry-failed
  caviar resume --add 64
  caviar resume 7f3a --force --from ~/moved/here
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Join this Ray cluster (auto: by RAY_ADDRESS, or the one that Ray noted here).",
)
@click.option("--retry-failed", is_flag=True, help="Run failed trials again too.")
@click.option("--add", type=click.IntRange(min=1), metavar="N", help="Extend the sweep by N trials.")
@click.option("--force", is_flag=True, help="Take the experiment's file as it is now, and what travels with it.")
@click.option("--from", "folder", metavar="DIR", help="With --force: where the experiment's project is now.")
@click.option("--wait", is_flag=True, help="Wait until an owner that is silent counts as gone.")
@take_over_option
@setting_option(SETTINGS["time_limit"])
@trust_option
@end_options
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(
    address: str | None, quiet: bool, add: int | None, trust: bool, folder: str | None, target: Target, **wishes: Any
) -> None:
    """Train the trials of SWEEP that are not finished, with the code that the sweep began with."""
    from caviar.cli.after_run import after_run
    from caviar.cli.opened import newest
    from caviar.display.choose_display import choose_display
    from caviar.run.resume import resume_sweep
    from caviar.store import Store

    if folder is not None and not wishes["force"]:
        raise click.UsageError("--from says where --force finds the experiment now: add --force, or leave it out")
    report, notify = wishes.pop("report"), wishes.pop("notify")
    opened = Store.open(target.store)
    # Other code for a sweep that was not meant could not be taken back.
    found = opened.find(target.sweep) if wishes["force"] else newest(opened, target.sweep)
    with at_the_end(target, report=report, notify=notify) as told:
        with data_only():
            last = resume_sweep(
                opened,
                found,
                address=address,
                progress=choose_display(quiet=quiet),
                add=add or 0,
                code=code_if_trusted(trust),
                folder=None if folder is None else Path(folder),
                **wishes,
            )
        told(last.id)
        after_run(target, last.id)
