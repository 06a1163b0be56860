"""More trials for a sweep, and other code on request: facts beside the plan, which never changes."""

from pathlib import Path

from caviar import Result
from caviar.display.numbers import number
from caviar.store import Store

from .conftest import Caviar, Write, curves, table

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(2):
            trial.report(step, loss=config["lr"] + step)


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=5, seed=3)
"""


def test_an_extended_sweep_is_what_a_longer_one_would_have_been(
    inline: None, write: Write, caviar: Caviar, store: Path
) -> None:
    path = write(EXPERIMENT)
    assert caviar("run", path).code == 0
    described = Path(str(Store.open(store).find().path), "sweep.json").read_bytes()

    once = caviar("resume", "--add", 4)
    twice = caviar("resume", "--add", 2)
    extended = Result(store)
    status = caviar("status")

    assert (once.code, twice.code) == (0, 0), once.err + twice.err
    assert "11/11 done" in status.out
    assert f"11/11 done best={number(extended.best.value)} (t{extended.best.trial})" in twice.err  # an earlier driver's
    assert extended.sql("SELECT state, planned, completed FROM sweeps").fetchall() == [("finished", 11, 11)]
    assert Path(str(Store.open(store).find().path), "sweep.json").read_bytes() == described
    assert caviar("run", path, "--trials", 11).code == 0
    longer = Result(store)
    assert table(extended) == table(longer)
    assert curves(extended) == curves(longer)
    assert extended.sql("SELECT max(attempts) FROM trials").fetchall() == [(1,)]


def test_a_grid_has_no_more_points(inline: None, write: Write, caviar: Caviar) -> None:
    assert caviar("run", write(EXPERIMENT), "--set", "sampler=grid").code == 0

    output = caviar("resume", "--add", 4)

    assert output.code == 2
    assert "the sweep cannot be extended: start a new sweep" in output.told[-1]


def test_other_code_is_taken_only_by_force_and_kept_with_the_sweep(
    inline: None, write: Write, caviar: Caviar, store: Path
) -> None:
    path = write(EXPERIMENT)
    assert caviar("run", path).code == 0
    write(EXPERIMENT.replace('config["lr"] + step', '100 + config["lr"]'))

    kindly = caviar("resume", "--add", 1)
    forced = caviar("resume", "--add", 1, "--force")
    path.unlink()
    later = caviar("resume", "--add", 1)
    broken = caviar("resume", "--add", 1, "--force")

    assert "has changed since: going on with the code that the sweep began with" in kindly.err
    assert "as it is now: trials from here on may differ" in forced.err
    assert (kindly.code, forced.code, later.code, broken.code) == (0, 0, 0, 2), later.err
    losses = [loss > 100 for (loss,) in Result(store).sql("SELECT last_loss FROM trials ORDER BY trial").fetchall()]
    assert losses == [False] * 6 + [True] * 2
    assert Result(store).sql("SELECT planned FROM sweeps").fetchall() == [(8,)]
