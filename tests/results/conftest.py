"""A store with sweeps of every kind, opened for documents."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.store import Store

from ..small_stores import add_every_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """The store, and the ids of its sweeps by their names."""

    path: Path
    ids: dict[str, str]

    @property
    def store(self) -> Store:
        return Store.open(self.path)


@pytest.fixture(scope="session")
def every(tmp_path_factory: pytest.TempPathFactory) -> Every:
    """Tests only read it."""
    path = tmp_path_factory.mktemp("every") / "store"
    return Every(path=path, ids=add_every_kind(Store.open(path, create=True)))


def say_nothing(text: str) -> None:
    raise AssertionError(f"nothing is missing, and yet it was said: {text}")


@pytest.fixture
def opened(every: Every) -> Iterator[Callable[[str], OpenSweep]]:
    """Open a sweep of the store by its name."""
    with ExitStack() as stack:

        def call(name: str) -> OpenSweep:
            return stack.enter_context(open_sweep(every.store, every.store.find(every.ids[name]), say_nothing))

        yield call
