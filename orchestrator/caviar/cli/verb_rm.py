"""`caviar rm`: delete a sweep."""

import sys
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, sweep_argument, take_over_option, target_options

if TYPE_CHECKING:
    from caviar.store import SweepDir

EPILOG = """\b
Examples:
  caviar rm digits
  caviar rm 7f3a --yes
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@take_over_option
@target_options
def verb(yes: bool, take_over: bool, target: Target) -> None:
    """Delete SWEEP and all its results, for good. One that runs is refused."""
    from caviar.cli.output import emit_json, say
    from caviar.results.sweeps import removed_document
    from caviar.store import Store

    if target.sweep is None:
        raise click.UsageError("Which sweep? Give its id, or a name that only one has; caviar ls lists them")
    store = Store.open(target.store)
    found = store.find(target.sweep)
    title = _title(found)
    store.check_idle(found, take_over=take_over)  # before anybody is asked
    if not yes and not _agreed(title):
        say("nothing was deleted")
        raise click.exceptions.Exit(1)
    document = removed_document(store, target.store, found, take_over=take_over)
    if target.as_json:
        emit_json(document)
    else:
        say(f"removed {title}")


def _title(sweep: "SweepDir") -> str:
    from caviar.display.sanitize import one_line
    from caviar.errors import StoreError

    try:
        return f"{one_line(sweep.name)} ({sweep.id})" if sweep.name else sweep.id
    except StoreError as error:  # a broken one may go too
        return f"{sweep.id} ({one_line(str(error))})"


def _agreed(title: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody is there to be asked whether {title} may be deleted; add --yes")
    return click.confirm(f"Delete {title} and all its results for good?", err=True)
