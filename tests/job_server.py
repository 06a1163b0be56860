"""An environment that has Ray's job server, which the gate's own has not."""

import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]


def with_job_server(place: Path) -> Path:
    """The folder of programs of an environment made at `place`: all else in it is the gate's.

    The test is skipped where no package can be had.
    """
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    asked = [python, "-m", "pip", "install", "-q", f"ray[default]=={version('ray')}"]
    had = subprocess.run(asked, check=False, capture_output=True, text=True)
    if had.returncode:
        pytest.skip(f"ray[default] cannot be had here: {had.stderr.strip().splitlines()[-1]}")
    site = next((place / "lib").glob("python*/site-packages"))
    sources = [sysconfig.get_path("purelib"), *(str(HERE / room) for room in ("orchestrator", "workers"))]
    (site / "gate.pth").write_text("\n".join(sources))
    program = place / "bin" / "caviar"
    program.write_text(f"#!{python}\nfrom caviar.cli.entry import main\nmain()\n")
    program.chmod(0o755)
    return place / "bin"
