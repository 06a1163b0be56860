"""Packages that a sweep needs and a machine has not: fetched once, where the driver runs, to travel with the code.

Ray's own way (`runtime_env` with `pip` or `uv`) copies the whole environment on each node where that is a virtual one,
and needs pip and an index on all of them. Here one machine needs both. What the environment has stays as it is.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from caviar.errors import SpecError
from caviar.spec.project_archive import zipped
from caviar.spec.project_files import ProjectFile, ProjectFiles
from caviar.spec.requirements import requirements_of
from caviar_workers.extra_packages import find_last, unpacked_packages
from caviar_workers.project import MOST

TOLD = "extra packages of"
"""How the line begins that says that all are here: who submits waits for it."""
_LIMIT_S = 900.0
_IMAGE = "install it in the cluster's image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraPackages:
    """Packages beside those of the environment.

    Attributes:
        archive: A zip of them; empty: the environment has all.
        told: What they are, how large, and how long it took; one line.
    """

    archive: bytes = field(repr=False)
    told: str


def add_packages(file: Path) -> ExtraPackages:
    """Fetch what a file of requirements asks for and this environment has not, and let this process find it.

    Raises:
        SpecError: It cannot be had; the sentence says why.
    """
    began = time.monotonic()
    wanted = requirements_of(file)
    have = _environment()
    _check_conflicts(file, wanted, have)
    with tempfile.TemporaryDirectory(prefix="caviar-") as folder:
        found = _missing(file, have, Path(folder))
        archive = _fetched(file, found, Path(folder)) if found else b""
    if archive:
        find_last(unpacked_packages(archive))
    names = ", ".join(f"{name} {number}" for name, number, _ in found) or "none"
    size = f", {len(archive) / 1e6:,.1f} MB to travel" if archive else ""
    rest = f"; {len(have)} that are installed stay as they are"
    took = f"tried on {platform.node()} in {time.monotonic() - began:.1f} s"
    return ExtraPackages(archive=archive, told=f"{TOLD} {file.name}: {names}{size}, {took}{rest}")


def _environment() -> dict[str, str]:
    """Normalised name → version of what is installed."""
    found: dict[str, str] = {}
    for one in metadata.distributions():
        if name := one.metadata["Name"]:
            found.setdefault(canonicalize_name(name), one.version)
    return found


def _check_conflicts(file: Path, wanted: Iterable[Requirement], have: Mapping[str, str]) -> None:
    """See that nothing is asked for in another version than is installed."""
    for one in wanted:
        installed = have.get(canonicalize_name(one.name))
        holds = one.marker is None or one.marker.evaluate()
        if holds and installed and not one.specifier.contains(installed, prereleases=True):
            raise SpecError(
                f"{file.name} asks for {one.name}{one.specifier}, and {one.name} {installed} is installed here, which "
                f"stays, for others may need it: ask for that one, or {_IMAGE}"
            )


def _missing(file: Path, have: Mapping[str, str], folder: Path) -> list[tuple[str, str, str]]:
    """Name, version and SHA-256 of the wheels that have to be fetched.

    Raises:
        SpecError: There is none that fits.
    """
    (constraints := folder / "installed.txt").write_text("".join(f"{name}=={one}\n" for name, one in have.items()))
    report = folder / "report.json"
    words = ["install", "--dry-run", "--report", str(report), "--only-binary", ":all:", "-c", str(constraints)]
    done = _pip(*words, "-r", str(file))
    if done.returncode:
        raise SpecError(f"{file.name} asks for what cannot be had on {platform.node()}: {_why(done.stdout)}")
    said: Sequence[Mapping[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    return [
        (
            one["metadata"]["name"],
            one["metadata"]["version"],
            one["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""),
        )
        for one in said
    ]


def _fetched(file: Path, found: Sequence[tuple[str, str, str]], folder: Path) -> bytes:
    """A zip of these wheels, unpacked; the same bytes for the same wheels."""
    hashed = all(sum_ for *_, sum_ in found)
    lines = [f"{name}=={number}" + (f" --hash=sha256:{sum_}" if hashed else "") for name, number, sum_ in found]
    (locked := folder / "locked.txt").write_text("\n".join(lines))
    target = folder / "packages"
    words = ["install", "--no-deps", "--no-compile", "--only-binary", ":all:", "--target", str(target)]
    done = _pip(*words, "-r", str(locked))
    if done.returncode:
        raise SpecError(f"{file.name} asks for what cannot be had on {platform.node()}: {_why(done.stdout)}")
    kept = [
        ProjectFile(name=path.relative_to(target).as_posix(), path=path, size=path.stat().st_size)
        for path in sorted(target.rglob("*"))
        if path.is_file() and path.relative_to(target).parts[0] != "bin"  # programs would name this machine's folders
    ]
    if (size := sum(one.size for one in kept)) > MOST:
        raise SpecError(
            f"the packages of {file.name} are {size / 1e6:,.0f} MB ({_largest(kept)}), and {MOST / 1e6:,.0f} MB travel "
            f"with a sweep: {_IMAGE}"
        )
    return zipped(ProjectFiles(root=target, kept=tuple(kept), left=()))[1]


def _largest(kept: Iterable[ProjectFile]) -> str:
    sizes: dict[str, int] = {}
    for one in kept:
        top = one.name.partition("/")[0]
        sizes[top] = sizes.get(top, 0) + one.size
    most = sorted(sizes, key=lambda name: -sizes[name])[:3]
    return ", ".join(f"{name} {sizes[name] / 1e6:,.0f} MB" for name in most)


def _pip(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a pip for this environment, which need not have one of its own: uv makes such."""
    common = ("--no-input", "--no-color", "--disable-pip-version-check", "--retries", "2")
    try:
        return subprocess.run(
            [*_program(), *words, *common],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
    except subprocess.TimeoutExpired:
        raise SpecError(f"the packages did not come within {_LIMIT_S / 60:.0f} minutes: {_IMAGE}") from None


def _program() -> list[str]:
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    base = str(getattr(sys, "_base_executable", "") or sys.executable)
    asked = [base, "-m", "pip", "--version"]
    if subprocess.run(asked, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode:
        raise SpecError(
            f"it takes pip to fetch packages, and on {platform.node()} neither {sys.executable} nor {base} has it: "
            "install pip there, or the packages in the cluster's image"
        )
    return [base, "-m", "pip", "--python", sys.executable]


def _why(said: str) -> str:
    """What pip's words mean."""
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} on {sysconfig.get_platform()}"
    none = re.search(r"No matching distribution found for (\S+(?: .*)?)", said)
    if (needs := re.search(r"(\S+ \S+) depends on (.+)", said)) is not None:
        stays = re.search(r"\(constraint\) (\S+)==(\S+)", said)
        kept = f"{stays[1]} {stays[2]} is installed there, and stays" if stays else "that does not go with the others"
        return f"{needs[1]} needs {needs[2]}, but {kept}; {_IMAGE}"
    if (other := re.search(r"Package '(.+)' requires a different Python: \S+ not in '(.+)'", said)) is not None:
        return f"{other[1]} is for Python {other[2]}, and there is {here}; ask for an older version"
    if none is None:
        errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
        return f"{' '.join((errors or said.strip().splitlines() or ['pip does not say why'])[-1].split()):.300}"
    asked = none[1].strip()
    name = re.split(r"[^\w.-]", asked)[0]
    if (other := re.search(r"Requires-Python ([^;\n]+)", said)) is not None:
        return f"there is no {asked} for {here}, another one is for Python {other[1].strip()}; ask for an older version"
    if _pip("index", "versions", name).returncode == 0:
        return f"of {asked} there are sources, but no wheel for {here}: it has to be built, so {_IMAGE}"
    return f"the index knows no {asked} for {here}; see to its name, and to PIP_INDEX_URL there"
