"""`caviar unpack`: the sweeps of a file that somebody packed, in a store of one's own."""

import click

from caviar.cli.options import Target, target_options

EPILOG = """\b
Examples:
  caviar unpack digits.caviar
  caviar unpack digits.caviar --store s3://bucket/sweeps
"""


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE")
@target_options
def verb(file: str, target: Target) -> None:
    """Add the sweeps in FILE, which caviar pack wrote, to the store; each appears whole or not at all.

    Their code counts as somebody else's: what runs it asks first, or needs --trust.
    """
    from caviar.cli.output import emit_json, say
    from caviar.results.packing import unpack_document
    from caviar.store import Store

    document = unpack_document(Store.open(target.store, create=True), target.store, file)
    if target.as_json:
        emit_json(document)
    else:
        say(f"unpacked {', '.join(document.sweeps)}")
