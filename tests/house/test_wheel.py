"""By night: the wheel, built and tried without the sources, and a wheel of each dependency for each Python."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPERIMENT = """
from caviar import Float, Sweep


def train(config, trial):
    for epoch in range(3):
        trial.report(epoch, loss=config["x"] / (epoch + 1))


sweep = Sweep(train, {"x": Float(0, 1)}, "loss", trials=4)
"""

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        build = [uv(), "build", "-q", "--wheel", "-o", place, ROOT]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    skip_offline(built)
    assert built.returncode == 0, built.stderr
    (found,) = place.glob("*.whl")
    return found


def test_it_holds_all_that_the_packages_have(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "orchestrator", "workers"], capture_output=True, text=True, check=True
    )
    wanted = {line.partition("/")[2] for line in tracked.stdout.splitlines()}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_it_runs_sweeps_without_the_sources(wheel: Path, tmp_path: Path) -> None:
    """What it needs is the gate's own; of Caviar there is only the wheel."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    (site / "gate.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "exp.py").write_text(EXPERIMENT)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def caviar(*words: str) -> str:
        ran = subprocess.run(
            [tmp_path / "env" / "bin" / "caviar", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "4 completed trials" in caviar("run", "exp.py")
    caviar("report", "-o", "r.html")
    assert "exp" in caviar("ls")
    where = [python, "-c", "import caviar; print(caviar.__file__)"]
    found = subprocess.run(where, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    assert str(site) in found.stdout


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin"])
def test_every_dependency_has_a_wheel(python: str, platform: str, tmp_path: Path) -> None:
    words = ["--all-extras", "--only-binary", ":all:", "--python-version", python, "--python-platform", platform]
    found = subprocess.run(
        [uv(), "pip", "compile", "-q", ROOT / "pyproject.toml", *words, "-o", tmp_path / "found.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    skip_offline(found)
    assert found.returncode == 0, found.stderr
    assert "ray==" in (tmp_path / "found.txt").read_text()


def uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".caviar-uv"))
    if found is None:
        pytest.skip("there is no uv to ask which wheels there are")
    return found


def skip_offline(ran: subprocess.CompletedProcess[str]) -> None:
    words = ("error sending request", "Connection refused", "Network is unreachable", "Temporary failure in name")
    if ran.returncode and any(word in ran.stderr for word in words):
        pytest.skip("no registry of packages can be reached from here")
