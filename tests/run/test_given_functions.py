"""Scripts that Python runs itself: the workers train the very function that was given, or the sweep does not begin."""

import subprocess
import sys
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import SpecError
from caviar.run.executors.ray_session import RaySession

from .conftest import Caviar, Write

pytestmark = pytest.mark.ray

SCRIPT = """
    import argparse, functools, sys
    from caviar import Sweep

    FACTOR, OPTIONS = 1, None

    def train(config, trial, scale=1.0):
        trial.report(0, loss=config["x"] * scale * FACTOR * (1 if OPTIONS is None else OPTIONS.factor))

    def main():
        global FACTOR, OPTIONS
        parser = argparse.ArgumentParser()
        parser.add_argument("--factor", type=int)
        OPTIONS, FACTOR = parser.parse_args(), 10
        Sweep(functools.partial(train, scale=100.0), space={"x": [1, 2]}, metric="loss", sampler="grid", trials=2).run(
            STORE, address=ADDRESS
        )

    if __name__ == "__main__":
        STORE, ADDRESS = sys.argv[-2:]
        del sys.argv[-2:]
        main()
"""


def test_a_script_s_function_runs_with_what_its_main_has_set(
    ray: RaySession, caviar: Caviar, write: Write, store: Path
) -> None:
    from ray import get_runtime_context

    command = [sys.executable, str(write(SCRIPT)), "--factor", "3", str(store), get_runtime_context().gcs_address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    found = Result(store).sql("SELECT x, last_loss FROM trials ORDER BY x").fetchall()
    assert found == [(1, 3000.0), (2, 6000.0)]
    assert "the functions themselves are sent to the workers" in done.stderr
    again = caviar("resume", "--add", 1)
    assert again.code == SpecError.exit_code
    assert "train_args" in again.err


SETTLED = """
    import os, sys, threading
    import numpy as np
    from caviar import Sweep

    os.chdir("..")
    os.environ["TWICE"] = os.environ.get("TWICE", "") + "x"
    np.seterr(over="raise")
    LOCAL = threading.local()
    LOCAL.scale = 3

    def data():
        return 0

    def train(config, trial):
        print(os.getcwd(), np.geterr()["over"], getattr(LOCAL, "scale", None))
        return 1.0

    sweep = Sweep(train, space={"x": [1, 2]}, metric="loss", trials=40, data=data)
    if __name__ == "__main__":
        sweep.run(sys.argv[1], address=sys.argv[2])
        print(os.getcwd(), os.environ["TWICE"])
"""


def test_all_trials_of_a_script_find_what_its_top_has_set_and_begin_where_it_stands(
    ray: RaySession, write: Write, store: Path, tmp_path: Path
) -> None:
    from ray import get_runtime_context

    script = write(SETTLED)
    command = [sys.executable, str(script), str(store), get_runtime_context().gcs_address]
    done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout == f"{tmp_path} x\n", done.stderr
    said = Result(store).sql("SELECT text, count(*) FROM logs GROUP BY text").fetchall()
    assert said == [(f"{tmp_path} raise 3\n", 40)]
