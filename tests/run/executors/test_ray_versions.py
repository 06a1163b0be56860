"""The oldest Ray that we support, and the newest that there is: each starts as it should, and a sweep runs on it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from caviar.run.executors import private_ray

ROOT = Path(__file__).parents[3]
SWEEP = """
from caviar import Float, Sweep


def train(config, trial):
    trial.report(0, loss=config["lr"])


sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=4)
"""


def oldest() -> str:
    """The lower bound of pyproject.toml, such as 2.55."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    (bound,) = [found[1] for found in (re.fullmatch(r"ray>=([0-9.]+)", one) for one in wanted) if found]
    return bound


def test_the_oldest_ray_that_was_tried_is_the_oldest_that_is_supported() -> None:
    assert ".".join(map(str, private_ray.TRIED[0])) == oldest()


@pytest.fixture(params=[f"ray=={oldest()}.*", "ray"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """That of a process which finds another Ray before the installed one, and all else where it was."""
    # The Python that our environment was made from: it has pip.
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", tmp_path / "ray"]
    subprocess.run([*command, request.param], check=True)
    kept = {name: value for name, value in os.environ.items() if name not in {"RAY_ADDRESS", "CAVIAR_RAY"}}
    return kept | {"PYTHONPATH": str(tmp_path / "ray")}


@pytest.mark.ray
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_it_starts_as_it_should_and_a_sweep_runs(environment: dict[str, str], tmp_path: Path) -> None:
    def ran(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    version = ran("-c", "import ray; print(ray.__version__, ray.__file__)")
    assert str(tmp_path) in version
    print(version)

    # Of a Ray that is newer than what was tried these tests say so: look what they find, and move private_ray.TRIED.
    own = ["-p", "no:cacheprovider", "-p", "no:unraisableexception", "-m", "ray or not ray"]
    ran("-m", "pytest", "-q", "-x", *own, "tests/run/executors/test_private_ray.py", "tests/run/test_forked.py")

    experiment, store = tmp_path / "sweep.py", tmp_path / "store"
    experiment.write_text(SWEEP)
    ran("-c", "from caviar.cli.entry import main; main()", "run", str(experiment), "--store", str(store))
    told = ran("-c", "from caviar.cli.entry import main; main()", "status", "--store", str(store), "--json")
    assert json.loads(told)["counts"]["COMPLETED"] == 4
