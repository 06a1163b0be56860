"""A store with two sweeps, and a way to call the program on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from caviar.cli.main import main
from caviar.store import Store

from ..program_output import Output
from ..small_stores import add_digits, add_interrupted, make_plan

Caviar = Callable[..., Output]


@pytest.fixture
def caviar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Caviar:
    """Run the program with arguments, as from a pipe."""
    for name in ("CAVIAR_STORE", "CAVIAR_CALLED", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str) -> Output:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(args)
        out, err = capsys.readouterr()
        return Output(code=int(end.value.code or 0), out=out, err=err)

    return call


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A store with two sweeps."""

    path: str
    digits: str
    later: str


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """The store; tests only read it."""
    path: Path = tmp_path_factory.mktemp("filled") / "store"
    store = Store.open(path, create=True)
    return Filled(path=str(path), digits=add_digits(store), later=add_interrupted(store))


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """Path of a store without sweeps."""
    return str(Store.open(tmp_path / "empty", create=True).path)


@pytest.fixture
def fresh(tmp_path: Path) -> Filled:
    """A store with one sweep, called fresh, that has recorded nothing yet."""
    store = Store.open(tmp_path / "fresh", create=True)
    sweep = store.create_sweep({"plan": make_plan("fresh", 4).to_json(), "provenance": {}}, b"")
    return Filled(path=str(store.path), digits=sweep.id, later=sweep.id)


@pytest.fixture
def interrupted(tmp_path: Path) -> str:
    """Path of a store with one interrupted sweep, called later, for a test to change."""
    store = Store.open(tmp_path / "interrupted", create=True)
    add_interrupted(store)
    return str(store.path)
