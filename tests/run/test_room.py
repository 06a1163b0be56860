"""A trial that this machine has no room for is refused before Ray is started."""

import subprocess
import sys
from pathlib import Path

import pytest

FILE = """
from caviar import Float, Sweep
def train(config, trial):
    return config["x"]
sweep = Sweep(train, space={"x": Float(0, 1)}, metric="value", trials=2)
"""


@pytest.mark.parametrize("options", [["--cpus", "4096"], ["--gpus", "2000000"]])
def test_it_is_refused_at_once(tmp_path: Path, options: list[str]) -> None:
    file = tmp_path / "x.py"
    file.write_text(FILE)
    command = [sys.executable, "-m", "caviar.cli.main", "run", str(file), *options, "--store", str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert "starting Ray" not in done.stderr
    assert "caviar: a trial needs " in done.stderr
    assert done.stderr.endswith("lower --cpus or --gpus, or join a cluster\n")
    assert not list((tmp_path / "store").glob("sweep=*"))
