"""`caviar store`: the care of the store itself: check it, write final files, say how large it is."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import OptionsLast, Target, sweep_argument, take_over_option, target_options

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir, Views
    from caviar.store.sizes import Size


CHECK_EPILOG = """\b
Examples:
  caviar store check
  caviar store check digits --dry-run
  caviar store check digits --skip-lost
  caviar store check --json | jq '.findings'
"""


@click.command("check", epilog=CHECK_EPILOG, short_help="Read every byte; set damaged files aside.")
@sweep_argument
@click.option("--dry-run", is_flag=True, help="Name damage, and set nothing aside.")
@click.option("--skip-lost", is_flag=True, help="Give up segments that are gone: what follows them counts again.")
@target_options
def check(dry_run: bool, skip_lost: bool, target: Target) -> None:
    """Read every byte of SWEEP, or of all sweeps, and compare it with what was written.

    A damaged file is moved to the sweep's folder _quarantine, never deleted: the rest can be read then. A segment
    that is gone hides what follows it, and nothing is merged, ended or resumed: restore it, or give it up with
    --skip-lost. Exit code 5 when something is wrong.
    """
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json, say, say_foreign
    from caviar.display.numbers import counted
    from caviar.errors import StoreError
    from caviar.store import Store

    store = Store.open(target.store)
    sweeps = store.sweeps() if target.sweep is None else [newest(store, target.sweep)]
    for link in store.links():
        say(f"{link} is a link, and so no sweep of this store: it was left alone")
    say_foreign(sweeps)
    findings = [finding for sweep in sweeps for finding in _findings(sweep, dry_run, skip_lost)]
    if target.as_json:
        emit_json({"store": target.store, "sweeps": [sweep.id for sweep in sweeps], "findings": findings})
    elif findings:
        _print_check(findings)
    if findings:
        aside = [finding for finding in findings if finding["set_aside"]]
        done = f"; {counted(len(aside), 'damaged file')} set aside, and the rest can be read" if aside else ""
        raise StoreError(
            f"{counted(len(findings), 'fault')} in {counted(len(sweeps), 'sweep')}{done}{_after(store, sweeps)}"
        )
    rest = "what is left is" if _say_not_shown(store, sweeps) else "all is"
    say(f"{counted(len(sweeps), 'sweep')} checked: {rest} as it was written")


def _after(store: "Store", sweeps: list["SweepDir"]) -> str:
    """Return what to type where files were set aside that said how trials ended; empty: all trials have ended."""
    from contextlib import suppress

    from caviar.errors import StoreError
    from caviar.store.read.not_shown import to_resume

    with suppress(StoreError), _hurt(store, sweeps) as views:  # what else is damaged has been told
        if unfinished := to_resume(views):
            commands = ", ".join(f"caviar resume {sweep}" for sweep in unfinished)
            return f"; to train again what is missing now: {commands}"
    return ""


def _say_not_shown(store: "Store", sweeps: list["SweepDir"]) -> bool:
    """Tell of what was set aside earlier; whether there was anything."""
    from caviar.cli.output import say
    from caviar.results.open_sweep import say_not_shown

    with _hurt(store, sweeps) as views:
        return say_not_shown(views, say)


def _hurt(store: "Store", sweeps: list["SweepDir"]) -> "Views":
    """The views of the sweeps of which something was set aside."""
    from caviar.store import Views

    return Views(store, [sweep for sweep in sweeps if sweep.visible_files().manifest.quarantined])


def _findings(sweep: "SweepDir", dry_run: bool, skip_lost: bool) -> list[dict[str, Any]]:
    from caviar.display.typed_commands import typed
    from caviar.store.check import Finding
    from caviar.store.check import check as look
    from caviar.store.layout import LOST
    from caviar.store.quarantine import quarantine
    from caviar.store.quarantine import skip_lost as give_up
    from caviar.store.store_errors import store_error

    found: list[Finding] = []
    aside: set[str] = set()
    try:
        found = list(look(sweep))
        if not dry_run:
            aside |= {file.name for file in quarantine(sweep, found)}
        if skip_lost and not dry_run and give_up(sweep):
            aside |= {one.name for one in found if one.hole}
    except OSError as error:  # of this sweep; the others are looked at too, and what was found is told
        doing = "set aside what is damaged in" if found else "check"
        found.append(Finding(name="", what=str(store_error(doing, sweep.path, error))))
    return [
        {
            "sweep": sweep.id,
            "file": one.name,
            "table": LOST if one.hole else one.table,
            "rows": one.rows,
            "what": typed(one.what),
            "set_aside": one.name in aside,
        }
        for one in found
    ]


def _print_check(findings: list[dict[str, Any]]) -> None:
    from caviar.cli.output import emit
    from caviar.display.numbers import counted

    for one in findings:
        where = f"{one['sweep']}: {one['file']}: " if one["file"] else f"{one['sweep']}: "
        rows = [counted(one["rows"], "row")] if one["rows"] else []
        facts = ", ".join([*rows, "set aside" if one["set_aside"] else "left where it is"])
        emit(f"{where}{one['what']} ({facts})", hang=2)


COMPACT_EPILOG = """\b
Examples:
  caviar store compact
  caviar store compact digits
"""


@click.command("compact", epilog=COMPACT_EPILOG, short_help="Sort interrupted sweeps into few files.")
@sweep_argument
@take_over_option
@target_options
def compact(take_over: bool, target: Target) -> None:
    """Sort what SWEEP recorded into one file a table, so that any Parquet reader sees it right.

    Without SWEEP, do so for every sweep that needs it. A sweep that ends does this by itself; one that runs
    is left alone. `caviar resume` can still go on with it.
    """
    from caviar.cli.output import emit_json, say, say_foreign
    from caviar.errors import StoreError
    from caviar.store import Store
    from caviar.store.finalize import compact as write_final_files
    from caviar.store.finalize import needs_compacting

    store = Store.open(target.store)
    sweeps = []
    for sweep in store.sweeps() if target.sweep is None else [store.find(target.sweep)]:
        with store.apart(sweep) if target.sweep is None else nullcontext():
            if target.sweep is not None or needs_compacting(sweep):
                sweeps.append(sweep)
    say_foreign(sweeps)
    failed: list[StoreError] = []
    done = []
    for sweep in sweeps:
        try:
            write_final_files(sweep, take_over=take_over)
        except StoreError as error:  # the others can be compacted all the same
            failed.append(error)
            continue
        done.append(sweep.id)
        say(f"compacted {sweep.id}")
    if target.as_json:
        emit_json({"store": target.store, "compacted": done})
    elif not sweeps:
        say("nothing to compact")
    for other in failed[:-1]:
        say(str(other))
    if failed:
        raise failed[-1]


INFO_EPILOG = """\b
Examples:
  caviar store info
  caviar store info digits --json
"""


@click.command("info", epilog=INFO_EPILOG, short_help="Rows, files and bytes of each table.")
@sweep_argument
@target_options
def info(target: Target) -> None:
    """Show rows, files and bytes of each table of SWEEP, or of all sweeps together."""
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import counted
    from caviar.results.open_sweep import say_not_shown
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
        _print_info(list(tables.values()))
    say(f"{counted(len(sweeps), 'sweep')} in {target.store}")


def _sizes(store: "Store", sweep: "SweepDir", *, alone: bool) -> "list[Size]":
    from caviar.store.sizes import sizes

    if alone:
        return sizes(sweep)
    with store.apart(sweep):
        return sizes(sweep)
    return []


def _print_info(rows: list[dict[str, Any]]) -> None:
    from caviar.cli.output import say_left_out
    from caviar.display.table import Column, print_table

    numbers = ("rows", "files", "bytes", "bytes a row")
    columns = [Column(name="table", keep=True), *(Column(name=name, align="right", keep=True) for name in numbers)]
    cells = [
        [row["table"], f"{row['rows']:,}", f"{row['files']:,}", f"{row['bytes']:,}", str(row["bytes_a_row"] or "")]
        for row in rows
    ]
    say_left_out(print_table(columns, cells, sys.stdout))


EPILOG = """\b
Examples:
  caviar store info
  caviar store check
  caviar store compact digits
"""


@click.group(
    cls=OptionsLast,
    epilog=EPILOG,
    invoke_without_command=True,
    no_args_is_help=False,
    commands=[check, info, compact],
)
@click.pass_context
def verb(ctx: click.Context) -> None:
    """Check the store for damage, measure it, or compact interrupted sweeps."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
