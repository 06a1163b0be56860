"""The best trials of a sweep, as a table with sparklines, a configuration to copy, or JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from caviar.cli.options import Ranking
from caviar.cli.output import emit, say, say_left_out
from caviar.cli.points import drawn
from caviar.errors import NoResultError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.cli.reading import Reading
    from caviar.results.selector import Selection

SPARK_WIDTH = 10


def choose(reading: Reading, k: int, ranking: Ranking | None = None) -> Selection:
    """The best `k` trials.

    Raises:
        NoResultError: no trial has a usable value.
        NotFoundError: trials report other metrics than the sweep's.
    """
    from caviar.results.selector import select

    ranking = ranking or Ranking(rule=None, at_step=None)
    selection = select(reading.views, reading.sweep.description(), k=k, rule=ranking.rule, at_step=ranking.at_step)
    if not selection.rows:
        raise _no_result(reading, ranking.at_step)
    return selection


def _no_result(reading: Reading, at_step: int | None) -> NoResultError:
    counts = dict(reading.views.execute("select state, count(*) from trials group by state").fetchall())
    failed = f" ({counts['FAILED']} failed)" if counts.get("FAILED") else ""
    yet = " yet" if reading.sweep.state() == "running" else ""
    when = yet if at_step is None else f" at step {at_step}"
    return NoResultError(
        f"{reading.title} has no trial with a usable {reading.plan['metric']}{when}{failed};"
        f" see why: caviar status {reading.sweep.id}"
    )


def document(reading: Reading, selection: Selection) -> dict[str, Any]:
    """The selection as JSON values."""
    return {
        "sweep": reading.sweep.id,
        "name": reading.plan["name"],
        "metric": reading.plan["metric"],
        "mode": reading.plan["mode"],
        "rule": selection.rule,
        "trials": [
            {
                "trial": row.trial,
                "value": row.value,
                "step": row.step,
                "state": row.state,
                "seed": row.seed,
                "config": row.config,
            }
            for row in selection.rows
        ],
        "final": _final(reading),
    }


def _final(reading: Reading) -> dict[str, Any] | None:
    """What the sweep's `final` function found for its winner: {"trial", "metrics", …}; None without one."""
    from caviar.store.finals import finals

    try:
        found = finals(reading.sweep)
    except StoreError as error:  # the trials are shown all the same
        say(str(error))
        return None
    return found[-1] if found else None


def print_winners(reading: Reading, selection: Selection) -> None:
    """Write the table, and the winner's configuration ready to copy, to stdout."""
    from caviar.show.axis import axis_of
    from caviar.show.glyphs import glyphs_for
    from caviar.show.numbers import MISSING, number, option_text
    from caviar.show.sparkline import sparklines
    from caviar.show.style import CURVE, STRONG
    from caviar.show.table import Column, print_table

    metric = str(reading.plan["metric"])
    found = drawn(reading, [row.trial for row in selection.rows], metric)
    points = [found[row.trial] for row in selection.rows]
    curves = [one.values for one in points]
    axis = axis_of(curves)
    sparks = sparklines(
        curves,
        steps=[one.steps for one in points],
        width=SPARK_WIDTH,
        axis=axis,
        spark=glyphs_for(sys.stdout).spark,
    )
    columns = [
        Column(name="trial", keep=True, style=STRONG),
        Column(name=metric, align="right", keep=True, shrink=True, style=STRONG),
        Column(name="log curve" if axis.log else "curve", style=CURVE),
        *(Column(name=name, align="right") for name in reading.parameters),
        Column(name="step", align="right"),
        Column(name="state"),
    ]
    rows = [
        [
            f"t{row.trial}",
            number(row.value),
            spark,
            *(option_text(row.config[name], 20) if name in row.config else MISSING for name in reading.parameters),
            number(row.step),
            row.state,
        ]
        for row, spark in zip(selection.rows, sparks, strict=True)
    ]
    emit(f"{reading.title}{_others(reading)}", hang=2)
    emit(f"best by {selection.rule}, {reading.plan['mode']}", hang=2)
    emit()
    say_left_out(print_table(columns, rows, sys.stdout))
    winner = selection.rows[0]
    emit()
    emit(f"# config of t{winner.trial}, seed {winner.seed}")
    emit(literal(winner.config))
    _print_final(reading)


def _others(reading: Reading) -> str:
    """`: 38 completed, 24 stopped, 2 failed`, where not all trials that ended completed."""
    counts = dict(reading.views.execute("select state, count(*) from trials group by state").fetchall())
    named = [(state, counts.get(state, 0)) for state in ("COMPLETED", "STOPPED", "PAUSED", "FAILED", "CANCELLED")]
    if not any(count for state, count in named if state != "COMPLETED"):
        return ""
    return ": " + ", ".join(f"{count} {state.lower()}" for state, count in named if count)


def _print_final(reading: Reading) -> None:
    from caviar.show.numbers import config_text

    final = _final(reading)
    if final is not None:
        emit()
        home = final.get("sweep", reading.sweep.id)
        where = "" if home == reading.sweep.id else f" of {home}"
        emit(f"final, measured once on t{final['trial']}{where}: {config_text(final['metrics'])}", hang=2)


def literal(config: Mapping[str, Any]) -> str:
    """The configuration as Python source, at full precision, in characters that stdout has; on one line if short."""
    flat = source = repr(dict(config))
    if len(flat) > 78:
        source = "\n".join(["{", *(f"    {name!r}: {value!r}," for name, value in config.items()), "}"])
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # What it lacks stands in texts only, and is escaped there.
    return source.encode(encoding, "backslashreplace").decode(encoding)
