"""`caviar rm`: delete a sweep."""

import sys

import click

from caviar.cli.options import Target, sweep_argument, target_options

EPILOG = """\b
Examples:
  caviar rm digits
  caviar rm 7f3a --yes
"""


@click.command(epilog=EPILOG, short_help="Delete a sweep, after asking.")
@sweep_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@target_options
def verb(yes: bool, target: Target) -> None:
    """Delete SWEEP and all its results, for good. One that runs is refused."""
    from caviar.cli.output import emit_json, say
    from caviar.store import Store

    if target.sweep is None:
        raise click.UsageError("Which sweep? Give its id, or a name that only one has; caviar ls lists them")
    store = Store.open(target.store)
    found = store.find(target.sweep)
    title = f"{found.name} ({found.id})" if found.name else found.id
    if found.owner_alive():
        store.remove(found)  # refuses, before anybody is asked
    if not yes and not _agreed(title):
        raise click.exceptions.Exit(1)
    store.remove(found)
    if target.as_json:
        emit_json({"store": target.store, "removed": [found.id]})
    else:
        say(f"removed {title}")


def _agreed(title: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody is there to be asked whether {title} may be deleted; add --yes")
    return click.confirm(f"Delete {title} and all its results for good?", err=True)
