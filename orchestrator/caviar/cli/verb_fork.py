"""`caviar fork`: new trials from a checkpoint of another one."""

import click

from caviar.cli.options import Target, code_if_trusted, sweep_option, target_options, trust_option
from caviar.cli.verb_edit import trial_and_wishes

EPILOG = """\b
Examples:
  caviar fork 0 -k 4 --space lr=log:1e-4..1e-2
  caviar fork 0 --branch 1 --at-step 900 lr=*0.5
"""


@click.command(epilog=EPILOG)
@click.argument("words", nargs=-1, required=True, metavar="[SWEEP] TRIAL [NAME=VALUE...]")
@sweep_option("The same as SWEEP.")
@click.option("--branch", type=click.IntRange(min=0), metavar="B", help="Of this branch of the trial, dead or living.")
@click.option("--at-step", type=click.IntRange(min=0), metavar="N", help="From its last checkpoint at or before N.")
@click.option("-k", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many new trials.")
@click.option("--space", "ranges", multiple=True, metavar="NAME=RANGE", help="Draw a parameter: lr=log:1e-4..1e-2.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the diary.")
@click.option("--address", metavar="HOST:PORT", help="Join this Ray cluster, as caviar resume does.")
@trust_option
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@target_options
def verb(  # noqa: PLR0913, PLR0917 — one argument an option
    words: tuple[str, ...],
    branch: int | None,
    at_step: int | None,
    k: int,
    ranges: tuple[str, ...],
    why: str,
    address: str | None,
    trust: bool,
    quiet: bool,
    target: Target,
) -> None:
    """Make new trials from a checkpoint of one, with its seed and other values.

    They begin at once where the sweep runs; else it is resumed. Their parent goes on as it did.
    """
    from caviar.cli.after_act import after_act
    from caviar.cli.command_sweep import named_range
    from caviar.cli.output import say
    from caviar.run.forks import ForkWish, fork_trial
    from caviar.store import Store

    trial, wishes, sweep_ref = trial_and_wishes(words, target.sweep, few=0)
    space = dict(map(named_range, ranges))
    if len(space) < len(ranges):
        raise click.UsageError(f"A parameter gets one range, but one is named twice: {' '.join(ranges)}")
    store = Store.open(target.store)
    sweep = store.find(sweep_ref)
    runs = sweep.owner().runs
    wish = ForkWish(branch=branch, at_step=at_step, k=k, space=space, values=wishes, why=why)
    document = fork_trial(store, sweep, trial, wish, say=say)
    which = ", ".join(map(str, document.trials[:5])) + (", …" if k > 5 else "")
    say(f"trial {which} goes on from step {document.step} of trial {trial}")
    for warning in document.warnings:
        say(warning)
    after_act(target, store, sweep, document, runs=runs, quiet=quiet, address=address, code=code_if_trusted(trust))
