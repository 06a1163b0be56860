"""What of this computer and of this environment may keep a sweep from running well: each a small question."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from caviar.errors import CaviarError, to_install
from caviar.run.health import Check, Health
from caviar.spec.project_files import project_files

_PATIENCE_S = 20.0
"""Seconds for another program to answer."""
SLOW_S = 1.0
"""Seconds for which a package that has nothing to do with the user's code holds up each of Ray's processes."""
SHARED_SHARE = 0.3
"""Of the memory that is available: what Ray takes of /dev/shm for its objects."""
_MOST_NAMED = 3


def python_check() -> Check:
    """Python's version and the machine's kind."""
    kind = f"{platform.system()} on {platform.machine()}"
    found = f"Python {platform.python_version()}, {kind}, {os.cpu_count()} CPUs"
    if sys.platform == "win32":
        return Check(name="python", health=Health.FAILED, found=found, advice="run Caviar in WSL")
    return Check(name="python", found=found)


def package_check() -> Check:
    """Versions of Caviar and of Ray, and whether Ray is one that Caviar works with."""
    versions = {name: _version(name) for name in ("caviar-sweep", "ray")}
    found = f"Caviar {versions['caviar-sweep']}, Ray {versions['ray']}"
    least = next((one for one in requires("caviar-sweep") or () if re.match(r"ray\b", one)), "ray")
    if versions["ray"] == "?":
        return Check(name="packages", health=Health.FAILED, found=found, advice=f"type {to_install(least)}")
    return Check(name="packages", found=found)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def start_check() -> Check:
    """Whether something in this environment makes each of Ray's processes start slowly."""
    if os.environ.get("PYTHONDONTWRITEBYTECODE") and not _is_compiled("ray"):
        return Check(
            name="ray's start",
            health=Health.WARNING,
            found="PYTHONDONTWRITEBYTECODE is set and Ray is not compiled, so each process compiles it anew",
            advice="type unset PYTHONDONTWRITEBYTECODE",
        )
    command = [sys.executable, "-X", "importtime", "-c", "import ray"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Check(
            name="ray's start",
            health=Health.WARNING,
            found=f"to import Ray takes longer than {_PATIENCE_S:g} s, and Ray gives up on processes that start slowly",
            advice="see what else runs on this machine, and whether the environment is on a slow disk",
        )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        advice = f"type {to_install('ray')}"
        return Check(name="ray's start", health=Health.FAILED, found=f"Ray cannot be imported: {said}", advice=advice)
    return slow_imports(done.stderr)


def slow_imports(times: str) -> Check:
    """Judge what Python said about how long each module took to be imported.

    Args:
        times: The output of `python -X importtime`.
    """
    spent: Counter[str] = Counter()
    for own, module in re.findall(r"(?m)^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", times):
        spent[module.partition(".")[0]] += int(own)
    slow = [(name, us / 1e6) for name, us in spent.most_common() if us / 1e6 >= SLOW_S and name != "ray"]
    if not slow:
        return Check(name="ray's start", found=f"Ray is imported in {sum(spent.values()) / 1e6:.1f} s")
    names = ", ".join(f"{name} ({seconds:.1f} s)" for name, seconds in slow)
    return Check(
        name="ray's start",
        health=Health.WARNING,
        found=f"each of Ray's processes imports {names} when it starts, and Ray gives up on those that start slowly",
        advice=f"uninstall {slow[0][0]} if nothing of yours needs it, or run sweeps in an environment without it",
    )


def _is_compiled(package: str) -> bool:
    from importlib.util import cache_from_source, find_spec  # noqa: PLC0415

    found = find_spec(package)
    return found is None or found.origin is None or Path(cache_from_source(found.origin)).exists()


def shared_memory_check(place: Path = Path("/dev/shm"), proc: Path = Path("/proc")) -> Check | None:
    """Whether Ray can keep its objects in memory; None: this system has no such place."""
    if not place.is_dir():
        return None
    free, wanted = shutil.disk_usage(place).free, SHARED_SHARE * _available(proc)
    found = f"{place} has {_size(free)} to spare"
    if free >= wanted:
        return Check(name="shared memory", found=found)
    return Check(
        name="shared memory",
        health=Health.WARNING,
        found=f"{found}, and Ray wants {_size(wanted)} for its objects: it keeps them in /tmp, which is slower",
        advice=f"in a container, start it with --shm-size={_size(2 * wanted, '')}; else mount {place} larger",
    )


def _available(proc: Path) -> float:
    """Bytes of memory that may be used, by the machine or by this container's limit."""
    found = re.search(r"MemAvailable:\s+(\d+) kB", (proc / "meminfo").read_text("utf-8"))
    limits = [int(found[1]) * 1024.0] if found else []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        file = Path("/sys/fs/cgroup") / name
        if file.is_file() and (said := file.read_text("utf-8").strip()).isdigit():
            limits.append(float(said))
    return min(limits, default=0.0)


def _size(count: float, gap: str = " ") -> str:
    return f"{count / 2**30:.1f}{gap}GB" if count >= 2**30 else f"{count / 2**20:.0f}{gap}MB"


def gpu_check(devices: Path = Path("/dev")) -> Check:
    """Whether the GPUs that are here can be used."""
    there = sorted(one.name for one in devices.glob("nvidia[0-9]*"))
    tool = shutil.which("nvidia-smi")
    if not there and tool is None:
        return Check(name="gpu", found="no NVIDIA GPU is here")
    command = [tool or "nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
        said, works = (done.stdout or done.stderr).strip(), done.returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        said, works = str(error), False
    return gpus_in_words(said, works, there, _version("torch"))


def gpus_in_words(said: str, works: bool, devices: list[str], torch: str) -> Check:
    """Judge what the driver said.

    Args:
        said: By nvidia-smi: a line a GPU, with its name and the driver's version; or an error.
        works: Whether it was answered.
        devices: In /dev.
        torch: Version of PyTorch; `?`: it is not installed.
    """
    lines = [line for line in said.splitlines() if line.strip()]
    if not works:
        why = lines[0] if lines else "it says nothing"
        found = f"the driver does not answer ({why})" if devices else f"no GPU can be used ({why})"
        advice = "type nvidia-smi; in a container, start it with --gpus all"
        return Check(name="gpu", health=Health.WARNING, found=found, advice=advice)
    models = Counter(line.partition(",")[0].strip() for line in lines)
    driver = lines[0].rpartition(",")[2].strip() if lines else "?"
    found = f"{', '.join(f'{count} × {name}' for name, count in models.items())}, driver {driver}"
    if "+cpu" in torch:
        advice = f"type {to_install('torch')}, from an index with CUDA"
        return Check(name="gpu", health=Health.WARNING, found=f"{found}; PyTorch {torch} cannot use it", advice=advice)
    return Check(name="gpu", found=found)


def ignored_check(folder: Path) -> Check | None:
    """Files of a project that its ignore rules leave behind, and so what travels does too; None: it is no project."""
    try:
        left = project_files(folder).left
    except CaviarError:
        return None
    return ignored_in_words([one.name for one in left if one.why.startswith((".gitignore", ".caviarignore"))])


def ignored_in_words(names: list[str]) -> Check:
    """Name what may be missed of the files that are ignored.

    Args:
        names: Paths; those of folders end with a slash.
    """
    missed = [name for name in names if not _EXPECTED.search(name)]
    if not missed:
        return Check(name="ignored files", found="nothing here is ignored that a sweep could miss")
    more = f" and {len(missed) - _MOST_NAMED} more" if len(missed) > _MOST_NAMED else ""
    return Check(
        name="ignored files",
        found=f"{', '.join(missed[:_MOST_NAMED])}{more} stay behind when a sweep travels, for they are ignored",
        advice="if trials read them, name them in full with --files, or write !NAME into .caviarignore",
    )


_EXPECTED = re.compile(r"(^|/)(dist|build|env|[^/]*\.egg-info|\.[^/]+)/?$")
"""What nobody misses of what is ignored: what builds leave, and hidden files."""
