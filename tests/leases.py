"""Leases for tests, and the rows that come of one."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from caviar_workers.checkpoint import Save, carried
from caviar_workers.messages import Batch, Lease, Living, Origin

Rows = list[dict[str, Any]]


def make_lease(trials: Sequence[int] = (0,), **given: Any) -> Lease:
    """A lease of first attempts at these trials; whatever is given goes before what is usual."""
    usual = {
        "id": 0,
        "sweep": "s",
        "metric": "loss",
        "trials": tuple(trials),
        "attempts": (0,) * len(trials),
        "seeds": tuple(trials),
        "configs": {"lr": (0.5,) * len(trials)},
    }
    return Lease(**{**usual, **given})


def origin(step: int, data: bytes = b"", living: Living | None = None) -> tuple[Origin, ...]:
    """What a trial goes on from, with its bytes."""
    save = Save(trial=0, attempt=0, step=step, rows=0, value=1.0, checksum="")
    return (Origin(save=carried(save, data), living=living),)


def rows_of(batches: Iterable[Batch]) -> dict[str, Rows]:
    """The rows of each table, in the order in which they came."""
    tables: dict[str, Rows] = {"curves": [], "attempts": [], "logs": []}
    for batch in batches:
        for name, rows in tables.items():
            data = getattr(batch, name)
            rows.extend(pa.ipc.open_stream(data).read_all().to_pylist() if data else [])
    return tables


def ended(tables: dict[str, Rows]) -> Rows:
    """Rows of attempts that ended."""
    return [row for row in tables["attempts"] if row["ended"] is not None]
