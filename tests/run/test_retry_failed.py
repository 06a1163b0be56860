"""Failed trials are tried again on request: what failed them may have been mended."""

from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from caviar.run.resume import resume_sweep
from caviar.store import Store

pytestmark = pytest.mark.ray

EXPERIMENT = """
from pathlib import Path
from caviar import Float, Sweep

def train(config, trial):
    trial.report(0, loss=config["lr"])
    if trial.number % 2 and not (Path(__file__).parent / "mended").exists():
        raise OSError("no data")
    trial.report(1, loss=config["lr"] / 2)

sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=6)
"""


def test_failed_trials_run_again_on_request_only_and_keep_their_first_attempt(ray: RaySession, tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(EXPERIMENT)
    store = tmp_path / "store"
    result = load(str(tmp_path / "half.py")).run(store, progress=SilentProgress())
    before = result.sql("SELECT trial, lr, seed FROM trials ORDER BY trial").fetchall()
    assert result.sql("SELECT count(*) FROM trials WHERE state = 'FAILED'").fetchall() == [(3,)]

    (tmp_path / "mended").touch()
    opened = Store.open(store)
    resume_sweep(opened, opened.find(), address=None, progress=SilentProgress())
    assert Result(store).sql("SELECT max(attempts) FROM trials").fetchall() == [(1,)]

    resume_sweep(opened, opened.find(), address=None, progress=SilentProgress(), retry_failed=True)
    after = Result(store)

    assert after.sql("SELECT trial, state, attempts FROM trials ORDER BY trial").fetchall() == [
        (trial, "COMPLETED", 1 + trial % 2) for trial in range(6)
    ]
    assert after.sql("SELECT trial, lr, seed FROM trials ORDER BY trial").fetchall() == before
    assert after.sql("SELECT trial, step FROM curves ORDER BY ALL").fetchall() == [
        (t, s) for t in range(6) for s in (0, 1)
    ]
    failed = after.sql("SELECT trial, kind FROM attempts WHERE state = 'FAILED' ORDER BY trial").fetchall()
    assert failed == [(trial, "error") for trial in (1, 3, 5)]
