"""What `resume` says of a sweep that is finished, and of one that was given more trials."""

import pytest

from caviar.results import Result

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
