"""`caviar show`: everything about one trial."""

import click

from caviar.cli.options import Target, axis_option, target_options, trial_argument

EPILOG = """\b
Examples:
  caviar show 19
  caviar show digits 19
  caviar show 7f3a t19 --json
"""


@click.command(epilog=EPILOG)
@trial_argument
@axis_option
@target_options
def verb(trial: int, log: bool | None, target: Target) -> None:
    """Show one trial: its config, state, seed, attempts, learning curve, error, and the end of its output."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit_json
    from caviar.cli.trial_page import print_trial
    from caviar.results.trial import trial_document

    with opened(target) as sweep:
        document = trial_document(sweep, trial)
    emit_json(document) if target.as_json else print_trial(document, log)
