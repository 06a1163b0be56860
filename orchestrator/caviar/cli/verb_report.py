"""`caviar report`: sweeps as one file to look at, with all pictures, that opens from disk."""

import click

from caviar.cli.options import Target, forced, output_options, sweep_option, target_options

EPILOG = """\b
Examples:
  caviar report
  caviar report digits -o digits.html
  caviar report 7f3a 51cd -o both.html
  caviar report --family
  caviar report --metric val_loss --metric train_loss
"""


@click.command(epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="[SWEEP]…")
@sweep_option("The same as SWEEP.")
@output_options("Where to (default: report-ID.html, here).", required=False, report=True)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Curves of this metric alone; repeatable.")
@click.option("--family", is_flag=True, help="Each SWEEP, what it was zoomed out of, and what came of it.")
@target_options
def verb(*, words: tuple[str, ...], output: str | None, metrics: tuple[str, ...], family: bool, target: Target) -> None:
    """Write a report of SWEEPs, one file for a browser: the verdict, what to know before one trusts it, and pictures.

    It needs no network and asks for none. Hover, select and sort in it; what is selected is kept in its address.
    A retest is shown with the sweep that it retests. docs/report.md says what each picture shows, by which rule.
    """
    from caviar.cli.opened import searched
    from caviar.cli.output import emit_json, say
    from caviar.display.numbers import sized
    from caviar.results.family import family as family_of
    from caviar.results.report.report_file import write_report
    from caviar.store import Store

    store = Store.open(target.store)
    named: list[str | None] = [*words, *([target.sweep] if target.sweep else [])] or [None]
    found = [searched(store, one) for one in named]
    if family:
        found = [member for one in found for member in family_of(store, one)]
    sweeps = list({one.id: one for one in found}.values())
    document = write_report(store, sweeps, output, say, metrics=metrics, force=forced())
    if target.as_json:
        emit_json(document)
        return
    for sentence in document.left_out:
        say(sentence)
    say(f"wrote {document.file}, {sized(document.bytes)}")
