"""The failures of a sweep in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caviar.cli.reading import Reading

KINDS = 4
NAMED = 3


def failure_line(reading: Reading) -> str:
    """`3 of 64 failed: 2 × ValueError: no such layer (t3, t9), 1 × oom (t17)`; empty: none did."""
    rows = reading.views.execute(
        "select kind, error, list(trial order by trial) from trials where state = 'FAILED' group by kind, error"
    ).fetchall()
    found: dict[str, list[int]] = {}
    for kind, error, trials in rows:
        found.setdefault(_word(kind, error), []).extend(trials)
    if not found:
        return ""
    most = sorted(found.items(), key=lambda item: (-len(item[1]), min(item[1])))
    told = [f"{len(trials)} × {word} ({_named(sorted(trials))})" for word, trials in most[:KINDS]]
    rest = sum(len(trials) for _, trials in most[KINDS:])
    if rest:
        told.append(f"{rest} × others")
    return f"{sum(map(len, found.values()))} of {reading.plan['trials']} failed: {', '.join(told)}"


def _word(kind: str | None, error: str | None) -> str:
    """What tells this failure from others: the line that names an error, else its kind (oom, timeout, lost)."""
    from caviar.show.sanitize import one_line, plain
    from caviar_workers.failure import headline

    if kind not in {None, "error"}:
        return str(kind)
    return one_line(headline(plain(error or "")), 60) or "error"


def _named(trials: list[int]) -> str:
    more = ", …" if len(trials) > NAMED else ""
    return ", ".join(f"t{trial}" for trial in trials[:NAMED]) + more
