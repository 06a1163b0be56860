"""A sweep of any program: `caviar run --metric val_loss --space lr=log:1e-4..1 -- python train.py {args}`."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from caviar.errors import SpecError

if TYPE_CHECKING:
    from caviar.sweep import Sweep

Verb = Callable[..., None]

OPTIONS = {
    "metric": "--metric",
    "mode": "--mode",
    "space": "--space",
    "read": "--read",
    "step": "--step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a command line says of a sweep of a program; a file says it by itself.

    Attributes:
        metric: the metric that decides.
        mode: `min` or `max`.
        space: `NAME=RANGE` of each parameter.
        read: the form of the program's reports.
        step: the name that counts steps in them.
    """

    metric: str | None
    mode: str | None
    space: tuple[str, ...]
    read: str | None
    step: str | None

    @property
    def of_a_command(self) -> list[str]:
        """The options that were given, and mean nothing with a file."""
        return [option for name, option in OPTIONS.items() if name in _OF_A_COMMAND and getattr(self, name)]

    @property
    def overriding(self) -> dict[str, str]:
        """What takes the place of what a file says."""
        return {name: value for name in ("metric", "mode") if (value := getattr(self, name)) is not None}


_OF_A_COMMAND = ("space", "read", "step")


def described_options(function: Verb) -> Verb:
    """The options that describe a sweep of a program, as one argument `described`."""

    @functools.wraps(function)
    def verb(**given: Any) -> None:
        function(described=Described(**{name: given.pop(name) for name in OPTIONS}), **given)

    for option in reversed(
        [
            click.option("--metric", metavar="NAME", help="The metric that decides."),
            click.option("--mode", type=click.Choice(["min", "max"]), help="Whether it is to be small or large."),
            click.option(
                "--space",
                multiple=True,
                metavar="NAME=RANGE",
                help="Parameter of a COMMAND: lr=log:1e-4..1, units=8..256, opt=adam,sgd; repeatable.",
            ),
            click.option(
                "--read",
                type=click.Choice(["auto", "json", "pairs", "wandb"]),
                help="How a COMMAND's output is read; wandb: by what it gives to wandb.log.",
            ),
            click.option("--step", metavar="NAME", help="What counts steps in its output (default: epoch, step, …)."),
        ]
    ):
        verb = option(verb)
    return verb


def command_sweep(words: Sequence[str], described: Described, *, here: bool) -> Sweep:
    """The sweep of a program.

    Args:
        words: The command, in words.
        described: What is said of it.
        here: It is to be found on this machine.

    Raises:
        SpecError: Something is missing, or breaks its rule.
    """
    from caviar.space.inference import written
    from caviar.sweep import Sweep
    from caviar_workers.command import Command

    if described.metric is None or not described.space:
        lacks = "--metric NAME" if described.metric is None else "--space NAME=RANGE"
        raise SpecError(f"a sweep of a command needs {lacks}: caviar run --metric val_loss --space lr=log:1e-4..1 -- …")
    if here and shutil.which(words[0]) is None:
        raise SpecError(f"there is no program {words[0]!r} on the PATH: name it with its path, or install it")
    space = {name: written(text, whole=True) for name, text in map(named_range, described.space)}
    try:
        command = Command(list(words), read=described.read or "auto", step=described.step)
    except ValueError as error:
        raise SpecError(str(error)) from error
    return Sweep(command, space, described.metric, described.mode or "min")


def named_range(word: str) -> tuple[str, str]:
    """`lr=log:1e-4..1` as ("lr", "log:1e-4..1").

    Raises:
        click.UsageError: It has not this form.
    """
    name, equals, text = word.partition("=")
    if not (name and equals and text):
        raise click.UsageError(f"--space is NAME=RANGE, such as lr=log:1e-4..1, got {word!r}")
    return name, text
