"""`caviar store`: the care of the store itself: check it, write final files, say how large it is."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from caviar.cli.options import OptionsLast, Target, sweep_argument, take_over_option, target_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.store_check import CheckDocument
    from caviar.results.store_info import TableSize
    from caviar.store import Store, SweepDir, Views


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
    from caviar.results.store_check import check_document
    from caviar.store import Store

    store = Store.open(target.store)
    sweeps = store.sweeps() if target.sweep is None else [newest(store, target.sweep)]
    for link in store.links():
        say(f"{link} is a link, and so no sweep of this store: it was left alone")
    say_foreign(sweeps)
    document = check_document(target.store, sweeps, dry_run=dry_run, skip_lost=skip_lost)
    if target.as_json:
        emit_json(document)
    else:
        _print_check(document)
    if document.findings:
        aside = [fault for fault in document.findings if fault.set_aside]
        done = f"; {counted(len(aside), 'damaged file')} set aside, and the rest can be read" if aside else ""
        raise StoreError(
            f"{counted(len(document.findings), 'fault')} in {counted(len(sweeps), 'sweep')}{done}"
            f"{_after(store, sweeps)}"
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

    return Views(store, [sweep for sweep in sweeps if _is_hurt(sweep)])


def _is_hurt(sweep: "SweepDir") -> bool:
    from contextlib import suppress

    from caviar.errors import StoreError

    with suppress(OSError, StoreError):  # the check has told of a manifest that cannot be read
        return bool(sweep.visible_files().manifest.quarantined)
    return False


def _print_check(document: "CheckDocument") -> None:
    from caviar.cli.output import emit
    from caviar.display.numbers import counted

    for one in document.findings:
        where = f"{one.sweep}: {one.file}: " if one.file else f"{one.sweep}: "
        rows = [counted(one.rows, "row")] if one.rows else []
        facts = ", ".join([*rows, "set aside" if one.set_aside else "left where it is"])
        emit(f"{where}{one.what} ({facts})", hang=2)


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
    from caviar.results.store_compact import compact_document
    from caviar.store import Store
    from caviar.store.finalize import needs_compacting

    store = Store.open(target.store)
    sweeps = []
    for sweep in store.sweeps() if target.sweep is None else [store.find(target.sweep)]:
        with store.apart(sweep) if target.sweep is None else nullcontext():
            if target.sweep is not None or needs_compacting(sweep):
                sweeps.append(sweep)
    say_foreign(sweeps)
    document, failed = compact_document(target.store, sweeps, say, take_over=take_over)
    if target.as_json:
        emit_json(document)
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
    from caviar.results.store_info import info_document
    from caviar.store import Store, Views

    store = Store.open(target.store)
    sweeps = store.sweeps() if target.sweep is None else [newest(store, target.sweep)]
    with Views(store, sweeps, leave_out=target.sweep is None) as views:
        say_not_shown(views, say)
    document = info_document(store, target.store, sweeps, alone=target.sweep is not None)
    if target.as_json:
        emit_json(document)
        return
    if document.tables:
        _print_info(document.tables)
    say(f"{counted(len(sweeps), 'sweep')} in {target.store}")


def _print_info(tables: "Sequence[TableSize]") -> None:
    from caviar.cli.output import say_left_out
    from caviar.display.table import Column, print_table

    numbers = ("rows", "files", "bytes", "bytes a row")
    columns = [Column(name="table", keep=True), *(Column(name=name, align="right", keep=True) for name in numbers)]
    cells = [
        [one.table, f"{one.rows:,}", f"{one.files:,}", f"{one.bytes:,}", str(one.bytes_a_row or "")] for one in tables
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
