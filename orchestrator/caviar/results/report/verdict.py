"""What stands at the top of a page: who is best, by how much, and what is to be known before one trusts it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.numbers import counted, number, option_text, with_half_width
from caviar.display.typed_commands import typed
from caviar.errors import StoreError
from caviar.results.edited import edited_trials
from caviar.results.imported import imported_from
from caviar.results.json_form import as_json
from caviar.results.ranking_sql import WORDS
from caviar.results.retest_words import seeds_in_words, trial_name, verdict_lines
from caviar.store.drift_checks import drift_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from caviar.results.best import BestDocument
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.report.trial_rows import TrialRows
    from caviar.results.retest import RetestDocument
    from caviar.results.selector import Candidate
    from caviar.results.understand_findings import UnderstandDocument

LONGEST = 200
"""Characters of a value that is shown."""
MOST_RETESTED = 10
STILL_BEST = "still best"
OLD = 90
"""Days after which `caviar stale`, too, counts a winner as one that nobody has looked at."""


def verdict_document(opened: OpenSweep, best: BestDocument | None, why: str) -> dict[str, Any]:
    """The winner: of the newest retest, where that has one of this sweep; else by the sweep's own rule.

    Args:
        opened: The sweep.
        best: Its best trials; None: there is none.
        why: there is none.
    """
    if best is None:
        return {"none": typed(why)}
    first, second = best.trials[0], best.trials[1] if len(best.trials) > 1 else None
    mode = best.mode
    by = WORDS[opened.plan.rule].format(metric=best.metric)  # type: ignore[index]  # as the store checked
    told = {
        "trial": first.trial,
        "value": first.value,
        "shown": number(first.value),
        "metric": best.metric,
        "by": by if first.n == 1 else f"{by}, mean of {first.n} seeds",
        "sentence": f"best by {best.rule}, {mode}",
        "config": _config(first.config),
        "final": _final(best, first.trial),
        "second": None if second is None else _short(second, first.value),
        "luck": best.luck,
        "retest": None,
        "commands": _commands(opened, first.trial, retested=best.retest is not None, more=_more_seeds(best.retest)),
    }
    if best.retest is None:
        return _worded(told)
    told["retest"] = _retest(best.retest)
    winner = best.retest.winner
    if winner is None or winner.sweep != opened.sweep.id or winner.value is None:
        return _worded(told)
    said = next((one for one in best.trials if one.trial != winner.trial), None)
    of_retest = {
        "trial": winner.trial,
        "value": winner.value,
        "shown": with_half_width(winner.value, winner.half_width),
        "by": f"retest, {seeds_in_words(best.retest)}",
        "sentence": f"of the sweep alone, t{first.trial} at {number(first.value)} is best by {best.rule}, {mode}",
        "config": _config(winner.config),
        "second": None if said is None else _short(said),  # one value is of fresh seeds, one is not
        "final": _final(best, winner.trial),
        "commands": _commands(opened, winner.trial, retested=True, more=_more_seeds(best.retest)),
    }
    return _worded(told | of_retest)


def _worded(told: dict[str, Any]) -> dict[str, Any]:
    """The verdict with its sentences, and with its configuration as text that can be copied."""
    retest, second = told["retest"], told["second"]
    if retest is not None:
        sentences = [told["sentence"], retest["sentence"], *retest["more"]]
    else:
        sentences = [told["sentence"], *([f"next best: t{second['trial']} with {second['shown']}"] if second else [])]
    exact = json.dumps({one["name"]: one["exact"] for one in told["config"]}, indent=1, ensure_ascii=False)
    return told | {"sentences": list(dict.fromkeys(sentences)), "exact": exact}


def trust_document(
    opened: OpenSweep,
    rows: TrialRows,
    best: BestDocument | None,
    found: UnderstandDocument | None,
    not_shown: Sequence[str],
) -> list[dict[str, Any]]:
    """What to know before one trusts the winner, each with what to do about it."""
    retest = None if best is None else best.retest
    told = [
        *_not_shown(not_shown),
        *_retested(opened, retest),
        *_drift(opened),
        *_ends(opened, rows),
        *_old(opened, rows),
        *_edited(opened, best),
    ]
    if best is None:
        ended = f"{counted(rows.count, 'trial')} and no winner" if rows.count else "no trial has begun"
        told.append(_item("none", "warn", ended, "", f"caviar status {opened.sweep.id}"))
    for one in () if found is None else found.caveats:
        if retest is not None and one.kind in _ANSWERED:
            continue
        level, detail, command = _REMEDIES.get(one.kind, ("note", "", ""))
        text = one.text
        if one.kind == "refused" and ": caviar understand " in text:
            text, _, command = text.rpartition(": ")
        if command.startswith(_RUNS) and imported_from(opened.sweep.description()) is not None:
            detail, command = "an imported sweep has no code that could run", ""
        k = min(max(2, found.near_best if found is not None else 2), MOST_RETESTED)
        told.append(_item(one.kind, level, text, detail, command.format(sweep=opened.sweep.id, k=k)))
    return sorted(told, key=lambda one: one["level"] != "warn")


_ANSWERED = ("one_seed", "few_seeds", "tie")
"""What a retest says more of."""
_RUNS = ("caviar retest", "caviar zoom")


_REMEDIES = {
    "one_seed": ("warn", "fresh seeds say what it is worth", "caviar retest {sweep}"),
    "few_seeds": ("note", "fresh seeds say what it is worth", "caviar retest {sweep}"),
    "tie": ("warn", "fresh seeds tell them apart", "caviar retest {sweep} -k {k}"),
    "few_near_best": ("warn", "a finer sweep looks round the best", "caviar zoom {sweep}"),
    "edge": ("warn", "the next sweep moves that end out", "caviar next {sweep}"),
    "diverged": ("note", "these trials count as worst", "caviar understand {sweep}"),
    "still_improving": ("warn", "they were not trained to their end: more steps may change who is best", ""),
    "running": ("note", "who is best may change", "caviar watch {sweep}"),
    "left_out": ("note", "they do not count in what is said of the space", "caviar status {sweep}"),
    "refused": ("note", "", ""),
}
"""Kind of a caveat → how loud it is, what can be done about it, and the command for that."""


def _item(kind: str, level: str, text: str, detail: str, command: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "level": level,
        "text": text,
        "detail": detail,
        "command": typed(command) if command else None,
    }


def _not_shown(sentences: Sequence[str]) -> Iterator[dict[str, Any]]:
    for sentence in sentences:
        yield _item("not_shown", "warn", typed(sentence), "", "")


def _retested(opened: OpenSweep, retest: RetestDocument | None) -> Iterator[dict[str, Any]]:
    """What a retest has left open."""
    if retest is None:
        return
    lines = verdict_lines(retest)
    if retest.verdict == "tie":
        more = _more_seeds(retest)
        detail = lines[-1] if retest.gap is not None else ""
        yield _item("tie", "warn", lines[0], detail, f"caviar retest {opened.sweep.id}{more}" if more else "")
    elif retest.verdict in ("", "none"):
        yield _item("retest", "warn", lines[0], "", f"caviar retest {opened.sweep.id} --show")
    if retest.unmoved:
        yield _item("unmoved", "warn", "all seeds of the retest gave the same values", "does train use trial.seed?", "")


def _drift(opened: OpenSweep) -> Iterator[dict[str, Any]]:
    """The newest check of whether the winner is still what it was, where it found that it is not."""
    try:
        checks = drift_checks(opened.sweep)
    except StoreError as error:
        opened.say(str(error))
        return
    if checks and checks[-1]["verdict"] not in ("", STILL_BEST):
        text = f"checked on {checks[-1]['when'][:10]}: {checks[-1]['verdict']}"
        yield _item("stale", "warn", text, "", f"caviar stale {opened.sweep.id}")


def _old(opened: OpenSweep, rows: TrialRows) -> Iterator[dict[str, Any]]:
    """It was trained long ago."""
    if rows.began is None or imported_from(opened.sweep.description()) is not None:
        return
    newest = float(np.nanmax(np.concatenate([rows.started, rows.ended])))
    days = (datetime.now(UTC).timestamp() - rows.began / 1000 - newest) / 86400
    if days > OLD:
        detail = "code, data and libraries may have changed since"
        yield _item("old", "note", f"trained {days:.0f} days ago", detail, f"caviar stale {opened.sweep.id}")


def _edited(opened: OpenSweep, best: BestDocument | None) -> Iterator[dict[str, Any]]:
    """The winner's configuration is the one that it began with."""
    if best is not None and (trial := best.trials[0].trial) in edited_trials(opened.views):
        text = f"t{trial} was edited while it trained: its configuration is the one that it began with"
        detail = "what held at each step is in its diary"
        yield _item("edited", "warn", text, detail, f"caviar diary {opened.sweep.id} {trial} --as-code")


def _ends(opened: OpenSweep, rows: TrialRows) -> Iterator[dict[str, Any]]:
    """Trials of unlike lengths were compared."""
    ends = None if rows.selection is None else rows.selection.ends
    if ends is not None and ends[0] < ends[1]:
        text = f"completed trials ended at steps {ends[0]} to {ends[1]}, and each is compared at its own end"
        yield _item("ends", "note", text, "", f"caviar best {opened.sweep.id} --at-step {ends[0]}")


def _config(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "shown": option_text(value, LONGEST), "exact": as_json(value)} for name, value in config.items()
    ]


def _short(one: Candidate, best: float | None = None) -> dict[str, Any]:
    """A trial and its value; `best`: a value of the same kind, which it is behind."""
    behind = _behind(one.value, best)
    gap = ", as good" if one.value == best else f", {behind} behind" if behind else ""
    return {"trial": one.trial, "value": one.value, "shown": number(one.value) + gap}


def _final(best: BestDocument, trial: int) -> list[dict[str, str]]:
    """What the `final` function found; where it was for another trial than the winner, its name says so."""
    if best.final is None:
        return []
    whose = "" if best.final["trial"] == trial else f" of t{best.final['trial']}"
    return [{"name": f"{name}{whose}", "shown": number(value)} for name, value in best.final["metrics"].items()]


def _retest(document: RetestDocument) -> dict[str, Any]:
    first, *others = map(typed, verdict_lines(document))
    rows = [
        {
            **as_json(one),
            "name": trial_name(document, one),
            "shown": None if one.value is None else with_half_width(one.value, one.half_width),
            "config": _config(one.config),
        }
        for one in document.trials
    ]
    return {"sentence": first, "more": others, "rows": rows}


def _behind(value: float | None, best: float | None) -> str:
    """By how much, in three digits; empty: they are equal, or it is not known."""
    apart = abs(value - best) if value is not None and best is not None else 0.0
    return number(float(f"{apart:.3g}")) if 0 < apart < math.inf else ""


def _more_seeds(retest: RetestDocument | None) -> str:
    """The option that gives a tie more seeds; empty: there is none, or no more are to be had."""
    tied = retest is not None and retest.verdict == "tie" and retest.next_seeds
    return f" --repeats {retest.next_seeds}" if retest is not None and tied else ""


def _commands(opened: OpenSweep, trial: int, *, retested: bool, more: str) -> list[dict[str, str]]:
    sweep = opened.sweep.id
    found = [("all about it", f"caviar show {sweep} {trial}"), ("the best trials", f"caviar best {sweep}")]
    if imported_from(opened.sweep.description()) is None:
        if not retested:
            found.append(("train the best again on fresh seeds", f"caviar retest {sweep}"))
        elif more:
            found.append(("more fresh seeds for those that tie", f"caviar retest {sweep}{more}"))
        found.append(("search finer round the best", f"caviar zoom {sweep}"))
    return [{"label": label, "command": typed(command)} for label, command in found]
