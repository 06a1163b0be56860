"""A zoom for a person or a program: each parameter's old and new range, on its scale, with a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.cli.rehearsal import parameter_text

if TYPE_CHECKING:
    from caviar.plan import Plan
    from caviar.zoom import Change, Zoom


def zoom_document(parent: str, zoom: Zoom, plan: Plan, store: str) -> dict[str, Any]:
    """The zoom as JSON values."""
    return {
        "store": store,
        "parent": parent,
        "top": zoom.top,
        "of": zoom.of,
        "parameters": [_change(one) for one in zoom.changes],
        "plan": plan.to_json(),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "before": change.before.to_json(),
        "after": None if change.after is None else change.after.to_json(),
        "box": None if change.box is None else [change.box.low, change.box.high],
        "word": change.word,
    }


def zoom_lines(document: dict[str, Any], title: str) -> list[str]:
    """The same for a person: `lr  float log  1e-4 to 1  →  0.0121 to 0.108  narrowed to 24% of the range`."""
    from caviar.show.numbers import counted
    from caviar.show.sanitize import one_line
    from caviar.show.wrap import column_width, padded

    rows = [
        (one_line(one["name"]), parameter_text(_bare(one["before"])), _after(one), one["word"])
        for one in document["parameters"]
    ]
    widths = [column_width(row[i] for row in rows) for i in range(3)]
    plan = document["plan"]
    lines = [f"{title}: round the best {document['top']} of {document['of']} trials", ""]
    for name, before, after, word in rows:
        was, becomes = padded(before, widths[1]), padded(after, widths[2])
        lines.append(f"  {padded(name, widths[0])}  {was}  →  {becomes}  {word}")
    return [*lines, "", f"plan   {plan['name']}, {counted(plan['trials'], 'trial')}, seed {plan['seed']}"]


def _bare(parameter: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameter.items() if key not in {"when", "prior"}}


def _after(change: dict[str, Any]) -> str:
    """The new range; what stays as it was is not said again."""
    if change["after"] is None:
        return "gone"
    before, after = parameter_text(_bare(change["before"])), parameter_text(_bare(change["after"]))
    return "the same" if before == after else after.partition("  ")[2]
