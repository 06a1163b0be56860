"""A sweep on a cluster ends as it came to its end, though Ray's client would crash when taken apart."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ..raylets import TOKEN, Raylets

pytestmark = pytest.mark.ray

CRASHING = """
    import os, signal
    import ray._private.worker
    ray._private.worker.disconnect = lambda *_: os.kill(os.getpid(), signal.SIGSEGV)  # what ray.shutdown begins with
    from caviar.cli.main import main
    main()
"""

JOBS = """
    import sys, time
    from caviar.run.executors.ray_session import RaySession
    until = time.monotonic() + 120
    with RaySession(address=sys.argv[1]):
        import ray
        def drivers():
            found = [job for job in ray._private.state.jobs() if "caviar.cli.main" in job["Entrypoint"]]
            return [job for job in found if job["JobID"] != ray.get_runtime_context().get_job_id()]
        assert drivers()
        while not all(job["IsDead"] for job in drivers()):
            assert time.monotonic() < until
            time.sleep(0.2)
"""

EXPERIMENT = """
    from caviar import Float, Sweep
    import os
    def train(config, trial):
        return config["x"] / int(os.environ.get("DIVISOR", "1"))
    sweep = Sweep(train, space={"x": Float(0.1, 1.0)}, metric="loss", trials=2)
"""


def run(tmp_path: Path, raylets: Raylets, *words: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "experiment.py"
    file.write_text(textwrap.dedent(EXPERIMENT))
    command = [sys.executable, "-c", textwrap.dedent(CRASHING), "run", str(file), "--store", str(tmp_path / "s")]
    return subprocess.run(
        [*command, "--json", "--address", raylets.address, *words],
        env=os.environ | TOKEN,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_cluster_sees_that_it_has_left(tmp_path: Path, raylets: Raylets) -> None:
    done = run(tmp_path, raylets)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sweep"]
    asked = [sys.executable, "-c", textwrap.dedent(JOBS), raylets.address]
    seen = subprocess.run(asked, env=os.environ | TOKEN, capture_output=True, text=True, timeout=120, check=False)
    assert seen.returncode == 0, seen.stderr


def test_an_error_keeps_its_code(tmp_path: Path, raylets: Raylets) -> None:
    done = run(tmp_path, raylets, "--env", "DIVISOR=0")

    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "ZeroDivisionError" in done.stderr
