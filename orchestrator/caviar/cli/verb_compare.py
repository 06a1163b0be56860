"""`caviar compare`: whether one sweep searched a better space than another."""

import click

from caviar.cli.options import Ranking, Target, ranking_options, target_options

EPILOG = """\b
Examples:
  caviar compare 7f3a 91bc
  caviar compare wide narrow --json | jq .p
"""


@click.command(epilog=EPILOG)
@click.argument("first", metavar="SWEEP")
@click.argument("second", metavar="SWEEP")
@ranking_options
@target_options
def verb(first: str, second: str, ranking: Ranking, target: Target) -> None:
    """Say whether one of two sweeps searched a better space, by all trials of both, and what could have been seen.

    By a permutation test in which the best trials count most. Two sweeps of one space are told apart in less than
    1 of 25 pairs.
    """
    from caviar.cli.compare_page import print_comparison
    from caviar.cli.opened import searched
    from caviar.cli.output import emit_json, say
    from caviar.results.compare import compare_document
    from caviar.results.open_sweep import open_sweep
    from caviar.store import Store

    store = Store.open(target.store)
    with (
        open_sweep(store, searched(store, first), say) as one,
        open_sweep(store, searched(store, second), say) as other,
    ):
        document = compare_document(one, other, rule=ranking.rule, at_step=ranking.at_step)
        emit_json(document) if target.as_json else print_comparison(document, (one.title, other.title))
