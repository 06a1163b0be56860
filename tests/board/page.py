"""What a page knows of a sweep: it asks the board as the page's script does, and merges by the contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from caviar.results.report.columns import decode


class Page:
    """A sweep as a page has it that asked a board now and then; which board, it may change."""

    def __init__(self, sweep: str) -> None:
        self.sweep = sweep
        self.boot, self.version = "", -1
        self.documents: dict[str, Any] = {}
        self.rows: dict[int, dict[str, float]] = {}
        self.curves: dict[int, dict[str, np.ndarray]] = {}
        self.got: list[tuple[bool, int, int]] = []
        """Of each answer with something new: whether it was everything, and how many rows and curves it had."""

    def ask(self, board: Any) -> bool:
        """Ask once; whether something was new."""
        known = {"boot": self.boot, "since": self.version} if self.boot else {}
        got = board.get(f"/api/sweeps/{self.sweep}", params=known)
        if got.status_code == 204:
            return False
        assert got.status_code == 200, got.text
        assert got.headers["content-type"] == "application/octet-stream"
        self.merge(*decode(got.content))
        return True

    def merge(self, head: dict[str, Any], columns: dict[str, np.ndarray]) -> None:
        """Take in a payload."""
        assert head["sweep"] == self.sweep
        if head["full"]:
            self.documents, self.rows, self.curves = {}, {}, {}
        else:
            assert (head["boot"], head["version"] > self.version) == (self.boot, True)
        self.boot, self.version = head["boot"], head["version"]
        self.documents |= head["documents"]
        rows = {name: column for name, column in columns.items() if not name.startswith("curve:")}
        for place, trial in enumerate(rows["trial"].tolist()):
            self.rows[trial] = {name: column[place].item() for name, column in rows.items()}
        curves = self._curves(head["documents"]["metrics"], columns)
        self.curves |= curves
        self.got.append((head["full"], len(rows["trial"]), len(curves)))

    def _curves(
        self, metrics: list[dict[str, Any]], columns: dict[str, np.ndarray]
    ) -> dict[int, dict[str, np.ndarray]]:
        found, start = {}, 0
        for trial, length in zip(columns["curve:trial"].tolist(), columns["curve:length"].tolist(), strict=True):
            part = slice(start, start + length)
            found[trial] = {"step": columns["curve:step"][part].copy()}
            for k, metric in enumerate(metrics):
                if (column := columns.get(f"curve:m{k}")) is not None:
                    found[trial][metric["name"]] = unscaled(column[part], **metric["scale"])
            start += length
        assert start == len(columns["curve:step"])
        return found


def unscaled(places: np.ndarray, low: float, high: float, log: bool) -> np.ndarray:
    """Values of places on a scale of u16; NaN: missing."""
    share = places / 65534
    values = np.exp(np.log(low) + share * np.log(high / low)) if log else low + share * (high - low)
    return np.where(places == 65535, np.nan, values).astype("f4")
