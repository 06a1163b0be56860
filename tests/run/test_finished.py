"""What `resume` says of a sweep that is finished, and of one that was given more trials."""

import time

import pytest

from caviar import Float, Result, Sweep
from caviar.display.plain import SilentProgress

EXPERIMENT = """
from caviar import Float, Sweep

def train(config, trial):
    if trial.number < {failing}:
        raise ValueError("no such optimizer")
    trial.report(0, loss=config["lr"])

sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials=4)
"""


@pytest.mark.parametrize(("failing", "retry"), [(0, ""), (1, "1 failed trial again"), (3, "3 failed trials again")])
def test_a_finished_sweep_says_what_else_can_be_done(inline, caviar, write, store, failing, retry):
    assert caviar("run", write(EXPERIMENT.format(failing=failing))).code == 0
    got = caviar("resume")
    assert got.code == 0
    (said,) = [line for line in got.err.splitlines() if "is finished: there is nothing to resume, but" in line]
    assert said.endswith("--add N adds trials")
    assert ("--retry-failed" in said) == bool(retry)
    assert retry in said
    if retry:
        assert caviar("resume", "--retry-failed").code == 0
        assert Result(store).sql("SELECT max(attempts) FROM trials").fetchall() == [(2,)]


def test_failures_after_resuming_do_not_hide_what_was_found_before(inline, caviar, write, store):
    path = write(
        """
        from caviar import Float, Sweep


        def train(config, trial):
            return 1.0 if trial.number < 4 else None


        sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=4)
        """
    )
    assert caviar("run", path).code == 0

    output = caviar("resume", "--add", 2)

    assert output.code == 0, output.err
    states = Result(store).sql("SELECT state, count(*) FROM trials GROUP BY state ORDER BY 1").fetchall()
    assert states == [("COMPLETED", 4), ("FAILED", 2)]


@pytest.mark.nightly
@pytest.mark.parametrize("left", ["", "trials", "final"])
def test_a_finished_sweep_of_functions_is_finished(inline, caviar, store, monkeypatch, left):
    """Only what is left of one needs the process that began it."""
    if left == "final":
        monkeypatch.setattr("caviar.run.driver.run_final_test", lambda *_: None)
    sweep = Sweep(
        lambda config, trial: config["lr"] if left != "trials" or not trial.number else time.sleep(9),
        {"lr": Float(0.1, 1.0)},
        "loss",
        trials=3,
        final=lambda config, trial: {"test": 1.0},
        time_limit=0.3 if left == "trials" else None,
    )
    sweep.run(store=store, progress=SilentProgress())

    got = caviar("resume")
    assert got.code == (2 if left else 0), got
    word = "was started from functions that" if left else "is finished: there is nothing to resume"
    assert word in got.err
    for asked in (("--add", 1), ("--retry-failed",), ("--force",)):
        assert caviar("resume", *asked).code == 2
