"""`caviar simulate`: what a stop policy would have saved, and lost, on curves that are there."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.run.replay import Rules, Savings
    from caviar.run.replay_curves import Curves

EPILOG = """\b
Examples:
  caviar simulate digits --stopping asha:eta=5 --slots 8
  caviar simulate --stopping median --trials 40 --orders 200 --json
  caviar simulate curves.npz --table Y_adult --columns 1:50 --trials 40
"""


ARRAYS = (".npz", ".npy")
"""Endings of numpy's files; one of the latter is told what is wanted instead."""

SHORT_S = 2.0
"""Seconds within which a trial may be over before what it reported arrives."""

LITTLE = 0.005
"""A share that is shown as none."""


class Span(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """A range such as `1:50`, as (1, 50)."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """First and last column, both counted in."""
        first, _, last = str(value).partition(":")
        if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
            self.fail(f"columns are FIRST:LAST, such as 1:50, got {value!r}", param, ctx)
        return int(first), int(last)


@click.command(epilog=EPILOG)
@sweep_argument
@click.option("--stopping", default="asha:eta=5", show_default=True, metavar="POLICY", help="The stop policy.")
@click.option(
    "--pausing/--no-pausing",
    default=None,
    help="Pause trials and promote them, or stop them for good (default: as the sweep did; a table: stop).",
)
@click.option("--slots", type=click.IntRange(min=1), default=8, show_default=True, help="Trials at a time.")
@click.option("--trials", type=click.IntRange(min=2), metavar="N", help="Trials in each order (default: all).")
@click.option("--orders", type=click.IntRange(min=1), default=100, show_default=True, help="Random orders to replay.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides the orders.")
@click.option("--table", metavar="NAME", help="Which array of an .npz file.")
@click.option("--columns", type=Span(), metavar="A:B", help="Which columns of the array count; a column is a step.")
@click.option("--mode", type=click.Choice(["min", "max"]), help="What is good in the array (default: min).")
@target_options
def verb(target: Target, table: str | None, columns: tuple[int, int] | None, mode: str | None, **given: Any) -> None:
    """Replay the whole curves of SWEEP, or of an .npz file of arrays [trials, steps], under a stop policy.

    The trials are begun in many random orders on virtual slots, by the scheduler that runs real sweeps, and
    judged as they would have been: compute and time saved, and how often the best trial would have been lost.
    """
    from caviar.cli.output import emit_json, say
    from caviar.run.replay import savings

    words = (given.pop("stopping"), given.pop("pausing"), given.pop("slots"))
    _rules(*words, pausing_by_default=False)  # wrong words, before anything is read
    with _no_pandas():
        curves = _curves(target, table, columns, mode)
        rules = _rules(*words, pausing_by_default=curves.pausing)
        with _Progress(given["orders"]) as on_order:
            found = savings(curves, rules, **given, on_order=on_order)
    if target.as_json:
        emit_json(found)
    else:
        _print(found)
    if reason := _why_nobody(found):
        say(reason)


def _why_nobody(found: "Savings") -> str:
    """Why the policy ended nobody early, in any order: then what is saved is nothing, or an accident; empty: it did."""
    from caviar.display.numbers import duration

    if found.longest_s < SHORT_S and found.compute_saved < LITTLE:
        return (
            f"{found.stopping} {'stopped nobody in time' if found.judged else 'judged nobody'}: a replay keeps the "
            f"seconds that each step took, and trials as short as these ({duration(found.longest_s)} at most) are over "
            "before their rows arrive"
        )
    if found.judged:
        return ""
    return f"{found.stopping} judged nobody: no curve came to a step, or to a value, at which it does"


class _Missing:
    """An import hook: with its first array, pyarrow imports pandas if it is there: a quarter of a second."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Say that there is no such module."""
        if name == "pandas":
            raise ModuleNotFoundError("no pandas here", name=name)


@contextmanager
def _no_pandas() -> Iterator[None]:
    sys.meta_path.insert(0, _Missing)
    try:
        yield
    finally:
        sys.meta_path.remove(_Missing)


def _rules(stopping: str, pausing: bool | None, slots: int, *, pausing_by_default: bool) -> "Rules":
    from caviar.run.replay import Rules
    from caviar.search.stopping import PAUSING, parse_stopping, stopping_text

    text = stopping_text(parse_stopping(stopping))
    able = text.partition(":")[0] in PAUSING
    if pausing and not able:
        raise click.UsageError(
            f"--pausing needs a policy that pauses trials, and {text} does not: use {' or '.join(PAUSING)}"
        )
    return Rules(stopping=text, slots=slots, pausing=able and (pausing_by_default if pausing is None else pausing))


def _curves(target: Target, table: str | None, columns: tuple[int, int] | None, mode: str | None) -> "Curves":
    from caviar.cli.opened import opened
    from caviar.cli.output import say
    from caviar.run.replay_curves import curves_of, curves_of_table

    if target.sweep is not None and Path(target.sweep).suffix.lower() in ARRAYS:
        return curves_of_table(Path(target.sweep), table, columns, mode or "min")
    for option, value in (("--table", table), ("--columns", columns), ("--mode", mode)):
        if value is not None:
            raise click.UsageError(f"{option} is about an .npz file, but what is replayed is a sweep: leave it out")
    with opened(target) as recorded:
        left = recorded.rows("select count(*) n from trials where state = 'STOPPED'")[0]["n"]
        if left:
            say(f"[caviar] {left} trials were stopped early and are left out: whole curves are of the better ones")
        return curves_of(recorded.views, recorded.sweep.description(), recorded.title)


class _Progress:
    """How many orders are done: in place on a terminal, which is left as it was; elsewhere a line every half minute."""

    def __init__(self, orders: int) -> None:
        from caviar.display.choose_display import is_live

        self._orders = orders
        self._live = is_live(sys.stderr, os.environ)
        self._every = 0.25 if self._live else 30.0
        self._began = self._told = time.monotonic()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._show("")

    def __call__(self, done: int) -> None:
        from caviar.cli.output import say
        from caviar.display.numbers import duration

        now = time.monotonic()
        if now - self._told < self._every or done == self._orders:
            return
        self._told = now
        left = (now - self._began) / done * (self._orders - done)
        text = f"[caviar] {done}/{self._orders} orders, {duration(left)} left"
        if self._live:
            self._show(text)
        else:
            say(text)

    def _show(self, text: str) -> None:
        """Put the text in place of the one before."""
        with suppress(OSError, ValueError):  # a closed terminal
            sys.stderr.write(f"\r\033[2K{text}")
            sys.stderr.flush()


def _print(found: "Savings") -> None:
    from caviar.cli.output import emit
    from caviar.display.numbers import counted
    from caviar.display.table import Column, print_table

    how = ", paused and promoted" if found.pausing else ""
    emit(
        f"{found.name}: {counted(found.orders, 'order')} of {counted(found.trials, 'trial')} "
        f"on {counted(found.slots, 'slot')}, {found.stopping}{how}",
        hang=2,
    )
    emit()
    low, high = found.compute_range
    error = found.winner_lost_error
    rows = [
        ["compute saved", _share(found.compute_saved), f"{_share(low)} to {_share(high)} in nine orders of ten"],
        ["time saved", _share(found.time_saved), "of the wall time on as many slots"],
        ["trained to the end", f"{found.completed:.1f}", f"of {found.trials} trials"],
        [
            "winner lost",
            f"{found.winner_lost:.0%}",
            f"of the orders, ± {error:.0%}; the chosen one ranks {found.rank:.1f}",
        ],
    ]
    print_table(
        [Column(name="", keep=True), Column(name="mean", align="right", keep=True), Column(name="", keep=True)],
        rows,
        sys.stdout,
    )


def _share(value: float) -> str:
    return f"{round(value, 2) + 0.0:.0%}"  # never −0 %
