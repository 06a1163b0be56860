"""The best trials of a family of sweeps, coarse and fine together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from caviar.cli.options import Ranking, Target
from caviar.cli.output import emit, emit_json, say_left_out
from caviar.cli.reading import newest, say_not_shown
from caviar.errors import NoResultError
from caviar.results.family import best_of_family, family
from caviar.store import Store, Views

if TYPE_CHECKING:
    from caviar.results.family import Relative


def show_family(target: Target, k: int, ranking: Ranking) -> None:
    """Print the best trials of the target's family, as a table or as JSON.

    Raises:
        NoResultError: No trial of it has a usable value.
    """
    store = Store.open(target.store)
    sweeps = family(store, newest(store, target.sweep))
    with Views(store, sweeps) as views:
        say_not_shown(views)
    rule, best = best_of_family(store, sweeps, k=k, rule=ranking.rule, at_step=ranking.at_step)
    plan = sweeps[0].description()["plan"]
    if not best:
        yet = " yet" if any(one.state() == "running" for one in sweeps) else ""
        raise NoResultError(f"no trial of the family of {sweeps[0].id} has a usable {plan['metric']}{yet}")
    if target.as_json:
        members = [{"sweep": one.id, "parent": one.description()["plan"].get("parent")} for one in sweeps]
        head = {"metric": plan["metric"], "mode": plan["mode"], "rule": rule, "family": members}
        emit_json(head | {"trials": [_row(one) for one in best]})
        return
    _print(plan, rule, best)


def _row(relative: Relative) -> dict[str, Any]:
    row = relative.candidate
    fields = ("trial", "value", "step", "state", "seed", "config")
    return {"sweep": relative.sweep.id} | {name: getattr(row, name) for name in fields}


def _print(plan: dict[str, Any], rule: str, best: tuple[Relative, ...]) -> None:
    from caviar.cli.winners import literal
    from caviar.show.numbers import number, option_text
    from caviar.show.style import STRONG
    from caviar.show.table import Column, print_table

    names = list(dict.fromkeys(name for one in best for name in one.candidate.config))
    columns = [
        Column(name="sweep", keep=True),
        Column(name="trial", keep=True, style=STRONG),
        Column(name=plan["metric"], align="right", keep=True, shrink=True, style=STRONG),
        *(Column(name=name, align="right") for name in names),
        Column(name="step", align="right"),
        Column(name="state"),
    ]
    rows = []
    for one in best:
        row = one.candidate
        values = [option_text(row.config[name], 20) if name in row.config else "" for name in names]
        rows.append([one.sweep.id, f"t{row.trial}", number(row.value), *values, number(row.step), row.state])
    emit(f"best by {rule}, {plan['mode']}", hang=2)
    emit()
    say_left_out(print_table(columns, rows, sys.stdout))
    emit()
    emit(f"# config of t{best[0].candidate.trial} of {best[0].sweep.id}, seed {best[0].candidate.seed}")
    emit(literal(best[0].candidate.config))
