"""`caviar stop`: end a sweep that runs, or one of its trials, from another shell or host."""

import time
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, TrialNumber, sweep_argument, target_options
from caviar_workers.states import WAITING, State

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
    from caviar.store import Store

    store = Store.open(target.store)
    sweep = store.find(target.sweep)
    if sweep.owner_alive():
        _wait(store, sweep, trial, at_once)
    state = sweep.state()
    found = None if trial is None else _trial_state(store, sweep, trial)
    _tell(target, sweep, state, trial, found)


def _wait(store: "Store", sweep: "SweepDir", trial: int | None, at_once: bool) -> None:
    """Ask, and return when it is done; says what it waits for."""
    from caviar.cli.output import say
    from caviar.store.requests import ask_to_stop

    if trial is not None and _trial_state(store, sweep, trial) not in WAITING:
        return
    request = ask_to_stop(sweep, trial=trial, at_once=at_once)
    what = f"sweep {sweep.id}" if trial is None else f"trial {trial} of sweep {sweep.id}"
    say(f"stopping {what}…")
    began = time.monotonic()
    silent = False
    while sweep.owner_alive():
        if trial is not None and _trial_state(store, sweep, trial) not in WAITING:
            return
        time.sleep(POLL_S)
        if not silent and time.monotonic() - began > ANSWER_S:
            silent = True
            taken = not sweep.disk.exists(request)
            say("it waits for the trial's next report: --now ends it at once" if taken else _silence(sweep))


def _silence(sweep: "SweepDir") -> str:
    owner = sweep.owner()
    where = f": it is {owner.who}" if owner.alive else ""
    return f"the process that runs the sweep does not answer{where}"


def _trial_state(store: "Store", sweep: "SweepDir", trial: int) -> str:
    """Return a trial's state as the view `trials` has it; PENDING or CANCELLED, if it was not drawn yet."""
    from caviar.cli.output import say
    from caviar.results.open_sweep import OpenSweep
    from caviar.store import Views

    with Views(store, [sweep]) as views:
        opened = OpenSweep(store=store, sweep=sweep, views=views, say=say)
        if trial >= opened.plan.trials:
            raise opened.no_trial(trial)
        rows = views.execute("SELECT state FROM trials WHERE trial = ?", [trial]).fetchall()
        if rows:
            return str(rows[0][0])
        ended = views.execute("SELECT state FROM attempts WHERE trial = ?", [trial]).fetchall()
    return str(ended[0][0]) if ended else State.PENDING


def _tell(target: Target, sweep: "SweepDir", state: str, trial: int | None, found: str | None) -> None:
    from caviar.cli.output import emit_json, say
    from caviar.display.typed_commands import typed
    from caviar.errors import CaviarError

    following = {"finished": "best", "interrupted": "resume"}.get(state, "status")
    if trial is not None and found in (*WAITING, State.LOST):
        raise CaviarError(
            f"sweep {sweep.id} is not running, so trial {trial} was not stopped; it runs again with: "
            f"caviar resume {sweep.id}"
        )
    if target.as_json:
        document: dict[str, Any] = {"sweep": sweep.id, "state": state, "trial": trial, "trial_state": found}
        emit_json(document | {"next": typed(f"caviar {following} {sweep.id}")})
        return
    what = f"sweep {sweep.id} is {state}" if trial is None else f"trial {trial} of sweep {sweep.id} is {found}"
    say(f"{what}; next: caviar {following} {sweep.id}")
