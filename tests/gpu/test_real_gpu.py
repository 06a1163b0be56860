"""Whole sweeps on a real NVIDIA GPU, with torch; run by hand where there is one: `pytest -m gpu -s tests/gpu`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.run.executors.ray_session import RaySession

from .conftest import FILE, Run, say, tries

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("default"),  # what torch and its friends warn of is not the question
]

ONE_BY_ONE = """
import logging, sys
from caviar.cli.experiment_file import load
logging.basicConfig(level=logging.INFO)
for gpus in (0, 0.5):
    load(f"{sys.argv[1]}:look").override({"process": "forked", "gpus": gpus}).run(f"{sys.argv[2]}/{gpus}")
"""
"""In one process: the second sweep finds the forked processes of the first one."""
REFUSED = "workers start as ever, not by fork: the libraries have loaded CUDA's driver"

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "convnet.py"


def test_ray_finds_the_gpu_by_itself(session: RaySession) -> None:
    assert session.resources()["GPU"] >= 1


def test_a_whole_gpu(run: Run) -> None:
    result = run("look")

    rows = result.sql("SELECT state, devices, last_seen, last_count, last_nothing, last_computed > 0 FROM trials")
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    assert set(rows.fetchall()) == {("COMPLETED", device, 1.0, 1.0, 0.0, True)}
    assert result.sql("SELECT count(*) FROM trials WHERE busy > 0 AND length(host) > 0 AND pid > 0").fetchall() == [
        (2,)
    ]


def test_a_trial_that_asks_for_no_gpu_sees_none(run: Run) -> None:
    result = run("look", gpus=0)

    rows = result.sql("SELECT state, devices, last_seen, last_count, last_nothing FROM trials").fetchall()
    assert set(rows) == {("COMPLETED", "", 0.0, 0.0, 1.0)}


def look_one_by_one(file: Path, stores: Path, environment: dict[str, str]) -> tuple[list[Any], list[Any], str]:
    """What trials saw that asked for no GPU, and those that asked for half of one, all with `process="forked"`."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, file, stores],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    asked = "SELECT state, last_seen, last_count, last_nothing, last_computed > 0, last_forked FROM trials"
    none, half = (Result(stores / gpus).sql(asked).fetchall() for gpus in ("0", "0.5"))
    say(none=none, half=half, refused=REFUSED in done.stderr)
    return none, half, done.stderr


def test_forked_processes_see_no_gpu_and_trials_that_need_one_get_others(tmp_path: Path) -> None:
    none, half, told = look_one_by_one(FILE, tmp_path, {})

    forked = 0.0 if REFUSED in told else 1.0  # torch may have loaded the driver as it was imported
    assert none == [("COMPLETED", 0.0, 0.0, 1.0, False, forked)] * 2
    assert half == [("COMPLETED", 1.0, 1.0, 0.0, True, 0.0)] * 2


def test_nobody_is_forked_from_a_process_with_the_driver_in_it(tmp_path: Path) -> None:
    library = tmp_path / "site-packages" / "a_library.py"
    library.parent.mkdir()
    library.write_text("import ctypes\nheld = ctypes.CDLL('libcuda.so.1')\n")
    file = tmp_path / "trials.py"
    file.write_text("import a_library\n" + FILE.read_text())
    none, half, told = look_one_by_one(file, tmp_path, {"PYTHONPATH": str(library.parent)})

    assert REFUSED in told
    assert none == [("COMPLETED", 0.0, 0.0, 1.0, False, 0.0)] * 2
    assert half == [("COMPLETED", 1.0, 1.0, 0.0, True, 0.0)] * 2


def test_four_trials_share_the_gpu_at_the_same_time(run: Run, folder: str) -> None:
    result = run("share", **{"train.folder": folder})

    rows = result.sql("SELECT state, last_device, attempts FROM trials").fetchall()
    assert rows == [("COMPLETED", 0.0, 1)] * 4
    pids, devices, latest, first, waited, used = result.sql(
        "SELECT count(DISTINCT pid), count(DISTINCT devices), max(started), min(ended), max(last_waited), "
        "min(last_used_gib) FROM trials"
    ).fetchall()[0]
    say(latest_start=latest, first_end=first, waited_s=round(waited, 1), used_gib=round(used, 1))
    assert (pids, devices) == (4, 1)
    assert latest < first
    assert waited < 60
    assert used >= 4


def test_warm_processes_keep_their_context_and_give_memory_back_and_fresh_ones_do_not_know_it(run: Run) -> None:
    fresh = run("warm", process="fresh", trials=3)
    warm = run("warm")

    touches = "SELECT last_first_s FROM trials WHERE last_known = {} ORDER BY 1"
    first = [value for (value,) in fresh.sql(touches.format(0)).fetchall()]
    again = [value for (value,) in warm.sql(touches.format(1)).fetchall()]
    say(first_touch_s=first, again_s=again)
    assert fresh.sql("SELECT count(DISTINCT pid) FROM trials").fetchall() == [(3,)]
    assert (len(first), len(again) >= 6) == (3, True)
    assert max(again) < min(first) / 5
    held = warm.sql("SELECT count(*), max(last_before), min(last_during) FROM trials").fetchall()
    assert held[0][:2] == (8, 0.0)
    assert held[0][2] >= 2**30


def test_out_of_memory_is_a_result_and_neighbours_go_on(run: Run, folder: str) -> None:
    result = run("fill", **{"train.folder": folder})

    assert tries(result) == [
        (0, 0, "LOST", "oom"),
        (0, 1, "FAILED", "oom"),
        (1, 0, "LOST", "oom"),
        (1, 1, "FAILED", "oom"),
        (2, 0, "COMPLETED", None),
        (3, 0, "COMPLETED", None),
    ]
    errors = result.sql("SELECT error FROM trials WHERE state = 'FAILED'").fetchall()
    assert all("OutOfMemoryError" in error for (error,) in errors)


def test_a_broken_context_ends_with_the_trial_that_broke_it(run: Run) -> None:
    result = run("snap")

    states = result.sql("SELECT state, count(*), max(attempts) FROM trials GROUP BY 1 ORDER BY 1").fetchall()
    assert states == [("COMPLETED", 11, 1), ("FAILED", 1, 1)]
    kind, error, pid, ended = result.sql("SELECT kind, error, pid, ended FROM trials WHERE trial = 5").fetchall()[0]
    assert kind == "error"
    assert "assert" in error
    later = result.sql(f"SELECT count(*) FROM trials WHERE pid = {pid} AND started >= '{ended}'").fetchall()
    assert later == [(0,)]


def test_a_killed_trial_goes_on_from_its_checkpoint_on_the_same_curve(run: Run) -> None:
    whole = run("carry")
    killed = run("carry", **{"train.dies_after": 7})

    assert tries(killed) == [(0, 0, "COMPLETED", None), (1, 0, "LOST", "lost"), (1, 1, "COMPLETED", None)]
    starts = killed.sql("SELECT trial, start FROM attempts WHERE state = 'COMPLETED' ORDER BY 1").fetchall()
    assert starts == [(0, 0), (1, 8)]
    curves = [one.sql("SELECT trial, step, loss FROM curves ORDER BY 1, 2").fetchall() for one in (whole, killed)]
    assert [row[:2] for row in curves[0]] == [row[:2] for row in curves[1]]
    apart = max(abs(a[2] - b[2]) / a[2] for a, b in zip(*curves, strict=True))
    say(largest_difference=apart, first_and_last_loss=json.dumps([curves[0][12][2], curves[0][23][2]]))
    assert apart < 1e-5
    assert curves[0][23][2] < curves[0][12][2], "nothing was learnt"


def test_the_experiment_for_a_gpu_trains_eight_at_a_time(run: Run) -> None:
    result = run(str(EXPERIMENT), **{"trials": 24, "train.epochs": 5})

    ended = result.sql("SELECT state, count(*) FROM trials GROUP BY 1").fetchall()
    at_once = result.sql(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM trials a JOIN trials b "
        "ON a.started BETWEEN b.started AND b.ended GROUP BY a.trial)"
    ).fetchall()
    devices, processes = result.sql("SELECT string_agg(DISTINCT devices), count(DISTINCT pid) FROM trials").fetchall()[
        0
    ]
    say(at_once=at_once[0][0], processes=processes, devices=devices, best=result.best.value, final=result.final)
    assert ended == [("COMPLETED", 24)]
    assert at_once[0][0] >= 6
    assert "," not in devices
    assert devices
    assert 0 <= result.final["test_error"] < 0.5
