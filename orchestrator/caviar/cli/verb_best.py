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


@click.command(epilog=EPILOG, short_help="The best trials, and the winner's config ready to copy.")
@sweep_argument
@click.option("-k", default=5, show_default=True, type=click.IntRange(min=1), help="How many trials.")
@click.option("--family", is_flag=True, help="Over SWEEP, what it was zoomed out of, and what came of it.")
@ranking_options
@target_options
def verb(k: int, family: bool, ranking: Ranking, target: Target) -> None:
    """Show the best trials of SWEEP, then the winner's config at full precision, ready to copy.

    NaN and infinity never win.
    """
    from caviar.cli.output import emit_json
    from caviar.cli.reading import reading
    from caviar.cli.winners import choose, document, print_winners

    if family:
        from caviar.cli.relatives import show_family

        show_family(target, k, ranking)
        return
    with reading(target) as opened:
        selection = choose(opened, k, ranking)
        if target.as_json:
            emit_json(document(opened, selection))
        else:
            print_winners(opened, selection)
