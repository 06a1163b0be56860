"""What the store promises, checked against the ledger."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from ledger import End, Ledger, Row

from caviar.store import Store, SweepDir, Views
from caviar.store.segment import decode


@lru_cache(maxsize=1000)
def _decoded(data: bytes) -> list[dict[str, Any]]:
    return decode(data).to_pylist()


def held(sweep: SweepDir) -> tuple[list[Row], list[End]]:
    """All rows and ends in the files that count, without DuckDB; every file that a manifest names is there."""
    seen = sweep.visible_files()
    rows: list[Row] = []
    ends: list[End] = []
    counted = {file.name: file.rows for file in seen.manifest.files}
    for table in ("curves", "superseded", "attempts"):
        for name in seen.names(table):
            found = _decoded(sweep.disk.read(sweep.path / name))
            assert counted.get(name, len(found)) == len(found), f"{name} has not as many rows as its manifest says"
            pieces = [SimpleNamespace(**row) for row in found]
            if table == "attempts":
                ends += [End(p.trial, p.attempt, p.start, p.rows) for p in pieces if p.ended is not None]
            else:
                rows += [Row(p.trial, p.attempt, p._start, p._seq, p.step, p.loss) for p in pieces]
    return rows, ends


def check_rows(sweep: SweepDir, ledger: Ledger) -> tuple[list[Row], list[End]]:
    """Nothing lost, nothing doubled, nothing invented; no end without its rows. Returns the rows and ends."""
    rows, ends = held(sweep)
    found = [*rows, *ends]
    doubled = [row for row, count in Counter(found).items() if count > 1]
    assert not doubled, f"doubled: {doubled}"
    names = [(row.trial, row.attempt, row.seq) for row in rows]
    assert len(set(names)) == len(names), "two rows of one name"
    lost = ledger.acknowledged - set(found)
    assert not lost, f"lost: {sorted(lost)}"
    assert set(found) <= ledger.added, f"invented: {set(found) - ledger.added}"
    counts = Counter((row.trial, row.attempt) for row in rows)
    early = [end for end in ends if counts[end.trial, end.attempt] != end.rows]
    assert not early, f"ended without their rows: {early}"
    return rows, ends


def check_views(sweep: SweepDir, said: tuple[list[Row], list[End]], store: Store) -> None:
    """The views show one history a trial: the rows that no later attempt started before."""
    rows, ends = said
    starts: dict[int, dict[int, int]] = {}
    for one in (*rows, *ends):
        starts.setdefault(one.trial, {})[one.attempt] = one.start
    live = [
        row
        for row in rows
        if all(row.step < start for attempt, start in starts[row.trial].items() if attempt > row.attempt)
    ]
    expected = sorted((row.trial, row.attempt, row.step, row.value) for row in live)
    with Views(store, [sweep]) as views:
        loss = "loss" if rows else "NULL"
        found = views.execute(f"SELECT trial, attempt, step, {loss} FROM curves ORDER BY ALL").fetchall()
        assert found == expected, f"mixed: {set(found) ^ set(expected)}"


def check_globs(sweep: SweepDir, rows: list[Row]) -> None:
    """Of a finished sweep, a plain glob over the folders of final files has every row once."""
    found: list[float] = []
    for table in ("curves", "superseded"):
        folder = sweep.path / table
        for name in sweep.disk.list(folder):
            found += [row["loss"] for row in _decoded(sweep.disk.read(folder / name))]
    assert sorted(found) == sorted(row.value for row in rows), "a plain glob is not exact"
