"""How the program ends: what a user's file asked for at exit is done, and the interpreter is not taken apart."""

import subprocess
import sys

EXPERIMENT = r"""
import atexit, sys, threading, time
from os import write
from caviar import Float, Sweep

class Torn:
    def __del__(self, write=write):
        write(2, b"taken apart\n")

torn = Torn()
sys.torn = torn  # held to the very end
atexit.register(lambda: print("exit function", file=sys.stderr))
threading.Thread(target=lambda: (time.sleep(0.3), print("thread", file=sys.stderr))).start()

def train(config, trial):
    trial.report(0, loss=config["x"])

sweep = Sweep(train, space={"x": Float(0, 1)}, metric="loss", mode="min", trials=4)
"""


def leave(tmp_path, *args):
    (tmp_path / "exp.py").write_text(EXPERIMENT)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "caviar.cli.main",
            "run",
            str(tmp_path / "exp.py"),
            *args,
            "--store",
            str(tmp_path / "s"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_threads_and_exit_functions_run_and_nothing_is_taken_apart(tmp_path):
    done = leave(tmp_path, "--dry-run", "--json")

    said = done.stderr.splitlines()
    assert done.returncode == 0
    assert said.index("thread") < said.index("exit function")
    assert "taken apart" not in said
    assert done.stdout.rstrip().endswith("}")


def test_an_error_leaves_with_its_code_in_the_same_way(tmp_path):
    done = leave(tmp_path, "--set", "trials=none")

    assert done.returncode == 2
    assert "exit function" in done.stderr
    assert "taken apart" not in done.stderr
