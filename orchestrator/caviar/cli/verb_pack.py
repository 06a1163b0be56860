"""`caviar pack`: sweeps in one file, to be handed on."""

import click

from caviar.cli.options import Target, output_options, target_options

EPILOG = """\b
Whoever gets FILE reads it as a store:
  caviar best --store FILE
or unpacks it into one of his own:
  caviar unpack FILE

\b
Examples:
  caviar pack -o digits.caviar
  caviar pack digits digits-zoom -o paper.caviar
"""


@click.command(epilog=EPILOG)
@click.argument("sweeps", nargs=-1, metavar="[SWEEP]…")
@output_options("The file, which ends in .caviar.")
@target_options
def verb(sweeps: tuple[str, ...], output: str, target: Target) -> None:
    """Write SWEEPs (default: the latest) into one FILE, with all that the store has: curves, code, checkpoints."""
    from caviar.cli.opened import newest
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import counted, sized
    from caviar.results.packing import pack_document
    from caviar.store import Store

    store = Store.open(target.store)
    found = {sweep.id: sweep for sweep in (newest(store, ref) for ref in sweeps or (None,))}
    document = pack_document(target.store, list(found.values()), output)
    if target.as_json:
        emit_json(document)
    else:
        say(f"wrote {output}: {counted(len(document.sweeps), 'sweep')}, {sized(document.bytes)}")
