"""Options and arguments that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

DEFAULT_STORE = os.path.join(".", "caviar-store")

Verb = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a verb works on, and how it answers.

    Attributes:
        store: path of the store.
        sweep: as the user named it; None is the latest.
        as_json: one JSON document, rather than text for a person.
    """

    store: str
    sweep: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How trials are compared: which value of a curve counts (None: as the sweep says), up to which step."""

    rule: str | None
    at_step: int | None


def store_option(function: Verb) -> Verb:
    """`--store`."""
    return click.option(
        "--store",
        metavar="DIR",
        envvar="CAVIAR_STORE",
        default=DEFAULT_STORE,
        show_default=True,
        show_envvar=True,
        help="Where results are kept: a folder, s3://bucket/prefix or gs://bucket/prefix.",
    )(function)


def target_options(function: Verb) -> Verb:
    """`--store` and `--json`, and the verb's SWEEP if it has one, as one argument `target`."""

    @functools.wraps(function)
    def verb(*, store: str, as_json: bool, sweep: str | None = None, **others: Any) -> None:
        function(target=Target(store=store, sweep=sweep, as_json=as_json), **others)

    return store_option(click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(verb))


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """Seconds, as `90`, `90s`, `30m`, `2h` or `1d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        text = str(value).strip()
        unit = UNITS.get(text[-1:], 0.0)
        try:
            seconds = float(text[:-1] if unit else text) * (unit or 1.0)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"A time is a number of seconds, or with a unit such as 90s, 30m, 2h, got {value!r}", param, ctx)
        return seconds


def time_limit_option(function: Verb) -> Verb:
    """`--time-limit`, in seconds."""
    text = "End in good order after this time, such as 30m."
    return click.option("--time-limit", type=Duration(), metavar="T", help=text)(function)


def sweep_argument(function: Verb) -> Verb:
    """An optional positional SWEEP."""
    return click.argument("sweep", required=False)(function)


def sweep_option(text: str) -> Callable[[Verb], Verb]:
    """`--sweep SWEEP`, for verbs whose argument is something else."""
    return click.option("--sweep", metavar="SWEEP", help=text)


def ranking_options(function: Verb) -> Verb:
    """`--rule` and `--at-step`, as one argument `ranking`."""

    @functools.wraps(function)
    def verb(*, rule: str | None, at_step: int | None, **others: Any) -> None:
        function(ranking=Ranking(rule=rule, at_step=at_step), **others)

    verb = click.option(
        "--at-step",
        type=click.IntRange(min=0),
        metavar="N",
        help="Compare by what was reported up to this step.",
    )(verb)
    return click.option(
        "--rule",
        type=click.Choice(["last", "best", "smoothed"]),
        help="Which value of a curve counts (default: the sweep's own rule).",
    )(verb)
