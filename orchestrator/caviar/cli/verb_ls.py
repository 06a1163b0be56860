"""`caviar ls`: the sweeps of a store."""

import sys
from typing import Any

import click

from caviar.cli.options import Target, target_options

EPILOG = """\b
Examples:
  caviar ls
  caviar ls --json | jq -r '.sweeps[].sweep'
"""


@click.command(epilog=EPILOG, short_help="The sweeps of the store, newest first.")
@target_options
def verb(target: Target) -> None:
    """List the sweeps of the store, newest first.

    A sweep whose driver is gone before its end is `interrupted`; `caviar resume` finishes it.
    """
    from caviar.cli.output import emit_json, say
    from caviar.cli.reading import named_rows, say_not_shown
    from caviar.store import Store, Views

    with Views(Store.open(target.store)) as views:
        say_not_shown(views)
        rows = named_rows(views, "select * from sweeps order by sweep desc")
    if target.as_json:
        emit_json({"store": target.store, "sweeps": rows})
    elif rows:
        _print(rows)
    else:
        say(f"the store {target.store} holds no sweeps yet: type caviar run FILE")


def _print(rows: list[dict[str, Any]]) -> None:
    from caviar.cli.output import say_left_out
    from caviar.show.table import Column, print_table

    families = any(row["parent"] for row in rows)
    pauses = any(row["paused"] for row in rows)
    columns = [
        Column(name="sweep", keep=True, style="bold"),
        Column(name="name", keep=True, shrink=True),
        Column(name="state", keep=True),
        Column(name="done", align="right", keep=True),
        Column(name="failed", align="right"),
        *([Column(name="paused", align="right")] if pauses else []),
        *([Column(name="parent")] if families else []),
        Column(name="metric", shrink=True),
        Column(name="tags", shrink=True),
        Column(name="note", shrink=True),
    ]
    cells = [
        [
            row["sweep"],
            row["name"],
            row["state"],
            f"{row['completed'] + row['failed'] + row['stopped'] + row['cancelled']}/{row['planned']}",
            str(row["failed"] or ""),
            *([str(row["paused"] or "")] if pauses else []),
            *([(row["parent"] or "").rpartition("-")[2]] if families else []),
            row["metric"],
            " ".join(row["tags"] or ()),
            row["note"] or "",
        ]
        for row in rows
    ]
    say_left_out(print_table(columns, cells, sys.stdout))
