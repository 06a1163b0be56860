"""All that a page shows of one sweep: a head of documents and columns of numbers, as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import counted
from caviar.display.typed_commands import typed
from caviar.errors import NoResultError, NotFoundError
from caviar.results.best import BestDocument, best_document
from caviar.results.json_form import as_json
from caviar.results.report import charts
from caviar.results.report.acts import acts_document
from caviar.results.report.columns import encode
from caviar.results.report.curve_columns import (
    Axis,
    CurvePlan,
    Curves,
    curve_axes,
    curve_columns,
    curve_plan,
    metrics_document,
    read_curves,
    seconds_scale,
    summaries,
    value_axis_document,
)
from caviar.results.report.facts import (
    facts_document,
    failures_document,
    listed,
    provenance_document,
    sweep_document,
)
from caviar.results.report.parameters import fixed_document, pairs_document, parameter_columns, parameters_document
from caviar.results.report.running import running_document
from caviar.results.report.scales import LARGEST, single
from caviar.results.report.sections import OF_THE_SPACE, absent_document, charts_document
from caviar.results.report.slots import MOST_BARS, slot_column, slot_use
from caviar.results.report.trial_rows import BoolArray, TrialRows, configurations, trial_rows
from caviar.results.report.verdict import trust_document, verdict_document
from caviar.results.status import STATES, status_document
from caviar.results.understand import understand_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.results.understand_findings import UnderstandDocument

NAMED = 3
"""Metrics that are named where some are left out."""


@dataclass(frozen=True, kw_only=True)
class Payload:
    """What a page is given of one sweep.

    Attributes:
        head: as `columns.encode` takes it, without the columns.
        columns: name → numbers.
    """

    head: dict[str, Any]
    columns: dict[str, np.ndarray]

    def to_bytes(self) -> bytes:
        """As a page reads it."""
        return encode(self.head, self.columns)


@dataclass(frozen=True, kw_only=True)
class SpaceFindings:
    """What a sweep tells of its space: of all that is shown it takes longest, so it may be shown beside later trials.

    Attributes:
        found: the document; None: there is none.
        why: there is none, or it says nothing of the space; empty: it does.
        charts: options of the pictures of it; None: not shown.
    """

    found: UnderstandDocument | None
    why: str
    charts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A sweep at one moment, but for its curves.

    Attributes:
        rows: its trials.
        plan: which curves a payload has room for.
        listed: its line in a list of sweeps.
        documents: what is said of it, as JSON.
        columns: of its trials, a value each.
    """

    rows: TrialRows
    plan: CurvePlan
    listed: dict[str, Any]
    documents: dict[str, Any]
    columns: dict[str, np.ndarray]


def sweep_payload(opened: OpenSweep, metrics: Sequence[str] = (), not_shown: Sequence[str] = ()) -> Payload:
    """All of a sweep as it is now.

    Args:
        opened: The sweep.
        metrics: Whose curves are shown; empty: as many as there is room for, the sweep's own first.
        not_shown: What was said when it was opened, of rows that are not there.

    Raises:
        StoreError: It cannot be read.
    """
    rows = trial_rows(opened)
    return whole_payload(opened, moment_of(opened, rows, space_findings(opened, rows), metrics, not_shown))


def whole_payload(opened: OpenSweep, moment: Moment, **more: Any) -> Payload:
    """All that a page is told of a moment; `more` goes into the head."""
    curves = read_curves(opened, moment.rows, moment.plan)
    documents, columns = _of_curves(opened, moment.rows, curves)
    head = {"sweep": opened.sweep.id, "full": True, **more, "list": moment.listed}
    documents["left_out"] = [*moment.documents["left_out"], *_cut_off(curves)]
    head |= {"documents": moment.documents | documents}
    return Payload(head=head, columns=moment.columns | columns)


def changed_payload(
    opened: OpenSweep, moment: Moment, which: BoolArray, names: Sequence[str], axes: Mapping[str, Axis], **more: Any
) -> Payload:
    """What a page is told of a moment that knows an earlier one.

    Args:
        opened: The sweep.
        moment: It.
        which: Of each trial, whether its row or its curve is another one than the page knows, [n].
        names: Documents that are others.
        axes: Metric → the axis that suits the curves of all trials.
        more: Goes into the head.
    """
    curves = read_curves(opened, moment.rows, moment.plan, moment.rows.trial[which])
    documents, columns = _of_curves(opened, moment.rows, curves, axes)
    head = {"sweep": opened.sweep.id, "full": False, **more}
    head |= {"documents": {name: moment.documents[name] for name in names} | documents}
    rows = {name: column[which] for name, column in moment.columns.items()}
    shown = {name: column if name.startswith("curve:") else column[which] for name, column in columns.items()}
    return Payload(head=head, columns=rows | shown)


def _of_curves(
    opened: OpenSweep, rows: TrialRows, curves: Curves, axes: Mapping[str, Axis] | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    axes = curve_axes(curves) if axes is None else axes
    told, scales = metrics_document(curves, rows, axes)
    seconds = seconds_scale(curves)
    columns = summaries(opened, curves, rows) | curve_columns(curves, scales, seconds)
    value_axis = value_axis_document(rows, axes.get(rows.plan.metric))
    return {"metrics": told, "seconds": {"high": seconds.high}, "value_axis": value_axis}, columns


def moment_of(
    opened: OpenSweep,
    rows: TrialRows,
    findings: SpaceFindings,
    metrics: Sequence[str] = (),
    not_shown: Sequence[str] = (),
) -> Moment:
    """What is said of a sweep, and the columns of its trials.

    Args:
        opened: The sweep.
        rows: Its trials.
        findings: What it tells of its space, or told some time before.
        metrics: Whose curves are shown; empty: as many as there is room for, the sweep's own first.
        not_shown: What was said when it was opened, of rows that are not there.
    """
    plan = curve_plan(opened, rows, metrics)
    status = status_document(opened)
    best, why = _best(opened)
    parameters = parameters_document(rows, findings.found)
    failures, failure = failures_document(opened, rows)
    use = slot_use(opened, rows)
    documents = {
        "sweep": sweep_document(opened, status, rows),
        "verdict": verdict_document(opened, best, why),
        "trust": trust_document(opened, rows, best, findings.found, not_shown),
        "facts": facts_document(status, rows, use, findings.found),
        "parameters": parameters,
        "charts": charts_document(rows, best, findings.charts, use),
        "pairs": pairs_document(parameters),
        "failures": failures,
        "running": running_document(opened, rows) if status.state == "running" else [],
        "provenance": [*provenance_document(opened, status, rows), *fixed_document(rows)],
        "left_out": _left_out(opened, rows, plan),
        "acts": acts_document(opened),
    }
    columns = _trial_columns(opened, rows, status.took_s) | {"failure": failure}
    columns |= parameter_columns(rows, parameters)
    documents["absent"] = absent_document(
        rows,
        documents,
        slots=columns["slot"],
        curves=bool(plan.metrics) and bool(rows.reports.any()),
        found=findings.found,
        why=findings.why,
    )
    return Moment(
        rows=rows,
        plan=plan,
        listed=as_json(listed(opened, status, rows)),
        documents=as_json(documents),
        columns=columns,
    )


def space_findings(opened: OpenSweep, rows: TrialRows) -> SpaceFindings:
    """What a sweep tells of its space now."""
    found, why = _understood(opened)
    shown: dict[str, Any] = dict.fromkeys(OF_THE_SPACE)
    if found is not None and not why:
        some = [charts.isolation(rows, found, name) for name in rows.searched]
        shown = {
            "importance": charts.importance(found) if found.parameters else None,
            "isolation": [one for one in some if one is not None],
            "tuning_curve": charts.tuning_curve(found),
        }
    return SpaceFindings(found=found, why=why, charts=shown)


def _best(opened: OpenSweep) -> tuple[BestDocument | None, str]:
    try:
        return best_document(opened, k=2), ""
    except (NoResultError, NotFoundError) as error:
        return None, str(error)


def _understood(opened: OpenSweep) -> tuple[UnderstandDocument | None, str]:
    """What the sweep tells of its space, and why it does not."""
    try:
        found = understand_document(opened)
    except (NoResultError, NotFoundError) as error:
        return None, typed(str(error))
    return found, typed(found.refused or "")


def _trial_columns(opened: OpenSweep, rows: TrialRows, now: float | None) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {
        "trial": rows.trial.astype(np.int32),
        "state": np.array([STATES.index(one) for one in rows.state.tolist()], np.uint8),
        "step": np.minimum(rows.step, 2**31 - 1).astype(np.int32),
        "value": rows.value,
        "started": single(rows.started),
        "ended": single(rows.ended),
        "slot": slot_column(rows, now or 0.0),
        "seconds": single(rows.seconds),
        "attempts": np.minimum(rows.attempts, 255).astype(np.uint8),
    }
    groups = configurations(opened, rows)
    return found if groups is None else found | {"group": groups.astype(np.uint32)}


def _left_out(opened: OpenSweep, rows: TrialRows, plan: CurvePlan) -> list[str]:
    """What the page does not show for want of room, and how to see it."""
    found = []
    if plan.left_out:
        names = ", ".join(plan.left_out[:NAMED]) + (", …" if len(plan.left_out) > NAMED else "")
        which = counted(len(plan.left_out), "other metric")
        command = typed(f"caviar report {opened.sweep.id}")
        found.append(f"curves of {which} are left out ({names}): {command} --metric NAME")
    if plan.thinned is not None:
        found.append(
            f"each curve shows at most {plan.thinned:,} points, its ends and the smallest and largest value of each "
            f"stretch: {int(rows.reports.sum()):,} were reported"
        )
    if rows.count > MOST_BARS:
        found.append(f"of {rows.count:,} trials no bars are drawn over time, but how many ran at once")
    return found


def _cut_off(curves: Curves) -> list[str]:
    beyond = any((np.abs(values[np.isfinite(values)]) > LARGEST).any() for values in curves.values.values())
    return [f"values beyond ±{LARGEST:g} are shown at that"] if beyond else []
