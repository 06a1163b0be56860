"""`caviar logs`: what a trial printed, or the driver said."""

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, best_or_trial, target_options, trial_number
from caviar_workers.states import WAITING, State

if TYPE_CHECKING:
    from caviar.results.trial import Piece
    from caviar.store import SweepDir

POLL_S = 1.0
UNFINISHED = (*WAITING, State.LOST)

EPILOG = """\b
Examples:
  caviar logs 19
  caviar logs digits 19 --follow
  caviar logs 19 --stream err --json
  caviar logs digits --driver --follow
"""


@click.command(epilog=EPILOG)
@best_or_trial
@click.option("--stream", type=click.Choice(["out", "err"]), help="Only stdout, or only stderr.")
@click.option("--driver", is_flag=True, help="What the processes said that ran the sweep.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the trial ends, or with --driver the sweep.")
@target_options
def verb(trial: int | None, stream: str | None, driver: bool, follow: bool, target: Target) -> None:
    """Print what one trial wrote to stdout and stderr, attempt after attempt.

    With --follow, go on until the trial ends, or until nobody runs the sweep. With --driver, print what the processes
    said that ran the sweep: it is in the store, whatever has become of their machines.
    """
    from caviar.cli.opened import newest
    from caviar.store import Store

    if driver and (trial is not None or stream is not None):
        raise click.UsageError("--driver is of a whole SWEEP: leave TRIAL and --stream out")
    if trial is None and not driver:
        if target.sweep is None:
            raise click.UsageError("Name a TRIAL, or say --driver for what the sweep's driver said")
        trial = trial_number(target.sweep)  # says what a trial looks like
    sweep = newest(Store.open(target.store), target.sweep)
    if trial is None:
        _driver_log(sweep, follow=follow, as_json=target.as_json)
    else:
        _trial_log(replace(target, sweep=sweep.id), trial, stream, follow=follow)  # a newer one may begin


def _driver_log(sweep: "SweepDir", *, follow: bool, as_json: bool) -> None:
    from caviar.cli.output import emit, emit_json, say
    from caviar.results.driver_log import driver_log_document, lines_since

    shown: dict[int, tuple[str, ...]] = {}
    while True:
        document = driver_log_document(sweep)
        if as_json:
            emit_json(document)
            return
        for one in document.drivers:
            for line in lines_since(shown.get(one.driver, ()), one.lines):
                emit(line)
            shown[one.driver] = one.lines
        if not (follow and document.state == "running"):
            break
        sys.stdout.flush()
        time.sleep(POLL_S)
    if not shown:
        say(f"no driver of sweep {sweep.id} has left a log")
    if follow:
        say(f"sweep {sweep.id} is {document.state}")


def _trial_log(target: Target, trial: int, stream: str | None, *, follow: bool) -> None:
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.results.trial import output_document

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
