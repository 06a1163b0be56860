"""`caviar edit`: other values for live parameters of a trial, while it trains."""

import click

from caviar.cli.options import Target, sweep_option, target_options, trial_number

EPILOG = """\b
Examples:
  caviar edit 0 lr=*0.5
  caviar edit 0 lr=*0.5 --over 500 --why plateau
  caviar edit 7f3a 0 dropout=0.2 --at-step 1000
  caviar edit 0 batch=64 --now        (not live: train begins again)
"""


@click.command(epilog=EPILOG)
@click.argument("words", nargs=-1, required=True, metavar="[SWEEP] TRIAL NAME=VALUE...")
@sweep_option("The same as SWEEP.")
@click.option("--at-step", type=click.IntRange(min=0), metavar="N", help="Let it take effect after this step.")
@click.option("--over", type=click.IntRange(min=1), metavar="STEPS", help="Get there in so many steps.")
@click.option("--now", is_flag=True, help="Change what is not live too: train begins again from a checkpoint.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the diary.")
@target_options
def verb(words: tuple[str, ...], at_step: int | None, over: int | None, now: bool, why: str, target: Target) -> None:
    """Give live parameters of a trial other values while it trains: lr=0.01, or lr=*0.5, lr=/2, lr=+0.1.

    The trial takes them at its next report; a program (Command) at its next checkpoint, from which it is started again.
    A value that follows from the present one is worked out once.
    """
    from caviar.cli.output import emit, emit_json, say
    from caviar.run.acts import Wish, edit_trial
    from caviar.store import Store

    trial, wishes, sweep_ref = trial_and_wishes(words, target.sweep)
    store = Store.open(target.store)
    sweep = store.find(sweep_ref)
    wish = Wish(values=wishes, at_step=at_step, over=over, now=now, why=why)
    document = edit_trial(store, sweep, trial, wish, say=say)
    if target.as_json:
        emit_json(document)
        return
    when = (
        "" if document.after is None else "from the beginning" if document.after < 0 else f"after step {document.after}"
    )
    ramp = f"over {document.over} steps " if document.over else ""
    for name, (old, new) in document.changes.items():
        emit(f"{name} {old} → {new} {ramp}{when}".rstrip(), hang=2)
    for warning in document.warnings:
        say(warning)


def trial_and_wishes(
    words: tuple[str, ...], sweep: str | None, *, few: int = 1
) -> tuple[int, dict[str, str], str | None]:
    """The trial, what becomes of which parameter, and the sweep; UsageError where that cannot be told."""
    from caviar.spec.overrides import Typed

    who = [word for word in words if "=" not in word]
    pairs = [word.partition("=") for word in words if "=" in word]
    if len(pairs) < few or not 0 < len(who) < 3 or any(not name or not value for name, _, value in pairs):
        raise click.UsageError(f"A trial and what becomes of it, such as 0 lr=*0.5, got {' '.join(words)}")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise click.UsageError(f"A parameter gets one value, but one is named twice: {' '.join(words)}")
    if len(who) == 2 and sweep is not None and who[0] != sweep:
        raise click.UsageError(f"SWEEP is given twice, as {who[0]!r} and as --sweep {sweep!r}; give one")
    named = who[0] if len(who) == 2 else sweep
    return trial_number(who[-1]), {name: Typed(value) for name, _, value in pairs}, named
