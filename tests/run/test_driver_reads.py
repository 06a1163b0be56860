"""What is large does not pass through the driver: only workers read what trials go on from, and who asks for an act
looks whether it is whole.
"""

from pathlib import Path

import pytest

from caviar import Result

from .checkpoint_reads import Reads, watched
from .conftest import Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        saved = trial.load()
        for step in range(0 if saved is None else saved.step + 1, 8):
            trial.report(step, loss=config["lr"] + 0.1 * step)
            trial.save(step, b"%d" % step)


    def final(config, trial):
        return {"last": float(trial.load().data)}


    sweep = Sweep(
        train, space={"lr": Float(0.1, 1.0, live=True)}, metric="loss", trials=4, keep_checkpoints=99, GIVEN
    )
"""


def by(reads: Reads) -> set[str]:
    """In which of the two ways they were read; with all functions, where it was in neither."""
    ways = [[name for name in one if name in ("first_whole", "is_whole")] or one for one in reads]
    return {" < ".join(way) for way in ways}


@pytest.mark.usefixtures("inline")
def test_rollbacks_forks_and_final_tests(write: Write, caviar: Caviar, store: Path) -> None:
    experiment = write(EXPERIMENT.replace("GIVEN", "final=final"))
    with watched() as reads:
        assert caviar("run", experiment).code == 0
    assert (len(reads), by(reads)) == (1, {"first_whole"}), "the final test"
    for act in (["rollback", "0", "--to-step", "3", "lr=0.5"], ["fork", "1", "--at-step", "4", "lr=0.2"]):
        with watched() as reads:
            done = caviar(*act)
        assert done.code == 0, done.err
        assert by(reads) == {"first_whole", "is_whole"}, "its worker, and who asked"
    starts = Result(store).sql("SELECT start FROM attempts WHERE start > 0 ORDER BY 1").fetchall()
    assert starts == [(4,), (5,)]


@pytest.mark.usefixtures("inline")
def test_members_of_a_population_and_guards(write: Write, caviar: Caviar, store: Path) -> None:
    experiment = write(EXPERIMENT.replace("GIVEN", 'stopping="pbt:interval=2,share=0.25", pausing=True'))
    with watched() as reads:
        ran = caviar("run", experiment)
    assert ran.code == 0, ran.err
    born = Result(store).sql("SELECT count(*) FROM decisions WHERE action = 'fork'").fetchall()[0][0]
    went_on = Result(store).sql("SELECT count(*) FROM attempts WHERE start > 0").fetchall()[0][0]
    assert (born > 0, len(reads), by(reads)) == (True, went_on, {"first_whole"})
