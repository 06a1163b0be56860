"""`caviar understand`: what a sweep tells of its space."""

import click

from caviar.cli.options import Ranking, Target, ranking_options, sweep_argument, target_options

EPILOG = """\b
Examples:
  caviar understand
  caviar understand 7f3a --json | jq '.parameters[].share'
  caviar understand 7f3a --at-step 3
"""


@click.command(epilog=EPILOG)
@sweep_argument
@ranking_options
@target_options
def verb(ranking: Ranking, target: Target) -> None:
    """Say what SWEEP tells of its space: what matters, where the best lie, what more trials would gain.

    How often each of these is wrong is in docs/winner.md. Sweeps whose trials were chosen or ended by what others
    had reported tell little of their space, and it is said why.
    """
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.cli.understand_page import print_understood
    from caviar.results.understand import understand_document

    with opened(target, search=True) as sweep:
        document = understand_document(sweep, rule=ranking.rule, at_step=ranking.at_step)
        emit_json(document) if target.as_json else print_understood(document, sweep.title)
