"""`caviar store info`: how large is it?"""

import sys
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir
    from caviar.store.sizes import Size

EPILOG = """\b
Examples:
  caviar store info
  caviar store info digits --json
"""


@click.command("info", epilog=EPILOG, short_help="Rows, files and bytes of each table.")
@sweep_argument
@target_options
def info(target: Target) -> None:
    """Show rows, files and bytes of each table of SWEEP, or of all sweeps together."""
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json, say
    from caviar.results.open_sweep import say_not_shown
    from caviar.show.numbers import counted
    from caviar.store import Store, Views

    store = Store.open(target.store)
    sweeps = store.sweeps() if target.sweep is None else [newest(store, target.sweep)]
    with Views(store, sweeps, leave_out=target.sweep is None) as views:
        say_not_shown(views, say)
    tables: dict[str, dict[str, Any]] = {}
    found = [size for sweep in sweeps for size in _sizes(store, sweep, alone=target.sweep is not None)]
    for size in found:
        row = tables.setdefault(size.table, {"table": size.table, "rows": 0, "files": 0, "bytes": 0})
        row["rows"] += size.rows
        row["files"] += size.files
        row["bytes"] += size.size
    for row in tables.values():
        row["bytes_a_row"] = round(row["bytes"] / row["rows"], 2) if row["rows"] else None
    if target.as_json:
        emit_json({"store": target.store, "sweeps": [sweep.id for sweep in sweeps], "tables": list(tables.values())})
        return
    if tables:
        _print(list(tables.values()))
    say(f"{counted(len(sweeps), 'sweep')} in {target.store}")


def _sizes(store: "Store", sweep: "SweepDir", *, alone: bool) -> "list[Size]":
    from caviar.store.sizes import sizes

    if alone:
        return sizes(sweep)
    with store.apart(sweep):
        return sizes(sweep)
    return []


def _print(rows: list[dict[str, Any]]) -> None:
    from caviar.cli.output import say_left_out
    from caviar.show.table import Column, print_table

    numbers = ("rows", "files", "bytes", "bytes a row")
    columns = [Column(name="table", keep=True), *(Column(name=name, align="right", keep=True) for name in numbers)]
    cells = [
        [row["table"], f"{row['rows']:,}", f"{row['files']:,}", f"{row['bytes']:,}", str(row["bytes_a_row"] or "")]
        for row in rows
    ]
    say_left_out(print_table(columns, cells, sys.stdout))
