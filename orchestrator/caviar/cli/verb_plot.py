"""`caviar plot`: the picture of coarse to fine."""

import click

from caviar.cli.options import store_option, sweep_argument

EPILOG = """\b
Examples:
  caviar plot -o zoom.svg
  caviar plot digits -o zoom.svg --x lr --y beta
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("-o", "--output", required=True, metavar="FILE.svg", help="Where to write the picture.")
@click.option("--x", metavar="PARAMETER", help="The horizontal axis (default: what was narrowed most).")
@click.option("--y", metavar="PARAMETER", help="The vertical axis: a parameter, or the sweep's metric.")
@click.option("--top", type=click.IntRange(min=3), metavar="N", help="How many of the best to mark (as for zoom).")
@store_option
def verb(sweep: str | None, output: str, x: str | None, y: str | None, top: int | None, store: str) -> None:
    """Draw SWEEP on two of its parameters, on their scales, as an SVG that any browser shows.

    A sweep that `caviar zoom` made is plotted inside its parent; a sweep that has none, with its newest child, or with
    the box that a zoom would draw.
    """
    from caviar.cli.opened import newest
    from caviar.cli.zoom_page import write_family_picture
    from caviar.store import Store

    opened = Store.open(store)
    write_family_picture(opened, newest(opened, sweep), output, axes=(x, y), top=top)
