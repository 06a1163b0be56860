"""Sweeps whose processes are forked: they train what they always do, and what must not be forked is not."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caviar import Result
from caviar.run.engine.leases import demand_of
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers import process
from caviar_workers.messages import Lease
from caviar_workers.process import WrongProcessError, enter, seed_everything

from .conftest import Write

PLAN = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=Space({"lr": Float(0.1, 1.0)}))
SWEEPS = """
    import random

    import numpy as np
    from a_library import DRAWN

    from caviar import Float, Sweep

    OWN = np.random.default_rng().random()


    def train(config, trial):
        import os, time
        from pathlib import Path

        parent = Path(f"/proc/{os.getppid()}/cmdline").read_text()
        drawn = {"own": OWN, "library": DRAWN, "one": random.random(), "two": np.random.rand()}
        trial.report(0, loss=1.0, forked="fork_server.py" in parent, process=os.getpid(), **drawn)
        time.sleep(0.5)


    settings = {"space": {"lr": Float(0.1, 1.0)}, "metric": "loss", "trials": 4}
    first = Sweep(train, **settings, process="forked")
    then = Sweep(train, **settings, process="fresh")
"""
BOTH = """
import sys
from caviar.cli.experiment_file import load
for name in ("first", "then"):
    load(f"{sys.argv[1]}:{name}").run(f"{sys.argv[2]}/{name}")
"""


@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
def test_trials_are_seeded_alike_whatever_was_drawn_at_import_and_a_fresh_process_is_none_that_was_forked(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "a_library.py").write_text("import numpy\nDRAWN = numpy.random.default_rng().random()\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    done = subprocess.run(
        [sys.executable, "-c", BOTH, write(SWEEPS), tmp_path], capture_output=True, text=True, timeout=140, check=False
    )
    assert done.returncode == 0, done.stderr

    asked = (
        "SELECT t.seed, c.one, c.two, c.own, c.library, c.forked, c.process FROM curves c JOIN trials t USING (trial)"
    )
    for store in ("first", "then"):
        for seed, one, two, *_ in (rows := Result(tmp_path / store).sql(asked).fetchall()):
            seed_everything(seed)
            assert (one, two) == (random.random(), np.random.rand())
        processes = {row[-1] for row in rows}
        assert {row[5] for row in rows} == {store == "first"}
        assert len({row[3] for row in rows}) == len(processes) > 1  # each process imports the experiment itself
        assert len({row[4] for row in rows}) == (1 if store == "first" else len(processes))


@pytest.mark.parametrize(
    ("settings", "forked", "switched_on"),
    [
        ({}, False, True),
        ({"process": "forked"}, True, True),
        ({"process": "fresh"}, False, False),
        ({"process": "forked", "cpus": 2}, False, False),
        ({"process": "forked", "cpus": 0.5}, True, True),
        ({"process": "forked", "gpus": 0.5}, False, False),
        ({"process": "forked", "env": {"KERAS_BACKEND": "jax"}}, False, False),  # read as a library is imported
    ],
)
def test_who_may_be_forked(
    settings: dict[str, Any], forked: bool, switched_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, **settings)
    monkeypatch.delenv("CAVIAR_FORK", raising=False)
    assert demand_of(plan).forked is forked
    monkeypatch.setenv("CAVIAR_FORK", "1")
    assert demand_of(plan).forked is switched_on
    monkeypatch.setenv("CAVIAR_FORK", "0")
    assert demand_of(plan).forked is forked


@pytest.mark.parametrize("forked", [False, True])
def test_a_lease_that_must_not_be_forked_leaves_a_process_that_was(
    forked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Lease(
        id=0, sweep="s", metric="loss", trials=(0,), attempts=(0,), seeds=(1,), configs={}, demand=demand_of(PLAN)
    )
    monkeypatch.setattr(process, "_devices", [])
    monkeypatch.setattr(process, "_forked", [True] * forked)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    if forked:
        with pytest.raises(WrongProcessError, match="was forked"):
            enter(lease)
    else:
        enter(lease)
