"""A rollback may leave out data, and go on with other code: each attempt says which it ran with."""

import json
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import SpecError

from .conftest import Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        trial.load()
        for step in range(trial.start, 12):
            trial.report(step, loss=1 / (step + 1), version=1, branch=trial.branch, skip=trial.skip)
            if step % 4 == 3:
                trial.save(step, b"")


    sweep = Sweep(train, {"lr": Float(0, 1, live=True)}, metric="loss", trials=1)
"""


@pytest.mark.usefixtures("inline")
def test_a_rollback_leaves_out_data_and_goes_on_with_other_code(
    write: Write, caviar: Caviar, store: Path, tmp_path: Path
) -> None:
    path = write(EXPERIMENT)
    assert caviar("run", path).code == 0
    broken, mended = tmp_path / "broken.py", tmp_path / "mended.py"
    broken.write_text(path.read_text().replace("def train", "def trane").replace("Sweep(train", "Sweep(trane"))
    mended.write_text(path.read_text().replace("version=1", "version=2"))
    for file, why in ((tmp_path / "none.py", "there is no file"), (broken, "cannot be gone on with")):
        refused = caviar("rollback", "0", "--to-step", "8", "--code", file)
        assert (refused.code, why in refused.err, "nothing was changed" in refused.err) == (2, True, True), refused.err

    back = caviar("rollback", "0", "--to-step", "8", "--skip-data", "--code", mended)
    again = caviar("rollback", "0", "--to-step", "7", "--code", mended)

    assert (back.code, again.code) == (0, 0), (back.err, again.err)
    assert "nothing changes" not in back.err
    assert "nothing changes" in again.err
    result = Result(store)
    rows = result.sql("SELECT _branch, step, version, skip, branch FROM branches ORDER BY ALL").fetchall()
    assert rows == [
        *((0, step, 1.0, 0.0, 0.0) for step in range(12)),
        *((1, step, 2.0, 4.0, 1.0) for step in range(8, 12)),
        *((2, step, 2.0, 0.0, 2.0) for step in range(8, 12)),
    ]
    programs = [row[0] for row in result.sql("SELECT program FROM attempts ORDER BY attempt").fetchall()]
    assert programs[0] != programs[1] == programs[2]
    decided = result.sql("SELECT numbers FROM decisions WHERE action = 'rollback' ORDER BY n").fetchall()
    assert [json.loads(row[0]).get("program") for row in decided] == [programs[1], None]
    with pytest.raises(SpecError, match="there is no file"):
        result.rollback(0, to_step=8, code=tmp_path / "none.py")
