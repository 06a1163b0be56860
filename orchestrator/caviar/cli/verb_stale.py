"""`caviar stale`: winners that nobody has looked at for long."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Moment, Target, code_if_trusted, sweep_argument, target_options, trust_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from caviar.results.drift import CanaryDocument
    from caviar.run.stale import StaleDocument, StaleWinner
    from caviar.store import Store, SweepDir

EPILOG = """\b
Examples:
  caviar stale
  caviar stale --since 30d
  caviar stale digits --all
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option(
    "--since", type=Moment(), default="90d", metavar="T", help="Not looked at since T: 90d ago (default), or a date."
)
@click.option("--all", "every", is_flag=True, help="Those that were looked at since, too.")
@click.option("--canary", is_flag=True, help="Train SWEEP's winner again up to its first report, twice, and compare.")
@click.option("--stored-code", is_flag=True, help="For the canary: the code that SWEEP stored, not its file of today.")
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Join this Ray cluster (auto: by RAY_ADDRESS, or the one that Ray noted here).",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@trust_option
@target_options
def verb(*, since: datetime, every: bool, canary: bool, target: Target, **given: Any) -> None:
    """Show which winners nobody has looked at since T, and what has changed since.

    Of all sweeps, or of those that SWEEP may mean; a retest is a look at its sweep. What has changed (the experiment's
    code, libraries, the machine) is a reason to look again, and no verdict: caviar retest gives one.

    With --canary, today's code trains the winner of SWEEP up to its first report, twice. If all metrics are the same,
    bit for bit, nothing has changed up to there. If the two runs differ, that says nothing.
    """
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json, say
    from caviar.run.stale import stale_document
    from caviar.store import Store

    if (given["stored_code"] or given["address"]) and not canary:
        raise click.UsageError("--stored-code and --address are of --canary; add it")
    if canary and target.sweep is None:
        raise click.UsageError("--canary is of one SWEEP, such as: caviar stale @last --canary")
    store = Store.open(target.store)
    named = [newest(store, target.sweep)] if canary else store.named(target.sweep) if target.sweep else store.readable()
    asked = [one for one in named if one.plan.relation != "retest"]
    document = stale_document(store, asked, since, say)
    if canary and document.winners:
        first = document.winners[0]
        document = replace(document, canary=_canary(store, store.find(first.home), first.trial, given))
    if target.as_json:
        emit_json(replace(document, store=target.store))
    else:
        _print(document, every=every or canary)


def _print(document: StaleDocument, *, every: bool) -> None:
    from caviar.cli.drift_page import canary_in_words
    from caviar.cli.output import emit, say
    from caviar.display.numbers import counted, number

    stale = [one for one in document.winners if one.stale]
    for one in document.winners if every else stale:
        days = counted(round(one.days), "day")
        head = f"{one.name or 'sweep'} ({one.sweep}) t{one.trial}"
        value = number(one.value) if one.retested else f"{number(one.value)} (not retested)"
        emit(f"{head}  {one.metric} {value}, {days}; {_changed(one)}", hang=2)
        if one.unknown:
            emit(f"  not known: {'; '.join(one.unknown)}", hang=4)
    if document.canary is not None:
        emit(f"  {canary_in_words(document.canary)}", hang=4)
    since = f"{document.since:%Y-%m-%d}"
    if not document.winners:
        say("no sweep has a winner yet")
    elif not stale:
        say(f"{counted(len(document.winners), 'winner')}, all looked at since {since}; caviar stale --all shows them")
    else:
        say(f"{len(stale)} of {counted(len(document.winners), 'winner')} not looked at since {since}")


def _canary(store: Store, sweep: SweepDir, trial: int, given: Mapping[str, Any]) -> CanaryDocument:
    from caviar.cli.output import data_only
    from caviar.display.choose_display import choose_display
    from caviar.run.canary import chosen_program, run_canary
    from caviar.run.loose_trials import loose_trials
    from caviar.spec.plan import Plan

    stored = given["stored_code"]
    progress = choose_display(quiet=given["quiet"])
    with data_only():
        program = chosen_program(sweep, code_if_trusted(given["trust"]), stored_code=stored)
        plan = Plan.from_json(sweep.description()["plan"])
        what = f"the canary of t{trial}"
        with loose_trials(
            plan, program, sweep=sweep.id, what=what, address=given["address"], progress=progress
        ) as trials:
            return run_canary(store, sweep, trial, trials, code="stored" if stored else "today")


def _changed(winner: StaleWinner) -> str:
    from caviar.cli.drift_page import changes_in_words

    changed = (*(["code"] if winner.code == "changed" else []), *winner.changed)
    return f"changed: {changes_in_words(changed)}" if changed else "no change seen"
