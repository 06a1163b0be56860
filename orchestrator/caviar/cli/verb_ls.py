"""`caviar ls`: the sweeps of a store."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from caviar.cli.options import Moment, Target, sweep_argument, target_options

SHOWN = 20
STATES = ("running", "finished", "interrupted", "failed")

EPILOG = """\b
Examples:
  caviar ls
  caviar ls digits --state finished --since 7d
  caviar ls --tag baseline --all
  caviar ls --json | jq -r '.sweeps[].sweep'
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--name", metavar="TEXT", help="Only those with TEXT in their name.")
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="Only those with this tag; repeatable.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only those; repeatable.")
@click.option("--since", type=Moment(), metavar="T", help="Only those created since T: 2h or 7d ago, or a date.")
@click.option("-n", "most", type=click.IntRange(min=1), metavar="N", help=f"How many (default: {SHOWN}, --json all).")
@click.option("--all", "every", is_flag=True, help="All of them.")
@target_options
def verb(*, most: int | None, every: bool, target: Target, **wanted: Any) -> None:
    """List the sweeps of the store, or those that SWEEP may mean, newest first.

    `best` is by each sweep's own rule; `took` is the time from its first trial's start to its last one's end, or
    to now.
    A sweep whose driver is gone before its end is `interrupted`; `caviar resume` finishes it.
    """
    from caviar.cli.output import emit_json, say
    from caviar.results.sweeps import Filter, listed, sweeps_document
    from caviar.store import Store

    store = Store.open(target.store)
    most = None if every else most or (None if target.as_json else SHOWN)
    sweeps = listed(store, target.sweep, Filter(**wanted))
    document = sweeps_document(store, sweeps[:most], say)
    if target.as_json:
        emit_json(replace(document, store=target.store))
    elif document.sweeps:
        _print(document.sweeps)
    if not sweeps and store.sweeps():
        say("no sweep fits; caviar ls without options lists all")
    elif not sweeps:
        say(f"the store {target.store} holds no sweeps yet: type caviar run FILE")
    elif len(document.sweeps) < len(sweeps):
        say(f"the newest {len(document.sweeps)} of {len(sweeps)}; --all lists them all")


def _print(rows: Sequence[dict[str, Any]]) -> None:
    from caviar.cli.output import say_left_out
    from caviar.display.console import STRONG
    from caviar.display.numbers import age, duration, number
    from caviar.display.table import Column, print_table

    now = datetime.now(UTC).replace(tzinfo=None)
    # Heading, how it is set, what a row has there; columns that nobody has an entry for are not shown.
    columns: list[tuple[Column, Callable[[dict[str, Any]], str]]] = [
        (Column(name="sweep", keep=True, style=STRONG), lambda row: row["sweep"]),
        (Column(name="name", keep=True, shrink=True), lambda row: row["name"]),
        (Column(name="state", keep=True), lambda row: row["state"]),
        (Column(name="done", align="right", keep=True), lambda row: f"{_done(row)}/{row['planned']}"),
        (Column(name="best", align="right", keep=True), lambda row: number(row["best"] and row["best"]["value"])),
        (Column(name="metric", shrink=True), lambda row: row["metric"]),
        (Column(name="took", align="right"), lambda row: duration(row["took_s"]) if row["took_s"] is not None else ""),
        (Column(name="age", align="right"), lambda row: age((now - row["created"]).total_seconds())),
        (Column(name="failed", align="right"), lambda row: str(row["failed"] or "")),
        (Column(name="stopped", align="right"), lambda row: str(row["stopped"] or "")),
        (Column(name="paused", align="right"), lambda row: str(row["paused"] or "")),
        (Column(name="parent"), lambda row: (row["parent"] or "").rpartition("-")[2]),
        (Column(name="imported", shrink=True), lambda row: row["imported"] or ""),
        (Column(name="tags", shrink=True), lambda row: " ".join(row["tags"] or ())),
        (Column(name="note", shrink=True), lambda row: row["note"] or ""),
    ]
    shown = [(column, cell) for column, cell in columns if column.keep or any(cell(row) for row in rows)]
    say_left_out(print_table([one for one, _ in shown], [[cell(row) for _, cell in shown] for row in rows], sys.stdout))


def _done(row: dict[str, Any]) -> int:
    return int(row["completed"] + row["failed"] + row["stopped"] + row["cancelled"])
