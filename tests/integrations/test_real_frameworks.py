"""By night: the tests beside this file with the frameworks that the environment of the gate has not."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_with_the_frameworks_themselves(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "frameworks.txt"], check=True)
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    (site / "gate.pth").write_text(sysconfig.get_path("purelib"))  # the gate's own packages come after these
    sources = os.pathsep.join(str(HERE.parents[1] / room) for room in ("orchestrator", "workers"))
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", HERE, "-m", "not nightly and not ray"],
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "SKIPPED" not in ran.stdout, ran.stdout
