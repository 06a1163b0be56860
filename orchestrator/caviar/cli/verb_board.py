"""`caviar board`: the sweeps of a store in a browser, live."""

import sys

import click

from caviar.cli.options import Target, target_options
from caviar.display.typed_commands import remember_store

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
@click.option("--new-token", is_flag=True, help="Make another token: links that were printed before open nothing more.")
@target_options
def verb(*, place: str | None, port: int | None, new_token: bool, target: Target) -> None:
    """Show the sweeps of STORE (the same as --store) in a browser, live: open the link that this prints.

    All comes from the store, wherever its sweeps run; nothing is changed. The board listens on 127.0.0.1 only, and
    answers to whoever has the link's token, which is kept in a file of yours. Ctrl-C ends it, and no sweep.
    """
    from caviar.board.server import PORT, listen, serving
    from caviar.cli.output import emit, emit_json, say
    from caviar.run.signals import terminable
    from caviar.store import Store

    place = _store(place, target)
    store = Store.open(place)
    with (
        terminable("the board has ended, and no sweep with it"),
        listen(port) as listener,
        serving(store, place, listener, new_token=new_token) as (document, ended),
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
