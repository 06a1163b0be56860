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
from caviar.results.report.columns import encode
from caviar.results.report.curve_columns import (
    Curves,
    curve_columns,
    metrics_document,
    read_curves,
    seconds_scale,
    summaries,
)
from caviar.results.report.facts import (
    elapsed,
    facts_document,
    failures_document,
    listed,
    provenance_document,
    sweep_document,
)
from caviar.results.report.parameters import fixed_document, pairs_document, parameter_columns, parameters_document
from caviar.results.report.scales import single
from caviar.results.report.slots import MOST_BARS, SlotUse, slot_column, slot_use
from caviar.results.report.trial_rows import TrialRows, configurations, trial_rows
from caviar.results.report.verdict import trust_document, verdict_document
from caviar.results.status import status_document
from caviar.results.understand import understand_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.results.status import StatusDocument
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
    curves = read_curves(opened, rows, metrics)
    told, scales = metrics_document(curves, rows)
    seconds = seconds_scale(curves)
    status = status_document(opened)
    documents, columns = _documents(opened, rows, status, not_shown)
    documents |= {"metrics": told, "seconds": {"high": seconds.high}, "left_out": _left_out(opened, rows, curves)}
    columns |= summaries(opened, curves, rows) | curve_columns(curves, scales, seconds)
    head = {"sweep": opened.sweep.id, "full": True, "list": listed(opened, status, rows), "documents": documents}
    return Payload(head=as_json(head), columns=columns)


def _documents(
    opened: OpenSweep, rows: TrialRows, status: StatusDocument, not_shown: Sequence[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What is said of the sweep, and the columns of its trials."""
    best, why = _best(opened)
    found, refused = _understood(opened)
    parameters = parameters_document(rows, found)
    failures, failure = failures_document(opened, rows)
    use = slot_use(opened, rows)
    shown, absent = _charts(rows, best, found, refused, use)
    documents = {
        "sweep": sweep_document(opened, status, rows),
        "verdict": verdict_document(opened, best, why),
        "trust": trust_document(opened, rows, best, found, not_shown),
        "facts": facts_document(status, rows, use),
        "parameters": parameters,
        "fixed": fixed_document(rows),
        "charts": shown,
        "absent": absent,
        "pairs": pairs_document(parameters),
        "failures": failures,
        "provenance": provenance_document(opened, status, rows),
    }
    columns = _trial_columns(opened, rows, elapsed(status, rows)) | {"failure": failure}
    return documents, columns | parameter_columns(rows, parameters)


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
        return None, str(error)
    return found, found.refused or ""


def _trial_columns(opened: OpenSweep, rows: TrialRows, now: float | None) -> dict[str, np.ndarray]:
    states = sorted(set(rows.state.tolist()))
    found: dict[str, np.ndarray] = {
        "trial": rows.trial.astype(np.int32),
        "state": np.array([states.index(one) for one in rows.state.tolist()], np.uint8),
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


def _charts(
    rows: TrialRows, best: BestDocument | None, found: UnderstandDocument | None, refused: str, use: SlotUse | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Options of the pictures that do not follow the selection, and why some are not there."""
    shown: dict[str, Any] = dict.fromkeys(("importance", "isolation", "tuning_curve", "utilisation", "retest"))
    shown["best_so_far"] = charts.best_so_far(rows)
    absent = {} if shown["best_so_far"] else {"best_so_far": "no trial has a usable value"}
    if found is not None and not refused:
        some = [charts.isolation(rows, found, name) for name in rows.searched]
        shown |= {
            "importance": charts.importance(found) if found.parameters else None,
            "isolation": [one for one in some if one is not None],
            "tuning_curve": charts.tuning_curve(found),
        }
    absent |= {name: refused or "no parameter is searched" for name in _OF_THE_SPACE if not shown[name]}
    if use is not None:
        shown["utilisation"] = charts.utilisation(rows, use)
    if shown["utilisation"] is None:
        absent["utilisation"] = "each trial is shown" if use is not None else "when the trials ran is not known"
    if best is not None and best.retest is not None:
        shown["retest"] = charts.retest(best.retest)
    if shown["retest"] is None:
        absent["retest"] = "the best were not trained again on fresh seeds"
    return shown, absent


_OF_THE_SPACE = ("importance", "isolation", "tuning_curve")


def _left_out(opened: OpenSweep, rows: TrialRows, curves: Curves) -> list[str]:
    """What the page does not show for want of room, and how to see it."""
    found = []
    if curves.left_out:
        names = ", ".join(curves.left_out[:NAMED]) + (", …" if len(curves.left_out) > NAMED else "")
        which = counted(len(curves.left_out), "other metric")
        command = typed(f"caviar report {opened.sweep.id}")
        found.append(f"curves of {which} are left out ({names}): {command} --metric NAME")
    if curves.thinned is not None:
        found.append(
            f"each curve shows at most {curves.thinned:,} points, its ends and the smallest and largest value of each "
            f"stretch: {int(rows.reports.sum()):,} were reported"
        )
    if rows.count > MOST_BARS:
        found.append(f"of {rows.count:,} trials no bars are drawn over time, but how many ran at once")
    return found
