"""Memory of a real GPU, after trials that are killed or interrupted while they hold much of it.

In programs of their own, before the other tests: while no process of this one holds any.
"""

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from caviar import Result

from .conftest import SLACK_MB, Program, say, settles, show, tries, used_mb

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("default"),  # what torch and its friends warn of is not the question
]


def test_a_process_killed_while_it_holds_memory_leaves_none_behind(program: Callable[[str], Program]) -> None:
    driver = program("hold")
    driver.look_while(lambda: True, 150)
    code, told = driver.end()
    after = settles(driver.before)
    say(before_mb=driver.before, peak_mb=driver.peak, after_mb=after)
    result = Result(driver.store)
    show(result)

    assert code == 0, told
    assert tries(result) == [(0, 0, "COMPLETED", None), (1, 0, "LOST", "lost"), (1, 1, "COMPLETED", None)]
    assert driver.peak > driver.before + 4000, "the trials held no memory that could have been left behind"
    assert after <= driver.before + SLACK_MB


def test_ctrl_c_ends_trials_on_the_gpu_and_frees_it(program: Callable[[str], Program]) -> None:
    driver = program("run_on")
    driver.look_while(lambda: driver.rows() < 2)
    ran, children = driver.rows(), psutil.Process(driver.process.pid).children(recursive=True)
    driver.peak = max(driver.peak, used_mb())
    begun = time.monotonic()
    os.killpg(driver.process.pid, signal.SIGINT)
    code, told = driver.end()
    took = time.monotonic() - begun
    after = settles(driver.before)
    _, left = psutil.wait_procs(children, timeout=15)
    say(trials=ran, before_mb=driver.before, peak_mb=driver.peak, after_mb=after, took_s=round(took, 1), left=left)

    assert ran == 2
    assert code == 130, told
    assert "caviar resume" in told
    assert driver.peak > driver.before + 6000
    assert after <= driver.before + SLACK_MB
    assert left == []
