"""A zoom for a person: each parameter's old and new range, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.cli.dry_run_page import parameter_text

if TYPE_CHECKING:
    from caviar.results.zoom import ParameterChange, ZoomDocument


def zoom_lines(document: ZoomDocument, title: str) -> list[str]:
    """A zoom for a person: `lr  float log  1e-4 to 1  →  0.0121 to 0.108  narrowed to 24% of the range`."""
    from caviar.display.numbers import counted
    from caviar.display.sanitize import one_line
    from caviar.display.wrap import column_width, padded

    rows = [
        (one_line(one.name), parameter_text(_bare(one.before)), _after(one), one.word) for one in document.parameters
    ]
    widths = [column_width(row[i] for row in rows) for i in range(3)]
    plan = document.plan
    lines = [f"{title}: round the best {document.top} of {document.of} trials", ""]
    for name, before, after, word in rows:
        was, becomes = padded(before, widths[1]), padded(after, widths[2])
        lines.append(f"  {padded(name, widths[0])}  {was}  →  {becomes}  {word}")
    return [*lines, "", f"plan   {plan['name']}, {counted(plan['trials'], 'trial')}, seed {plan['seed']}"]


def _bare(parameter: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameter.items() if key not in {"when", "prior"}}


def _after(change: ParameterChange) -> str:
    """The new range; what stays as it was is not said again."""
    if change.after is None:
        return "gone"
    before, after = parameter_text(_bare(change.before)), parameter_text(_bare(change.after))
    return "the same" if before == after else after.partition("  ")[2]
