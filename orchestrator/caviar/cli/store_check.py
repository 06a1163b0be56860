"""`caviar store check`: is everything as it was written?"""

import sys
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.store import SweepDir

EPILOG = """\b
Examples:
  caviar store check
  caviar store check digits --dry-run
  caviar store check digits --skip-lost
  caviar store check --json | jq '.findings'
"""


@click.command("check", epilog=EPILOG, short_help="Read every byte; set damaged files aside.")
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
    from caviar.cli.output import emit_json, say
    from caviar.cli.reading import newest, say_foreign
    from caviar.errors import StoreError
    from caviar.show.numbers import counted
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
        _print(findings)
    if findings:
        aside = sum(finding["set_aside"] for finding in findings)
        done = f"; {counted(aside, 'damaged file')} set aside, and the rest can be read" if aside else ""
        raise StoreError(f"{counted(len(findings), 'fault')} in {counted(len(sweeps), 'sweep')}{done}.")
    say(f"{counted(len(sweeps), 'sweep')} checked: all is as it was written")


def _findings(sweep: "SweepDir", dry_run: bool, skip_lost: bool) -> list[dict[str, Any]]:
    from caviar.store.check import check as look
    from caviar.store.quarantine import quarantine
    from caviar.store.quarantine import skip_lost as give_up
    from caviar.store.trouble import store_error

    try:
        found = look(sweep)
        aside = set() if dry_run else {file.name for file in quarantine(sweep, found)}
        if skip_lost and not dry_run and give_up(sweep):
            aside |= {one.name for one in found if one.hole}
    except OSError as error:  # of this sweep; the others are looked at too
        what = str(store_error("check", sweep.path, error))
        return [{"sweep": sweep.id, "file": "", "rows": None, "what": what, "set_aside": False}]
    return [
        {"sweep": sweep.id, "file": one.name, "rows": one.rows, "what": one.what, "set_aside": one.name in aside}
        for one in found
    ]


def _print(findings: list[dict[str, Any]]) -> None:
    from caviar.cli.output import say_left_out
    from caviar.show.table import Column, print_table

    columns = [
        Column(name="sweep", keep=True),
        Column(name="file", keep=True, shrink=True),
        Column(name="what", keep=True, shrink=True),
        Column(name="rows", align="right"),
        Column(name="set aside"),
    ]
    cells = [
        [one["sweep"], one["file"], one["what"], str(one["rows"] or ""), "yes" if one["set_aside"] else "no"]
        for one in findings
    ]
    say_left_out(print_table(columns, cells, sys.stdout))
