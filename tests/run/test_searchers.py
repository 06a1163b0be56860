"""A searcher that cannot be made is refused before anything starts."""

import sys

import pytest

from caviar.store import Store

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    import time

    from caviar import Float, Sweep


    def train(config, trial):
        time.sleep(0.05)
        trial.report(0, loss=config["x"])


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=1000)
"""


@pytest.mark.parametrize(("sampler", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_without_its_package_no_sweep_is_made_and_none_resumed(caviar, write, store, monkeypatch, sampler, package):
    pytest.importorskip("optuna", reason="the extra `optuna` is not installed")
    words = ("run", write(EXPERIMENT), "-q", "--searcher", f"optuna:{sampler}")
    if sampler == "cmaes":
        pytest.importorskip("cmaes", reason="the extra `optuna` is not installed")
        assert caviar(*words, "--time-limit", "0.2").code == 0
    monkeypatch.setitem(sys.modules, package, None)
    calls = [words, (*words, "--dry-run")] + ([("resume", "-q")] if sampler == "cmaes" else [])
    for call in calls:
        got = caviar(*call)
        assert got.code == 2, got
        assert f"the searcher optuna:{sampler} needs {package} (" in got.err
        assert got.err.count("\n") == 1
    assert len(Store.open(store).sweeps() if store.exists() else []) == (sampler == "cmaes")
