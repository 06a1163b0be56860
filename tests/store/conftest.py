"""Sweeps to record rows in. What simulates a disk and a sweep's processes is in `simulation/`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "simulation"))

from rows import Rows, plan
from simulated_sweep import in_memory

from caviar.store import Store, SweepDir


@pytest.fixture(scope="session")
def rows() -> type[Rows]:
    return Rows


@pytest.fixture(scope="session")
def describe() -> Callable[..., dict[str, Any]]:
    return plan


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


@pytest.fixture
def sweep(store: Store) -> SweepDir:
    return store.create_sweep(plan(), b"code")


@pytest.fixture
def mirror() -> Iterator[Path]:
    with in_memory() as place:
        yield place
