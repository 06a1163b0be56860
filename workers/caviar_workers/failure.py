"""Why a trial failed, in words: what train raised and the one line of it that tells, or which metric is missing."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from difflib import get_close_matches

from caviar_workers.states import Failure
from caviar_workers.trial import Trial
from caviar_workers.trial_words import PUBLIC

_OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError", "ResourceExhaustedError")
_CALLS = {
    "Trial.report() ": "report takes a step and then metrics by their names: write trial.report(step, loss=…)",
    "Trial.save() ": "save takes a step and then bytes or the path of a file: write trial.save(step, data)",
}
"""How Python's errors about a call begin, and how it is to be written."""
_ARGPARSE = (
    "argparse read the command line that Caviar was started with: write parse_args([]) in train, "
    "or let the script be a program, caviar run --space … -- python train.py {args}"
)
_SAYS_SO = ("out of memory", "STATUS_ALLOC_FAILED", "RESOURCE_EXHAUSTED", "llocate memory")
"""In errors without a class of their own: CUDA's, those of its libraries, of JAX, and of the operating system."""


def describe(error: BaseException) -> tuple[str, str]:
    """The traceback of the user's own frames, and the kind of failure: `error` or `oom`.

    It raises nothing, whatever the error does when it is asked what it says: else the lease would end with it.
    """
    oom = any(_name(cls) in _OUT_OF_MEMORY for cls in type.mro(type(error)))
    if isinstance(error, (RuntimeError, OSError)):
        oom = oom or any(words in _words(error) for words in _SAYS_SO)
    frames = error.__traceback__
    while frames is not None and str(frames.tb_frame.f_globals.get("__name__", "")).startswith("caviar_workers"):
        frames = frames.tb_next  # the caller's frames are ours
    _in_our_words(error)
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except BaseException:
        known = "".join(traceback.format_tb(frames))
        text = f"Traceback (most recent call last):\n{known}{_name(type(error))}: <what it says cannot be written down>"
    # Names of files that are no UTF-8 come as lone surrogates, which no column of text can hold.
    whole = text.rstrip().encode("utf-8", "backslashreplace").decode()
    return whole, Failure.OOM if oom else Failure.ERROR


def _in_our_words(error: BaseException) -> None:
    """Say what to write where a trial was used in another way, such as that of another library's."""
    if type(error) is AttributeError and type(error.obj) is Trial and error.name is not None:
        error.args = (_not_had(error.name),)
    if type(error) is SystemExit and _raised_in(error, "argparse"):
        error.args = (_ARGPARSE,)
    if type(error) is not TypeError or len(error.args) != 1 or type(error.args[0]) is not str:
        return
    for call, right in _CALLS.items():
        if error.args[0].startswith(call):
            error.args = (f"{right} ({error.args[0]})",)


def _raised_in(error: BaseException, module: str) -> bool:
    frames = error.__traceback__
    return any(frame.f_globals.get("__name__") == module for frame, _ in traceback.walk_tb(frames))


def _not_had(name: str) -> str:
    """Say of an attribute that a trial has not where it is, and of what other libraries have on their trials what to
    write.

    Not said by `__getattr__`: with one, Python looks every attribute up twice as slowly, `report` before all.
    """
    has = f"it has {', '.join(PUBLIC)}"
    if name.startswith("suggest_"):
        return f"a trial suggests nothing here: its values are in config, such as config['x']; {has}"
    if name in ("should_prune", "should_stop"):
        return f"a trial is stopped by the sweep's stop policy, as it reports: leave {name} out; {has}"
    return f"a trial has no {name!r}: {has}"


def _name(cls: type) -> str:
    """The name of a class, whatever its metaclass makes of that."""
    return str(type.__dict__["__name__"].__get__(cls))


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return ""


def headline(error: str) -> str:
    """The line of a recorded traceback that names the error, of any other text the first; empty: there is none.

    Not simply the last one: torch ends what CUDA says with four lines of advice.
    """
    lines = [line for line in error.splitlines() if line.strip()]
    for place in reversed(range(len(lines))):
        if lines[place].startswith('  File "'):
            return next((line for line in lines[place:] if not line.startswith(" ")), lines[-1])
    return lines[0] if lines else ""


def place(error: str) -> str:
    """Where a recorded traceback ends, and in which class of error; of any other text, what names the error."""
    frames = [line for line in error.splitlines() if line.startswith('  File "')]
    return f"{frames[-1].strip()}: {headline(error).partition(':')[0]}" if frames else headline(error)


def never_reported(objective: str, reported: Iterable[str], returned: str) -> str:
    """The sentence for a trial that ended without one value of the sweep's metric."""
    names = list(reported)
    if not names and returned == "coroutine":
        return "train is an async function, which nobody awaits: write def train, and asyncio.run(…) in it"
    if not names:
        hint = f"train returned a {returned} but reported" if returned else "train reported"
        return f"the metric '{objective}' was never reported: {hint} nothing; call trial.report(step, {objective}=…)"
    return f"the metric '{objective}' was never reported, {only(objective, names)}"


def only(objective: str, names: list[str]) -> str:
    """Say what was reported in the metric's place, and what to do about it."""
    close = nearest(objective, names, 0.5)
    ask = f"did you mean metric='{close}'?" if close else "set metric= to one of them or report it"
    return f"only {', '.join(names[:8])}{', …' if len(names) > 8 else ''}: {ask}"


def nearest(objective: str, names: list[str], cutoff: float) -> str | None:
    """The name that looks most like the metric's, whatever the case; None: none does, in a share of its letters."""
    folded = {name.casefold(): name for name in reversed(names)}
    close = get_close_matches(objective.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None
