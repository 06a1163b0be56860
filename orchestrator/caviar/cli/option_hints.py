"""What to type instead of an option that a verb has not: the one that was meant, or the verb that has it."""

from __future__ import annotations

from difflib import SequenceMatcher

import click

from caviar.cli.options import options_of
from caviar.display.verb_names import VERBS

OF_OTHERS = {
    "--num-samples": "--trials",
    "--num_samples": "--trials",
    "--n-trials": "--trials",
    "--n_trials": "--trials",
    "--count": "--trials",
    "--n-jobs": "--concurrency",
    "--max-concurrent-trials": "--concurrency",
    "--scheduler": "--stopping",
    "--pruner": "--stopping",
    "--search-alg": "--searcher",
    "--sampler": "--searcher",
    "--direction": "--mode",
    "--timeout": "--time-limit",
}
"""Options as Ray Tune, Optuna and W&B call them → ours."""
ELSEWHERE = {"--trials": "--add"}
"""Options of `run` → what does the same to a sweep that is there."""
_HARDLY_ANOTHER = 0.8
_MOST = 3
"""Verbs that are named as those that have an option."""


def no_option(error: click.NoSuchOption) -> str:
    """Say which option was meant: by another tool's name, the closest, or one that other verbs have."""
    option = error.option_name
    return f"No such option {option!r}{_meant(option, error.ctx, list(error.possibilities or ()))}"


def _meant(option: str, ctx: click.Context | None, possible: list[str]) -> str:
    ours = OF_OTHERS.get(option, option)
    for meant in (ours, ELSEWHERE.get(ours)):
        if ctx is not None and meant in options_of(ctx, ctx.command):
            return f"; did you mean {meant}?"

    def closeness(other: str) -> float:
        return SequenceMatcher(None, option, other).ratio()

    close = sorted(possible, key=closeness, reverse=True)[:3]
    if close and closeness(close[0]) > _HARDLY_ANOTHER:
        return f"; did you mean {close[0]}?"
    if verbs := _verbs_with(ours, ctx):
        return f"; {ours} is an option of {_listed([f'caviar {verb}' for verb in verbs])}"
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _verbs_with(option: str, ctx: click.Context | None) -> list[str]:
    """The verbs that have an option, in their order: what newcomers need, first."""
    root = None if ctx is None else ctx.find_root().command
    if not isinstance(root, click.Group) or ctx is None:
        return []
    commands = ((verb, root.get_command(ctx, verb)) for verb in VERBS)
    return [verb for verb, one in commands if one is not None and option in options_of(ctx, one)]


def _listed(verbs: list[str]) -> str:
    if len(verbs) > _MOST:
        return f"{', '.join(verbs[:_MOST])} and others"
    return f"{', '.join(verbs[:-1])} and {verbs[-1]}" if len(verbs) > 1 else verbs[0]
