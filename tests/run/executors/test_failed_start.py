"""A start of Ray that fails is followed by another one, and nothing of it runs on."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ray

DRIVER = """
import functools
import os
import time

import psutil
import ray._private.services as services

begin, begun = services.start_raylet, []


@functools.wraps(begin)  # who looks at it sees Ray's
def fails_once(*given, **named):
    begun.append(time.monotonic())
    if len(begun) == 1:
        raise OSError("no room")  # its GCS runs by now
    return begin(*given, **named)


services.start_raylet = fails_once
from caviar.run.executors.ray_session import RaySession, start_early

if os.environ["EARLY"] == "1":
    start_early(1)
with RaySession(cpus=None) as session:
    import ray

    time.sleep(1)  # until then the kernel has ended servers whose thread has
    children = [child.name() for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    print(len(begun), ray.get(ray.remote(lambda: 7).remote(), timeout=60), children.count("gcs_server"))
"""


@pytest.mark.parametrize("early", ["1", "0"], ids=["while the file is read", "when it is needed"])
def test_ray_is_started_once_more_and_the_servers_of_the_first_time_end(early: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | {"EARLY": early}
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER], env=env, capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.stdout.split() == ["2", "7", "1"], ran.stderr[-2000:]
