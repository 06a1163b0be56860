"""The view of sweeps: one row each, without opening a data file of those that ended."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from caviar.store.read.sql import text, texts
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.store.read.sweep_tables import SweepTables

COLUMNS = {
    "sweep": "VARCHAR",
    "name": "VARCHAR",
    "created": "TIMESTAMP",
    "parent": "VARCHAR",
    "state": "VARCHAR",
    "metric": "VARCHAR",
    "mode": "VARCHAR",
    "rule": "VARCHAR",
    "planned": "BIGINT",
    "completed": "BIGINT",
    "failed": "BIGINT",
    "running": "BIGINT",
    "stopped": "BIGINT",
    "paused": "BIGINT",
    "cancelled": "BIGINT",
    "tags": "VARCHAR[]",
    "note": "VARCHAR",
    "seed": "BIGINT",
    "sampler": "VARCHAR",
    "host": "VARCHAR",
    "git_commit": "VARCHAR",
    "git_dirty": "BOOLEAN",
    "command": "VARCHAR",
    "user_name": "VARCHAR",
}
COUNTED = ("COMPLETED", "FAILED", "RUNNING", "STOPPED", "PAUSED", "CANCELLED")


def sweep_row(description: dict[str, Any], state: str, tables: SweepTables) -> str:
    """SELECT of a sweep's row.

    Args:
        description: As `SweepDir.description` gives it.
        state: running, finished, interrupted or failed.
        tables: The sweep's.
    """
    plan, origin = description["plan"], description.get("provenance") or {}
    counts, source = _counts(tables, int(plan.get("trials") or 0))
    cells = {
        "sweep": text(description["id"]),
        "name": text(plan.get("name")),
        "created": f"make_timestamp(epoch_us({text(description['created'])}::TIMESTAMPTZ))",
        "parent": text(plan.get("parent")),
        "state": text(state),
        **{key: text(plan.get(key)) for key in ("metric", "mode", "rule", "note")},
        "tags": texts(plan.get("tags") or []),
        "seed": text(plan.get("seed")),
        "sampler": text(_plain(plan.get("sampler"))),
        "host": text(origin.get("host")),
        "git_commit": text(origin.get("git_commit")),
        "git_dirty": text(origin.get("git_dirty")),
        "command": text(_command(origin.get("command"))),
        "user_name": text((origin.get("submitted") or origin).get("user")),
        **counts,
    }
    return f"SELECT {', '.join(f'({cells[key]})::{kind} AS {key}' for key, kind in COLUMNS.items())} {source}"


def no_sweeps() -> str:
    """Return a SELECT of no row."""
    return f"SELECT {', '.join(f'NULL::{kind} AS {key}' for key, kind in COLUMNS.items())} WHERE false"


def _counts(tables: SweepTables, drawn: int) -> tuple[dict[str, str], str]:
    """How many trials there are in each state, and in all: those that the plan draws, and those that were forked."""
    if tables.seen.plain:
        found = {state: int(tables.seen.manifest.counts.get(state, 0)) for state in COUNTED}
        counts = {state.lower(): str(count) for state, count in found.items()}
        return {"planned": str(max(drawn, sum(found.values()))), **counts}, ""
    newest = f"SELECT trial, arg_max(state, attempt) AS now FROM ({tables.attempts(metrics=False)}) GROUP BY trial"
    counts = {state.lower(): f"count(*) FILTER (now = '{state}')" for state in COUNTED}
    return {"planned": f"{drawn} + count(*) FILTER (trial >= {FORKED})", **counts}, f"FROM ({newest})"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return value.get("name") or json.dumps(value)
    return value


def _command(value: object) -> object:
    return shlex.join(str(word) for word in value) if isinstance(value, list) else value
