"""What a Ray of ours starts ends with the driver, also what is just starting."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

DRIVER = """
import sys
from caviar.run.executors.ray_session import RaySession
if __name__ == "__main__":
    with RaySession(cpus=1):
        import ray
        wanted = ray.remote(lambda: 7).remote()
        print("up", flush=True)
        sys.stdin.read()
"""
SLOW = """
import sys, time

class Slow:
    def find_spec(self, name, *_):
        if name == "ray":
            time.sleep(60)

if any(word.endswith("default_worker.py") for word in sys.orig_argv):
    sys.meta_path.insert(0, Slow())
"""


@pytest.mark.ray
@pytest.mark.skipif(
    sys.platform != "linux",
    reason="only Linux kills a process when a pipe closes",
)
def test_a_worker_that_is_starting_ends_with_the_driver(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    kept = {name: value for name, value in os.environ.items() if name not in {"RAY_ADDRESS", "CAVIAR_RAY"}}
    environment = kept | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "up\n"
        family = with_worker(psutil.Process(driver.pid))
        driver.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=5)
    assert [one.cmdline() for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


def with_worker(driver: psutil.Process) -> list[psutil.Process]:
    """All that a driver has started, once a worker is among them, and has had the time to begin."""
    while True:
        family = driver.children(recursive=True)
        workers = [one for one in family if any(word.endswith("default_worker.py") for word in one.cmdline()[:4])]
        if any(time.time() - one.create_time() > 3 for one in workers):
            return family
        time.sleep(0.1)
