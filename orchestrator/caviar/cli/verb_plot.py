"""`caviar plot`: a plot of a sweep as a file for a paper."""

from typing import Any

import click

from caviar.cli.options import output_options, store_option, sweep_argument

KINDS = ("zoom", "curves", "axes", "history", "tuning-curve", "retest")
OPTIONS = {"zoom": ("x", "y", "top"), "curves": ("metric", "top")}
EPILOG = """\b
Kinds:
  zoom          coarse trials, the box round the best, fine trials (default)
  curves        learning curves, coloured by rank
  axes          each parameter on its scale against the metric
  history       what each trial reached, as they ended, and the best so far
  tuning-curve  how good the best of k trials is, with a band
  retest        fresh seeds, and what the sweep had said

\b
Examples:
  caviar plot -o zoom.svg
  caviar plot digits -o zoom.pdf --x lr --y beta
  caviar plot --kind curves --top 50 -o curves.png
"""


@click.command(epilog=EPILOG)
@sweep_argument
@output_options("Where to: FILE.png, FILE.svg or FILE.pdf.")
@click.option("--kind", type=click.Choice(KINDS), default="zoom", show_default=True, help="What to draw.")
@click.option("--x", metavar="PARAMETER", help="zoom: the horizontal axis (default: what was narrowed most).")
@click.option("--y", metavar="PARAMETER", help="zoom: the vertical axis: a parameter, or the sweep's metric.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="zoom: how many to mark; curves: how many.")
@click.option("--metric", metavar="NAME", help="curves: what they show (default: the sweep's metric).")
@store_option
def verb(sweep: str | None, output: str, kind: str, store: str, **given: Any) -> None:
    """Draw a plot of SWEEP for a paper: PNG, SVG or PDF, by the name of the file. It needs matplotlib.

    The kind zoom draws a sweep that `caviar zoom` made inside its parent, and one that has none with its newest
    child, or with the box that a zoom would draw.
    """
    from caviar.cli.opened import newest, searched
    from caviar.cli.output import say
    from caviar.display.figure import check_form, write_figure
    from caviar.results.open_sweep import open_sweep
    from caviar.results.plots import Plots
    from caviar.store import Store

    wishes = {name: value for name, value in given.items() if value is not None}
    for name in wishes:
        if name not in OPTIONS.get(kind, ()):
            raise click.UsageError(f"--{name} means nothing to --kind {kind}: leave it out")
    check_form(output)
    opened = Store.open(store)
    found = newest(opened, sweep) if kind == "curves" else searched(opened, sweep)
    plots = Plots(lambda: open_sweep(opened, found, say))
    write_figure(getattr(plots, kind.replace("-", "_"))(**wishes), output)
    say(f"drew {output}")
