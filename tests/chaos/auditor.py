"""What the store showed once, it must show for ever: every published row, read again and again from outside."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from caviar.store import Store
from caviar.store.segment import decode

Key = tuple[int, int, int]
"""Trial, attempt, number of the row within it."""


class Auditor:
    """Remembers every row that was ever seen published; a row is acknowledged once it was seen.

    Args:
        store: The store, with one sweep in it.
        ledger: Folder in which each execution notes the steps that it reports, before it does.
    """

    def __init__(self, store: Path, ledger: Path) -> None:
        self._store = store
        self._ledger = ledger
        self.seen: dict[Key, tuple[int, float, float]] = {}
        """Row → step, loss, and the number that its execution drew for itself."""

    def look(self) -> int:
        """Read all rows of all attempts; none seen before may be missing, doubled or changed. Returns their number."""
        rows = self._rows()
        doubled = [key for key, times in Counter(key for key, _ in rows).items() if times > 1]
        found = dict(rows)
        lost = sorted(set(self.seen) - set(found))
        changed = sorted(key for key, row in self.seen.items() if key in found and found[key] != row)
        assert (doubled, lost, changed) == ([], [], [])
        self.seen = found
        return len(found)

    def check_executions(self) -> None:
        """No attempt mixes two executions, and none has a row that its execution did not report."""
        attempts: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
        for (trial, attempt, seq), (step, _, mark) in sorted(self.seen.items()):
            attempts.setdefault((trial, attempt), []).append((seq, step, mark))
        for (trial, attempt), rows in attempts.items():
            assert [(seq, step) for seq, step, _ in rows] == [(i, i) for i in range(len(rows))], (trial, attempt)
            assert len({mark for *_, mark in rows}) == 1, f"trial {trial} attempt {attempt} is spliced"
            noted = (self._ledger / f"{trial}-{attempt}-{int(rows[0][2])}").read_text().split()
            assert len(rows) <= len(noted), (trial, attempt)

    def _rows(self) -> list[tuple[Key, tuple[int, float, float]]]:
        found: list[tuple[Key, tuple[int, float, float]]] = []
        for table in self._tables():
            columns: list[list[Any]] = [
                table[name].to_pylist() for name in ("trial", "attempt", "_seq", "step", "loss", "mark")
            ]
            found += [((t, a, n), (s, loss, mark)) for t, a, n, s, loss, mark in zip(*columns, strict=True)]
        return found

    def _tables(self) -> list[pa.Table]:
        for _ in range(20):
            if not list(self._store.glob("sweep=*")):
                return []
            sweeps = Store.open(self._store).sweeps()
            seen = sweeps[0].visible_files()
            try:
                names = [*seen.names("curves"), *seen.names("superseded")]
                return [decode((sweeps[0].path / name).read_bytes()) for name in names]
            except FileNotFoundError:  # merged away while we read: look again
                continue
        raise AssertionError("the store never holds still")
