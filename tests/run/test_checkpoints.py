"""Trials that save go on from their checkpoints after a kill: one curve without a hole, without a step twice."""

import itertools
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from caviar import Float, Result, Sweep
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from caviar.store import Store
from caviar.store.requests import ask_to_stop

from .checkpoint_reads import watched
from .conftest import Caviar, Write, curves

pytestmark = pytest.mark.ray

STEPS = 12


def value(lr: float, step: int) -> float:
    """What the state makes of it: it can only be right if the state was carried on."""
    return lr * (step + 1)


def carrying(config: dict[str, Any], trial: Any) -> None:
    import os
    import signal
    import time

    saved = trial.load()
    first, total = (0, 0.0) if saved is None else (saved.step + 1, float(saved.data))
    print("begins at", first)
    for step in range(first, 12):
        total += config["lr"]
        trial.report(step, loss=total)
        if step % 2 == 1:
            trial.save(step, repr(total).encode())
        if trial.attempt == 0 and trial.number == 1 and step == 7:
            time.sleep(1.2)  # long enough to be on record
            os.kill(os.getpid(), signal.SIGKILL)
        if trial.attempt < 2 and trial.number == 2 and step == 3 + 4 * trial.attempt:
            os.kill(os.getpid(), signal.SIGKILL)  # at once: the newest rows are lost, though the checkpoint is there


def test_a_killed_trial_goes_on_from_the_last_checkpoint_whose_rows_are_published(ray: RaySession, store: Path) -> None:
    sweep = Sweep(carrying, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=4, concurrency=1)
    with watched() as reads:
        result = sweep.run(store=store, progress=SilentProgress(sys.stderr))

    assert reads == [], "the driver reads none"
    assert result.sql("SELECT DISTINCT state FROM trials").fetchall() == [("COMPLETED",)]
    assert curves(result, "trial, step") == list(itertools.product(range(4), range(STEPS)))
    rows = result.sql("SELECT lr, c.step, loss FROM curves c JOIN trials USING (trial)").fetchall()
    assert all(abs(loss - value(lr, step)) < 1e-9 for lr, step, loss in rows)
    starts = result.sql("SELECT trial, attempt, start FROM attempts WHERE state = 'COMPLETED' ORDER BY 1").fetchall()
    assert starts[1] == (1, 1, 8)  # the rows before were kept
    assert starts[0] == (0, 0, 0)
    kept = result.sql("SELECT trial, attempt, count(*) FROM curves GROUP BY 1, 2 ORDER BY 1, 2").fetchall()
    assert kept[1:3] == [(1, 0, 8), (1, 1, 4)]
    causes = result.sql("SELECT cause FROM attempts WHERE trial = 1 ORDER BY attempt").fetchall()
    assert causes == [("first",), ("retry",)]
    folder = Path(str(Store.open(store).find(result.id).path)) / "_checkpoints"
    names = {trial: sorted(path.name for path in (folder / str(trial)).iterdir()) for trial in (0, 1)}
    assert [name.split("-")[1].lstrip("0") for name in names[0]] == ["1", "9", "11"]  # the best one, and the last two


def stop_when_recorded(store: Path, rows: int) -> None:
    """Ask the sweep's driver to stop, once that many rows are in the store."""
    while not list(store.glob("sweep=*")) or Result(store).sql("SELECT count(*) FROM curves").fetchall() != [(rows,)]:
        time.sleep(0.1)
    ask_to_stop(Store.open(store).find(None))


def test_a_damaged_checkpoint_gives_way_to_the_one_before_when_a_sweep_is_resumed(
    ray: RaySession, write: Write, caviar: Caviar, store: Path
) -> None:
    path = write(
        """
        import time
        from pathlib import Path

        from caviar import Float, Sweep


        def train(config, trial):
            saved = trial.load()
            first = 0 if saved is None else saved.step + 1
            for step in range(first, 6):
                trial.report(step, loss=config["lr"])
                trial.save(step, b"%d" % step)
            if not Path(__file__).with_name("hurry").exists():
                time.sleep(60)


        def final(config, trial):
            return {"last": float(trial.load().data)}


        sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=1, final=final)
        """
    )
    stopper = threading.Thread(target=stop_when_recorded, args=[store, 6])
    stopper.start()
    assert caviar("run", path).code == 0
    stopper.join()
    (folder,) = store.glob("sweep=*/_checkpoints/0")
    names = sorted(folder.iterdir())
    assert [name.read_bytes() for name in names] == [b"0", b"4", b"5"]
    names[-1].write_bytes(b"x")
    path.with_name("hurry").touch()

    with watched() as reads:
        assert caviar("resume").code == 0

    assert reads == [], "the driver reads none"
    result = Result(store)
    assert result.sql("SELECT attempt, start, rows FROM attempts WHERE state = 'COMPLETED'").fetchall() == [(1, 5, 1)]
    assert curves(result, "attempt, step") == [*((0, step) for step in range(5)), (1, 5)]
    assert result.final == {"last": 5.0}
