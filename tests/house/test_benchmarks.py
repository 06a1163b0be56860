"""Each benchmark still runs: on the least that it takes, by night."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"

LEAST = {
    "board": "--trials 4 --seconds 4 --sweeps 3",
    "busy": "--trials 8 --seconds 0.05",
    "cluster": "--repeats 1",
    "cold": "--rounds 1 --stored-trials 50 --no-peers",
    "digits": "--epochs 1 --pairs 1",
    "drain": "--repeats 1",
    "drift": "--checks 500",
    "edits": "--trials 1 --edits 1 --reports 1000",
    "first_row": "--rounds 1 --no-peers",
    "guards": "2",
    "gpu": "--trials 2 --pairs 1 --steps 10",
    "gpu_start": "--pretend 2",
    "messages": "--slots 20 --seconds 2 --lasts 5",
    "million": "--trials 2000",
    "overhead": "--trials 2000 --pairs 1 --no-tune",
    "pbt": "2 constant",
    "report": "--reports 2000 --rows 4000",
    "report_page": "--sizes 40x5 --huge 60x5",
    "restoring": "--trials 2 --mb 1 --rounds 1",
    "sampling": "",
    "scale": "--slots 20 --rounds 1 --streams 10",
    "shapes": "--scale 0.1 --no-tune",
    "understand": "--trials 32 --sweeps 2 --spaces 8",
    "unedited": "--pairs 1 --seconds 2",
    "store": "--trials 2000 --no-peers --no-wide",
    "verbs": "--trials 50 --repeats 1",
    "visible": "--trials 4 --seconds 4",
    "winner": "--sweeps 50",
    "winner_digits": "repeats.csv --configurations 2 --seeds 2",
}
ELSEWHERE = {"grid", "real_searches", "search", "submitting", "zoom"}
"""Those that need tables of learning curves, or a package that the gate has not."""


def test_every_benchmark_is_listed() -> None:
    scripts = {path.stem for path in FOLDER.glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")}
    assert scripts == set(LEAST) | ELSEWHERE


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LEAST)
def test_it_runs(name: str, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, str(FOLDER / f"{name}.py"), *LEAST[name].split()]
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
