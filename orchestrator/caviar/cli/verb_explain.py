"""`caviar explain`: what was decided about one trial, and on which numbers."""

import click

from caviar.cli.options import Target, target_options, trial_argument

EPILOG = """\b
Examples:
  caviar explain 19
  caviar explain digits t19 --json
"""


@click.command(epilog=EPILOG)
@trial_argument
@target_options
def verb(trial: int, target: Target) -> None:
    """Tell what was decided about one trial, each decision in a sentence with the numbers that it rests on."""
    from caviar.cli.opened import opened
    from caviar.cli.output import emit, emit_json
    from caviar.results.decisions import decisions_document

    with opened(target) as sweep:
        document = decisions_document(sweep, trial)
    if target.as_json:
        emit_json(document)
        return
    emit(f"trial {trial} of {document.name} ({document.sweep}): {document.state}", hang=2)
    for decision in document.decisions:
        emit(f"  {decision['sentence']}", hang=4)
    if not document.decisions:
        emit("  nothing was decided about it: " + _silence(document.stopping), hang=4)


def _silence(stopping: str) -> str:
    if not stopping:
        return "the sweep has no stop policy"
    return f"it came to no step at which {stopping} judges, or ended before its rows arrived"
