"""`caviar stop`: end a sweep that runs, or one of its trials, from another shell or host."""

import time
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, TrialNumber, sweep_argument, target_options
from caviar_workers.states import WAITING

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir

POLL_S = 0.3
ANSWER_S = 30.0
"""Seconds after which a driver that takes no request is said to be silent."""

EPILOG = """\b
Examples:
  caviar stop
  caviar stop 7f3a --now
  caviar stop --trial 19
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--trial", type=TrialNumber(), metavar="N", help="Stop this trial only; its curve is kept.")
@click.option("--now", "at_once", is_flag=True, help="End what runs at once, by killing its process.")
@target_options
def verb(trial: int | None, at_once: bool, target: Target) -> None:
    """Ask the process that runs SWEEP to stop, and wait until it has.

    A sweep starts no more trials; those that run get a moment to deliver what they reported, and run again when the
    sweep is resumed. With --trial, one trial ends as STOPPED at its next report, and the sweep goes on.
    """
    from caviar.cli.output import emit_json, say
    from caviar.results.stop import stop_document
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = store.find(target.sweep)
    if sweep.owner_alive():
        _wait(store, sweep, trial, at_once)
    document = stop_document(store, sweep, trial, say)
    if target.as_json:
        emit_json(document)
        return
    what = f"sweep {sweep.id} is {document.state}"
    if trial is not None:
        what = f"trial {trial} of sweep {sweep.id} is {document.trial_state}"
    say(f"{what}; next: {document.next}")


def _wait(store: "Store", sweep: "SweepDir", trial: int | None, at_once: bool) -> None:
    """Ask, and return when it is done; says what it waits for."""
    from caviar.cli.output import say
    from caviar.results.stop import trial_state
    from caviar.store.requests import ask_to_stop

    if trial is not None and trial_state(store, sweep, trial, say) not in WAITING:
        return
    request = ask_to_stop(sweep, trial=trial, at_once=at_once)
    what = f"sweep {sweep.id}" if trial is None else f"trial {trial} of sweep {sweep.id}"
    say(f"stopping {what}…")
    began = time.monotonic()
    silent = False
    while request.lives(sweep):  # one that came since would not stop
        if trial is not None and trial_state(store, sweep, trial, say) not in WAITING:
            return
        time.sleep(POLL_S)
        if not silent and time.monotonic() - began > ANSWER_S:
            silent = True
            taken = not sweep.disk.exists(request.file)
            say("it waits for the trial's next report: --now ends it at once" if taken else _silence(sweep))


def _silence(sweep: "SweepDir") -> str:
    owner = sweep.owner()
    where = f": it is {owner.who}" if owner.alive else ""
    return f"the process that runs the sweep does not answer{where}"
