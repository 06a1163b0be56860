"""What the processes of a sweep train with is kept beside it."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.told import Told

from caviar import Float, Sweep
from caviar.cli.experiment_file import load as experiment
from caviar.display.plain import SilentProgress
from caviar.results.open_sweep import newest
from caviar.run.executors.ray_session import RaySession
from caviar.store import Store
from caviar.store.fingerprints import fingerprints
from caviar_workers.messages import Fingerprint

SPACE = {"lr": Float(0.1, 1.0)}


def kept(store: Path) -> list[Fingerprint]:
    return fingerprints(newest(Store.open(store), None, lambda _: None))


@pytest.mark.ray
def test_each_process_tells_once_what_it_trains_with_and_what_the_data_are(ray: RaySession, store: Path) -> None:
    def train(config: dict[str, float], trial: Any) -> float:
        import yaml

        return config["lr"] * trial.data["x"][0] + bool(yaml) * os.getpid()

    def load() -> dict[str, Any]:
        return {"x": np.arange(4.0), "names": ["a", "b"]}

    sweep = Sweep(train, SPACE, metric="loss", trials=40, data=load)
    result = sweep.run(store=store, progress=SilentProgress(sys.stderr))
    found = kept(store)

    assert len({(one.host, str(one)) for one in found}) == len(found) <= 2
    for one in found:
        assert one.host == result.sql("SELECT host FROM trials LIMIT 1").fetchall()[0][0]
        assert one.distributions["numpy"] == np.__version__
        assert "pyyaml" in one.distributions, "it was imported by train"
        assert one.machine.cores == os.cpu_count()
        assert len(one.data.sha256) == len(hashlib.sha256().hexdigest())


FILE = """
import numpy as np
from caviar import Float, Sweep

def load():
    return {data}

def train(config, trial):
    return config["lr"]

sweep = Sweep(train, {{"lr": Float(0.1, 1.0)}}, metric="loss", trials=3{given})
"""


@pytest.fixture
def run(inline: None, store: Path, tmp_path: Path) -> Callable[[str], Fingerprint]:
    """Runs a sweep whose data are an expression; an empty one: it has none."""

    def run(data: str) -> Fingerprint:
        path = tmp_path / "experiment.py"
        path.write_text(FILE.format(data=data or None, given=", data=load" if data else ""))
        experiment(str(path)).run(store=store, progress=SilentProgress(sys.stderr))
        (found,) = kept(store)
        return found

    return run


def test_the_same_sweep_again_says_the_same_and_other_data_another_digest(run: Callable[[str], Fingerprint]) -> None:
    same = '{"x": np.arange(4.0), "names": ["a", "b"]}'
    first, again, changed = run(same), run(same), run('{"x": np.nextafter(np.arange(4.0), 9), "names": ["a", "b"]}')
    assert first.data == again.data
    assert first.machine == again.machine
    assert first.data.sha256 != changed.data.sha256


def test_a_sweep_without_data_and_one_of_unknown_data_say_so(run: Callable[[str], Fingerprint]) -> None:
    assert run("").data.why == "the sweep has no data function"
    assert "which is no array, table or plain container" in run("iter([1])").data.why


def test_what_cannot_be_kept_is_said_and_the_sweep_is_whole(
    inline: None, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a disk of glass")

    monkeypatch.setattr("caviar.run.kept_fingerprints.add_fingerprint", broken)
    told = Told()
    path = tmp_path / "experiment.py"
    path.write_text(FILE.format(data=None, given=""))
    result = experiment(str(path)).run(store=store, progress=told)

    assert result.best.value > 0
    assert any("is not kept" in line and "a disk of glass" in line for line in told.notes), told.notes
