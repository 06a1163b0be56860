"""By night: an environment of its own with packages that the gate's has not, and tests that run in it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_with(requirements: Path, place: Path, *tests: str | Path) -> None:
    """Run tests with what the file requires; none may fail, and none may be skipped for want of a package."""
    subprocess.run([sys.executable, "-m", "venv", place / "env"], check=True)
    python = place / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
    site = next((place / "env" / "lib").glob("python*/site-packages"))
    (site / "gate.pth").write_text(sysconfig.get_path("purelib"))  # the gate's own packages come after these
    sources = os.pathsep.join(str(ROOT / room) for room in ("orchestrator", "workers"))
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", *tests, "-m", "not nightly and not ray"],
        env={**os.environ, "PYTHONPATH": sources, "CAVIAR_FRAMEWORKS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "SKIPPED" not in ran.stdout, ran.stdout
