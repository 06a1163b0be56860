"""What the processes of a sweep train with is kept beside it."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.told import Told

from caviar import Float, Result, Sweep
from caviar.display.plain import SilentProgress
from caviar.results.open_sweep import newest
from caviar.run.executors.ray_session import RaySession
from caviar.store import Store
from caviar.store.fingerprints import fingerprints
from caviar_workers.messages import Fingerprint

SPACE = {"lr": Float(0.1, 1.0)}


def kept(store: Path) -> list[Fingerprint]:
    return fingerprints(newest(Store.open(store), None, lambda _: None))


def train(config: dict[str, float], trial: Any) -> float:
    return config["lr"] * trial.data["x"][0]


def load() -> dict[str, Any]:
    return {"x": np.arange(4.0), "names": ["a", "b"]}


@pytest.mark.ray
def test_each_process_tells_once_what_it_trains_with_and_what_the_data_are(ray: RaySession, store: Path) -> None:
    def train(config: dict[str, float], trial: Any) -> float:
        import yaml

        return config["lr"] * trial.data["x"][0] + bool(yaml) * os.getpid()

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


def test_the_same_sweep_again_says_the_same_and_other_data_another_digest(inline: None, store: Path) -> None:
    def run(data: Any) -> Fingerprint:
        Sweep(train, SPACE, metric="loss", trials=3, data=data).run(store=store, progress=SilentProgress(sys.stderr))
        (found,) = kept(store)
        return found

    def other() -> dict[str, Any]:
        return {"x": np.nextafter(np.arange(4.0), 9), "names": ["a", "b"]}

    first, again, changed = run(load), run(load), run(other)
    assert first.data == again.data
    assert first.machine == again.machine
    assert first.data.sha256 != changed.data.sha256


def test_a_sweep_without_data_and_one_of_unknown_data_say_so(inline: None, store: Path) -> None:
    def run(**data: Any) -> str:
        sweep = Sweep(lambda config, trial: 1.0, SPACE, metric="loss", trials=2, **data)
        sweep.run(store=store, progress=SilentProgress(sys.stderr))
        return kept(store)[0].data.why

    assert run() == "the sweep has no data function"
    assert "which is no array, table or plain container" in run(data=lambda: iter([1]))


def test_what_cannot_be_kept_is_said_and_the_sweep_is_whole(
    inline: None, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a disk of glass")

    monkeypatch.setattr("caviar.run.kept_fingerprints.add_fingerprint", broken)
    told = Told()
    result: Result = Sweep(lambda config, trial: 1.0, SPACE, metric="loss", trials=2).run(store=store, progress=told)

    assert result.best.value == 1.0
    assert any("is not kept" in line and "a disk of glass" in line for line in told.notes), told.notes
