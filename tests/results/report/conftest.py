"""Payloads as a page reads them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from caviar.display.typed_commands import told_for
from caviar.results.open_sweep import open_sweep
from caviar.results.report.columns import decode
from caviar.results.report.document import sweep_payload
from caviar.results.report.scales import MISSING, Scale
from caviar.store import Store


@dataclass(frozen=True)
class Read:
    """A payload that was read back."""

    documents: dict[str, Any]
    columns: dict[str, np.ndarray]
    said: list[str]

    def curve(self, trial: int, metric: int = 0) -> tuple[list[int], np.ndarray]:
        """Steps and values of a trial's curve, as a page makes them."""
        trials, ends = self.columns["curve:trial"].tolist(), np.cumsum(self.columns["curve:length"]).tolist()
        at = trials.index(trial)
        here = slice(([0, *ends])[at], ends[at])
        scale = Scale(**self.documents["metrics"][metric]["scale"])
        return self.columns["curve:step"][here].tolist(), scale.values(self.columns[f"curve:m{metric}"][here])

    def row(self, trial: int) -> dict[str, Any]:
        """All that the columns say of a trial."""
        at = self.columns["trial"].tolist().index(trial)
        n = len(self.columns["trial"])
        return {
            name: column[at].item()
            for name, column in self.columns.items()
            if len(column) == n and not name.startswith("curve:")
        }

    def values(self, name: str) -> list[Any]:
        """The column of a parameter: options by their labels, None where there is none."""
        names = [one["name"] for one in self.documents["parameters"]]
        k = names.index(name)
        column, options = self.columns[f"p{k}"].tolist(), self.documents["parameters"][k]["options"]
        if options:
            return [None if one == MISSING else options[one] for one in column]
        return [None if math.isnan(one) else one for one in column]

    def places(self, name: str) -> np.ndarray:
        """Where the trials lie on a parameter's scale."""
        k = [one["name"] for one in self.documents["parameters"]].index(name)
        column = self.columns[f"u{k}"]
        return np.where(column == MISSING, np.nan, column / 65534)


def read(store: Store, sweep: str, metrics=()) -> Read:
    said: list[str] = []
    with open_sweep(store, store.find(sweep), said.append) as opened:
        payload = sweep_payload(opened, metrics, said)
    head, columns = decode(payload.to_bytes())
    return Read(documents=head["documents"], columns=columns, said=said)


@pytest.fixture(autouse=True)
def told_plainly():
    """Commands are told without a store, whatever verb another test of this process has called."""
    with told_for(None):
        yield


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store", create=True)
