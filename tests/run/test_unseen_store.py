"""A store on the driver's own disk, and workers on a node that does not have it: trials go on all the same."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from caviar import Result

from ..raylets import TOKEN, Raylets

MOUNTS = (
    shutil.which("unshare") is not None
    and not subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode
)
pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not MOUNTS, reason="this user may not hide a folder from other processes (unshare --mount)"),
]

EXPERIMENT = """
    import os
    import signal
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        assert not Path({disk!r}, "store").exists(), "this node sees the store"
        saved = trial.load()
        first = 0 if saved is None else saved.step + 1
        for step in range(first, 6):
            trial.report(step, loss=config["lr"])
            if step % 2:
                trial.save(step, b"x" * 300_000 + b"%d" % step)
            if step == 4 and trial.attempt == 0:
                time.sleep(5)  # long enough to be on record, on a busy machine too
                os.kill(os.getpid(), signal.SIGKILL)


    def final(config, trial):
        return {{"last": float(trial.load().data[300_000:])}}


    sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials=2, final=final)
"""


def test_what_a_node_does_not_see_is_brought_to_it(tmp_path: Path) -> None:
    disk, experiment = tmp_path / "disk", tmp_path / "experiment.py"
    disk.mkdir()
    experiment.write_text(textwrap.dedent(EXPERIMENT.format(disk=str(disk))))
    words = ["-c", "from caviar.cli.main import main; main()", "run", experiment, "--store", disk / "store"]
    with Raylets(1, hidden=disk) as cluster:
        command = [sys.executable, *map(str, words), "--address", cluster.address]
        ran = subprocess.run(command, env=os.environ | TOKEN, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    result = Result(disk / "store")
    attempts = result.sql("SELECT trial, attempt, state, start FROM attempts ORDER BY ALL").fetchall()
    assert attempts == [(0, 0, "LOST", None), (0, 1, "COMPLETED", 4), (1, 0, "LOST", None), (1, 1, "COMPLETED", 4)]
    assert result.final == {"last": 5.0}
