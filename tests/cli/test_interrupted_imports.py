"""Ctrl-C while the program is being imported: one line, exit code 130, and no crash of what is written in C."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

AT = '''
import atexit, os, signal, sys
class At:
    """Ctrl-C when the n-th module is looked for."""
    def __init__(self, n): self.left = n
    def find_spec(self, name, path=None, target=None):
        self.left -= 1
        if self.left == 0: os.kill(os.getpid(), signal.SIGINT)
from caviar.cli import entry
at = At(int(sys.argv.pop(1)))
sys.meta_path.insert(0, at)
atexit.register(lambda: print("imports:", -at.left))
entry.main()
'''

EXPERIMENT = """
from caviar import Float, Sweep
def train(config, trial): trial.report(0, loss=1.0)
sweep = Sweep(train, space={"lr": Float(1e-4, 1.0, scale="log")}, metric="loss", mode="min", trials=4)
"""


def begin(n: int, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    (tmp_path / "e.py").write_text(EXPERIMENT)
    command = [sys.executable, "-c", AT, str(n), "run", str(tmp_path / "e.py"), "--dry-run"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many modules are looked for."""
    whole = begin(0, tmp_path_factory.mktemp("whole"))
    assert whole.returncode == 0, whole.stderr
    found = re.search(r"imports: (\d+)", whole.stdout)
    assert found is not None
    return int(found[1])


def interrupted(n: int, tmp_path: Path) -> None:
    ran = begin(n, tmp_path)
    slow = f"[caviar] importing {tmp_path / 'e.py'} and what it needs…\n"  # said where that takes more than a moment
    assert (n, ran.returncode, ran.stderr.removeprefix(slow)) == (n, 130, "caviar: interrupted\n")


@pytest.mark.parametrize("share", [0, 3, 6, 9])
def test_it_is_told_in_one_line(imports: int, tmp_path: Path, share: int) -> None:
    interrupted(1 + (imports - 1) * share // 12, tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_it_is_told_in_one_line_wherever_it_comes(imports: int, tmp_path: Path) -> None:
    for n in range(1, imports):
        interrupted(n, tmp_path)
