"""`caviar best`: the best trials and the winner's configuration."""

import click

from caviar.cli.options import Ranking, Target, ranking_options, sweep_argument, target_options

EPILOG = """\b
Rules (which value of a curve counts):
  last      the last one, the default
  best      the best one; optimistic where curves are noisy
  smoothed  the last of a smoothed curve

\b
Examples:
  caviar best
  caviar best 7f3a -k 20 --rule best
  caviar best --family
  caviar best --json | jq '.trials[0].config'
"""


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("-k", default=5, show_default=True, type=click.IntRange(min=1), help="How many trials.")
@click.option("--family", is_flag=True, help="Over SWEEP, what it was zoomed out of, and what came of it.")
@ranking_options
@target_options
def verb(k: int, family: bool, ranking: Ranking, target: Target) -> None:
    """Show the best trials of SWEEP, then the winner's config at full precision, ready to copy.

    NaN and infinity never win.
    """
    from caviar.cli.opened import opened, searched
    from caviar.cli.output import emit_json, say

    rule, at_step = ranking.rule, ranking.at_step
    if family:
        from caviar.cli.best_page import print_family
        from caviar.results.family import family_document
        from caviar.store import Store

        store = Store.open(target.store)
        relatives = family_document(store, searched(store, target.sweep), say, k=k, rule=rule, at_step=at_step)
        emit_json(relatives) if target.as_json else print_family(relatives)
        return
    from caviar.cli.best_page import print_winners
    from caviar.results.best import best_document

    with opened(target, search=True) as sweep:
        document = best_document(sweep, k=k, rule=rule, at_step=at_step)
        emit_json(document) if target.as_json else print_winners(sweep, document)
