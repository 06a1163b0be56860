"""Which parts of a page have something to show, and why the others have not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.results.report import charts
from caviar.results.report.slots import MOST_BARS
from caviar.results.understand_caveats import in_ten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.results.best import BestDocument
    from caviar.results.report.slots import SlotUse
    from caviar.results.report.trial_rows import TrialRows
    from caviar.results.understand_findings import UnderstandDocument

OF_THE_SPACE = ("importance", "isolation", "tuning_curve")
"""Pictures of what a sweep tells of its space."""


def charts_document(
    rows: TrialRows, best: BestDocument | None, of_the_space: Mapping[str, Any], use: SlotUse | None
) -> dict[str, Any]:
    """Options of the pictures that do not follow the selection; None: it is not there."""
    return {
        **of_the_space,
        "best_so_far": charts.best_so_far(rows),
        "utilisation": None if use is None else charts.utilisation(rows, use),
        "retest": None if best is None or best.retest is None else charts.retest(best.retest),
    }


def absent_document(
    rows: TrialRows,
    documents: Mapping[str, Any],
    *,
    slots: np.ndarray,
    curves: bool,
    found: UnderstandDocument | None,
    why: str,
) -> dict[str, str]:
    """Section → why it has nothing to show; empty: it is left out without a word. Those that have are not there.

    Args:
        rows: The trials.
        documents: What the page is told: its charts, failures, pairs and acts.
        slots: The lane of each trial.
        curves: Whether there is a curve of any metric.
        found: What the sweep tells of its space.
        why: it tells nothing; empty: it does.
    """
    shown = documents["charts"]
    reasons = {
        "curves": "" if curves else "No trial has reported a value yet.",
        "axes": "" if rows.searched and not np.isnan(rows.value).all() else "No trial has a usable value yet.",
        "parallel": "" if rows.searched and rows.count else "No trial has begun yet.",
        "failures": "" if documents["failures"] else "No trial has failed.",
        "pairs": "" if documents["pairs"] else "There are no two parameters.",
        "slots": _no_bars(rows, slots),
        "best_so_far": "" if shown["best_so_far"] else "no trial has a usable value",
        "retest": "" if shown["retest"] else "the best were not trained again on fresh seeds",
    }
    reasons |= {name: "" if shown[name] else why or "no parameter is searched" for name in OF_THE_SPACE}
    if found is not None and found.parameters and not shown["importance"]:
        often = in_ten(found.weak_missed)
        reasons["importance"] = f"no effect is seen; a weak one (6 % of the variance) is missed {often}"
    silent = {
        "utilisation": not shown["utilisation"],  # it stands for the bars
        "acts": not documents["acts"]["rows"],  # as of most sweeps
    }
    told = {name: reason for name, reason in reasons.items() if reason}
    return told | dict.fromkeys((name for name, absent in silent.items() if absent), "")


def _no_bars(rows: TrialRows, slots: np.ndarray) -> str:
    """Why no bar of a trial is drawn; empty: some are."""
    if rows.count > MOST_BARS:
        return f"Of {rows.count:,} trials no bars are drawn over time."
    known = slots[~np.isnan(rows.started)]
    return "" if (known != np.iinfo(known.dtype).max).any() else "When the trials ran is not known."
