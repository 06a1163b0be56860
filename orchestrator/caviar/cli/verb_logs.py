"""`caviar logs`: what a trial printed."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, target_options, trial_argument
from caviar_workers.states import WAITING, State

if TYPE_CHECKING:
    from caviar.results.trial import Piece

POLL_S = 1.0
UNFINISHED = (*WAITING, State.LOST)

EPILOG = """\b
Examples:
  caviar logs 19
  caviar logs digits 19 --follow
  caviar logs 19 --stream err --json
"""


@click.command(epilog=EPILOG)
@trial_argument
@click.option("--stream", type=click.Choice(["out", "err"]), help="Only stdout, or only stderr.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the trial ends.")
@target_options
def verb(trial: int, stream: str | None, follow: bool, target: Target) -> None:
    """Print what one trial wrote to stdout and stderr, attempt after attempt.

    With --follow, go on until the trial ends, or until nobody runs the sweep.
    """
    from caviar.cli.opened import newest, opened
    from caviar.cli.output import emit_json
    from caviar.results.trial import output_document
    from caviar.store import Store

    target = replace(target, sweep=newest(Store.open(target.store), target.sweep).id)  # a newer one may begin
    shown: set[tuple[int, int]] = set()
    while True:
        with opened(target) as sweep:
            driven = sweep.sweep.owner_alive()  # before the rows: what its driver wrote last is among them
            document = output_document(sweep, trial, stream=stream)
        if target.as_json:
            emit_json(document)
            return
        pieces = [piece for piece in document.output if (piece["attempt"], piece["piece"]) not in shown]
        shown |= {(piece["attempt"], piece["piece"]) for piece in pieces}
        _write(pieces)
        unfinished = document.state in UNFINISHED
        if not (follow and driven and unfinished):
            if not shown:
                _say_silent(sweep.title, trial, document.state, stream)
            if follow and unfinished:
                _say_undriven(sweep.sweep.id, trial)
            return
        time.sleep(POLL_S)


def _say_silent(title: str, trial: int, state: str, stream: str | None) -> None:
    from caviar.cli.output import say

    where = "" if stream is None else f" to std{stream}"
    how = "has printed nothing yet" if state in WAITING else "printed nothing"
    say(f"trial {trial} of {title}, {state}, {how}{where}")


def _say_undriven(sweep: str, trial: int) -> None:
    from caviar.cli.output import say

    say(f"sweep {sweep} is not running, so trial {trial} prints no more; it goes on with: caviar resume {sweep}")


def _write(pieces: "list[Piece]") -> None:
    from caviar.display.sanitize import plain

    for piece in pieces:
        click.echo(plain(piece["text"]), nl=False)
