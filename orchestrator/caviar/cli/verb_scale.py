"""`caviar scale`: how many trials a sweep that runs may train at a time."""

import time
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.store import SweepDir
    from caviar.store.requests import Asked

POLL_S = 0.3
ANSWER_S = 30.0
"""Seconds that a driver has to take a request."""

EPILOG = """\b
Examples:
  caviar scale --max-slots 32
  caviar scale 7f3a --max-slots 2 --store s3://bucket/sweeps
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--max-slots", type=click.IntRange(min=1), metavar="N", required=True, help="Trials at a time, at most.")
@target_options
def verb(max_slots: int, target: Target) -> None:
    """Let SWEEP, which runs, train N trials at a time, or as many as there is room for.

    With fewer, those that run train on to their ends. With more, a cluster that can is asked to grow. It holds until
    the process that runs the sweep ends: `caviar resume` begins as the sweep was described.
    """
    from caviar.cli.output import emit_json, say
    from caviar.errors import CaviarError
    from caviar.results.scale import scale_document
    from caviar.store import Store
    from caviar.store.requests import ask_to_scale

    sweep = Store.open(target.store).find(target.sweep)
    if not sweep.owner_alive():
        raise CaviarError(f"sweep {sweep.id} is not running, so nothing of it can be scaled: caviar resume {sweep.id}")
    request = ask_to_scale(sweep, max_slots)
    until = time.monotonic() + ANSWER_S
    while sweep.disk.exists(request.file):
        if time.monotonic() > until or not request.lives(sweep):
            raise CaviarError(_silence(sweep, request))
        time.sleep(POLL_S)
    if not request.lives(sweep):  # and whoever came since has removed it
        raise CaviarError(_silence(sweep, request))
    document = scale_document(sweep, max_slots)
    if target.as_json:
        emit_json(document)
    else:
        say(f"sweep {sweep.id} trains {max_slots} at a time, at most; see: caviar watch {sweep.id}")


def _silence(sweep: "SweepDir", request: "Asked") -> str:
    owner = sweep.owner()
    if not owner.alive:
        return f"sweep {sweep.id} has ended meanwhile: caviar status {sweep.id}"
    if not request.lives(sweep):
        return f"another process runs sweep {sweep.id} since then, {owner.who}: type this once more"
    return f"the process that runs sweep {sweep.id} does not answer: it is {owner.who}"
