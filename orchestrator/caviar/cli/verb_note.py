"""`caviar note`: a few words about a trial, for its diary."""

import click

from caviar.cli.options import Target, sweep_option, target_options, trial_number

EPILOG = """\b
Examples:
  caviar note 0 "plateau since yesterday, loss spikes at 812"
  caviar note 0 "data from shard 17 on is new" --sweep 7f3a
"""


@click.command(epilog=EPILOG)
@click.argument("trial", metavar="TRIAL")
@click.argument("text", metavar="TEXT")
@sweep_option("The sweep (default: the latest).")
@target_options
def verb(trial: str, text: str, target: Target) -> None:
    """Keep a few words about a trial, beside what was done to it: `caviar diary` shows both."""
    from caviar.cli.output import emit_json, say
    from caviar.run.acts import note_trial
    from caviar.store import Store

    store = Store.open(target.store)
    document = note_trial(store, store.find(target.sweep), trial_number(trial), text, say=say)
    if target.as_json:
        emit_json(document)
        return
    say(f"noted; next: caviar diary {document.sweep} {document.trial}")
