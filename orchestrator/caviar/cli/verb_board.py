"""`caviar board`: the sweeps of a store in a browser, live."""

import sys
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, target_options
from caviar.display.typed_commands import remember_store

if TYPE_CHECKING:
    from caviar.board.app import Acts
    from caviar.store import Store

EPILOG = """\b
Examples:
  caviar board
  caviar board s3://bucket/sweeps --port 9000
  caviar board --json | jq -r .link
"""


@click.command(epilog=EPILOG)
@click.argument("place", metavar="[STORE]", required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="Where it listens (default: 8642, or the next free one)."
)
@click.option("--edit", is_flag=True, help="The page has a form: edit, roll back, fork, pause and note trials.")
@click.option("--new-token", is_flag=True, help="Make another token: links that were printed before open nothing more.")
@target_options
def verb(*, place: str | None, port: int | None, edit: bool, new_token: bool, target: Target) -> None:
    """Show the sweeps of STORE (the same as --store) in a browser, live: open the link that this prints.

    All comes from the store, wherever its sweeps run; nothing is changed, but for what --edit lets you do. The board
    listens on 127.0.0.1 only, and answers to whoever has the link's token, which is kept in a file of yours. Ctrl-C
    ends it, and no sweep.
    """
    from caviar.board.server import PORT, listen, serving
    from caviar.cli.output import emit, emit_json, say
    from caviar.run.signals import terminable
    from caviar.store import Store

    place = _store(place, target)
    store = Store.open(place)
    if edit:
        _check_writable(store)
    with (
        terminable("the board has ended, and no sweep with it"),
        listen(port) as listener,
        serving(store, place, listener, new_token=new_token, acts=_acts(store) if edit else None) as (
            document,
            ended,
        ),
    ):
        if port is None and document.port != PORT:
            say(f"port {PORT} is taken: this board is on {document.port}")
        if document.tunnel:
            say(f"on the computer that you sit at, first: {document.tunnel}")
        if target.as_json:
            emit_json(document, lines=True)
        else:
            say("open this link; Ctrl-C ends the board")
            emit(document.link)
            sys.stdout.flush()
        ended.wait()


def _check_writable(store: "Store") -> None:
    """See that there is a point in an edit: it is kept in the store."""
    import os
    from pathlib import Path

    from caviar.errors import StoreError
    from caviar.store.disk.read_only import ReadOnlyDisk

    if isinstance(store.disk, ReadOnlyDisk):
        raise store.disk.refused()
    if isinstance(store.path, Path) and not os.access(store.path, os.W_OK):
        raise StoreError(f"{store.path} may not be written, so nothing can be edited there: leave --edit out")


def _acts(store: "Store") -> "Acts":
    """What the page of a board may do to trials."""
    from functools import partial

    from caviar.board.app import Acts
    from caviar.run.page_acts import act_of_page, form_of_page

    return Acts(form=partial(form_of_page, store), act=partial(act_of_page, store))


def _store(place: str | None, target: Target) -> str:
    """The store's place, as the argument or as the option."""
    if place is None:
        return target.store
    context = click.get_current_context()
    given = context.get_parameter_source("store")
    if given is click.core.ParameterSource.COMMANDLINE and place != target.store:
        raise click.UsageError(f"STORE is given twice, as {place!r} and as --store {target.store!r}; give one")
    if not place.strip():
        raise click.UsageError("STORE names a folder or a bucket, but got an empty text")
    remember_store(place)
    return place
