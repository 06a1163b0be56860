"""What of a computer slows sweeps down or stops them, told from what it says."""

import sys
from pathlib import Path

import pytest

from caviar.run import machine_checks
from caviar.run.health import Health
from caviar.run.machine_checks import (
    gpu_check,
    gpus_in_words,
    ignored_check,
    ignored_in_words,
    shared_memory_check,
    slow_imports,
    start_check,
)


def times(**seconds: float) -> str:
    lines = [f"import time: {int(s * 1e6):9} | {int(s * 2e6):10} | {name}" for name, s in seconds.items()]
    return "import time: self [us] | cumulative | imported package\n" + "\n".join(lines)


def test_a_package_that_holds_up_each_process_of_rays_is_named() -> None:
    told = slow_imports(times(ray=3.0, numpy=0.2, rfc3987_syntax=5.2, lark=0.1))
    assert told.health == Health.WARNING
    assert "imports rfc3987_syntax (5.2 s) when it starts" in told.found
    assert told.advice.startswith("uninstall rfc3987_syntax")


def test_modules_of_a_package_count_together_and_ray_itself_not_at_all() -> None:
    many = "\n".join(f"import time:    300000 |    300000 |   big.part{n}" for n in range(4))
    assert "big (1.2 s)" in slow_imports(many).found
    assert slow_imports(times(ray=9.0, numpy=0.9)).health == Health.OK


def test_this_environment_is_asked_in_a_new_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert start_check().found.startswith("Ray is imported in ")
    (tmp_path / "ray.py").write_text("raise ImportError('half of it')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = start_check()
    assert told.health == Health.FAILED
    assert "half of it" in told.found


def test_the_culprit_of_a_notebooks_environment_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ray imports jsonschema, which imports this one if it is there; the real one builds a parser for five seconds."""
    (tmp_path / "rfc3987_syntax.py").write_text("import time\ntime.sleep(1.1)\nis_valid_syntax = None")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "rfc3987_syntax" in start_check().found


def test_what_would_be_compiled_in_each_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(machine_checks, "_is_compiled", lambda _: False)
    assert start_check().advice == "type unset PYTHONDONTWRITEBYTECODE"


@pytest.mark.parametrize(("memory", "health"), [("1024 kB", Health.OK), (f"{2**40} kB", Health.WARNING)])
def test_shared_memory_is_compared_with_what_ray_takes(tmp_path: Path, memory: str, health: Health) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {memory}\n")
    limits = Path("/sys/fs/cgroup")
    told = shared_memory_check(tmp_path, tmp_path)
    assert told is not None
    if health == Health.OK or not any((limits / name).exists() for name in ("memory.max", "memory")):
        assert told.health == health
    assert shared_memory_check(tmp_path / "none", tmp_path) is None


def test_a_small_one_is_told_with_what_a_container_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text(f"MemAvailable: {8 * 2**20} kB\n")
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 64 * 2**20}))
    told = shared_memory_check(tmp_path, tmp_path)
    assert told is not None
    assert told.health == Health.WARNING
    assert "has 64 MB to spare" in told.found
    assert "--shm-size=" in told.advice


GPUS = "NVIDIA H200, 580.10\nNVIDIA H200, 580.10\n"


@pytest.mark.parametrize(
    ("said", "works", "devices", "torch", "health", "words"),
    [
        (GPUS, True, ["nvidia0", "nvidia1"], "2.9.0", Health.OK, "2 × NVIDIA H200, driver 580.10"),
        (GPUS, True, ["nvidia0", "nvidia1"], "?", Health.OK, "2 × NVIDIA H200"),
        (GPUS, True, ["nvidia0"], "2.9.0+cpu", Health.WARNING, "PyTorch 2.9.0+cpu cannot use it"),
        ("Failed to initialize NVML", False, ["nvidia0"], "?", Health.WARNING, "the driver does not answer (Failed"),
        ("", False, [], "?", Health.WARNING, "no GPU can be used (it says nothing)"),
    ],
)
def test_gpus(said: str, works: bool, devices: list[str], torch: str, health: Health, words: str) -> None:
    told = gpus_in_words(said, works, devices, torch)
    assert (told.health, bool(told.advice)) == (health, health != Health.OK)
    assert words in told.found


def test_a_machine_without_a_gpu_wants_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_check(tmp_path).health == Health.OK
    (tmp_path / "nvidia0").touch()
    assert gpu_check(tmp_path).health == Health.WARNING, "the device is there, and the driver's tool is not"


def test_ignored_files_are_named_but_not_those_that_nobody_misses() -> None:
    assert "nothing here" in ignored_in_words(["dist/", "x.egg-info/", "a/.cache/"]).found
    told = ignored_in_words(["data/", "weights.pt", "build/", "a.csv", "b.csv"])
    assert "data/, weights.pt, a.csv and 1 more stay behind" in told.found
    assert told.advice


def test_a_project_s_own_rules_are_asked(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.csv\n")
    for name in ("träin, it.csv", "kept.py", ".env"):
        (tmp_path / name).touch()
    told = ignored_check(tmp_path)
    assert told is not None
    assert told.found.startswith("träin, it.csv stay behind")
    assert ignored_check(Path.home()) is None, "it is no project"


def test_python_and_packages_are_said() -> None:
    assert machine_checks.python_check().found.startswith(f"Python {sys.version.split()[0]}, ")
    assert "Ray 2." in machine_checks.package_check().found


def test_a_missing_ray_has_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "_version", lambda name: "?" if name == "ray" else "1")
    told = machine_checks.package_check()
    assert told.health == Health.FAILED
    assert "ray>=" in told.advice
