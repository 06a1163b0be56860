"""`caviar next`: propose the next sweep, as a file."""

import click

from caviar.cli.options import Target, output_options, sweep_argument, target_options

EPILOG = """\b
Examples:
  caviar next
  caviar next 7f3a -o next.py && caviar run next.py
"""


@click.command(epilog=EPILOG)
@sweep_argument
@output_options("Write it there (default: stdout).", metavar="FILE.py", required=False)
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="How many configurations (default: as before).")
@target_options
def verb(output: str | None, trials: int | None, target: Target) -> None:
    """Propose the next sweep after SWEEP, as a file that `caviar run` takes: each change with its reason.

    Ranges become the regions where the best lie, and grow where these press on an end. No parameter is fixed: one
    without a visible effect stays as it was. The file runs the experiment's code as it is today.
    """
    from pathlib import Path

    from caviar.cli.next_page import print_proposal, write_file
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.results.understand_next import next_document

    folder = str(Path(output).absolute().parent) if output else None
    with opened(target, search=True) as sweep:
        document = next_document(sweep, trials=trials, folder=folder)
        if output is not None:
            write_file(document, output)
        if target.as_json:
            emit_json(document)
        elif output is None:
            print_proposal(document, sweep.title)
