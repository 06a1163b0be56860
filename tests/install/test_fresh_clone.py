"""The README's two commands, as written, in a fresh clone on a machine with Python and pip only.

The clone holds what git tracks or would track, uncommitted changes too. Downloads come from this user's caches, and
what mypy knows of files with the same content from the checkout's, unless CAVIAR_COLD=1. The second command is run by
night, without the tests that make clones and those that need Ray or a browser: by day continuous integration runs it
whole, in a clean clone. What it shows beside that is that a clone has all that the gate needs also in a path with a
space and with few programs.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.install, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]

# All that the machine has: no uv, no compiler, no virtual environment.
TOOLS = ("sh", "env", "cat", "cksum", "date", "mkdir", "mv", "readlink", "rm", "git", "uname", "bash", "dash")

# How this machine reaches the package index is no part of the test. Projects and environments are.
NETWORK = re.compile(r"(?i)(pip|uv)_|.*_proxy$|ssl_cert_|(requests|curl)_ca_bundle$")
PROJECT = re.compile(r"UV_(PROJECT|PYTHON|FROZEN|LOCKED|NO_|ACTIVE|WORKING|CACHE_DIR|COMPILE)|PIP_(TARGET|PREFIX|USER)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A user's machine: a home with nothing in it but one clone, and a few programs."""

    home: Path
    clone: Path
    programs: Path

    def type(self, line: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Type one line at a shell in the clone."""
        environment = {name: value for name, value in os.environ.items() if NETWORK.match(name)}
        environment = {name: value for name, value in environment.items() if not PROJECT.match(name)}
        environment |= {"PATH": str(self.programs), "HOME": str(self.home), "LANG": "C.UTF-8"}
        environment["XDG_CONFIG_HOME"] = os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))
        if os.environ.get("CAVIAR_COLD") != "1":
            cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
            environment["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", str(cache / "uv"))
            environment["PIP_CACHE_DIR"] = os.environ.get("PIP_CACHE_DIR", str(cache / "pip"))
            environment["MYPY_CACHE_DIR"] = str(self.home / "mypy")
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.clone,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def git(*args: str, at: Path) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *args], cwd=at, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A fresh machine with one clone, in a folder with a space in its name."""
    home = tmp_path_factory.mktemp("home")
    machine = Machine(home=home, clone=home / "my clone", programs=tmp_path_factory.mktemp("bin"))
    source = home / "source"
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    git("init", "--quiet", at=source)
    git("add", "--all", at=source)
    git("commit", "--quiet", "--message", "The tree under test", at=source)
    git("clone", "--quiet", str(source), str(machine.clone), at=home)
    for name in TOOLS:
        if found := shutil.which(name):
            (machine.programs / name).symlink_to(found)
    python = machine.programs / "python3"
    python.write_text(f'#!/bin/sh\nexec "{base_python()}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return machine


def base_python() -> Path:
    """The Python that the environment of this test was made from: it has pip, and nothing else of ours."""
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert python.exists(), f"{python} does not exist"
    return python


def readme_commands(readme: str) -> list[str]:
    """The lines of the README's first fenced block that call ./caviar, without their comments."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [re.sub(r"\s+#.*", "", line) for line in lines if line.startswith("./caviar")][:2]


def test_the_readme_begins_with_the_two_commands():
    commands = readme_commands((ROOT / "README.md").read_text("utf-8"))
    assert commands == ["./caviar run experiments/digits.py", "./caviar test"]


def test_the_first_command_makes_the_environment_and_finds_a_winner(machine):
    ran = machine.type(readme_commands((ROOT / "README.md").read_text("utf-8"))[0])
    assert ran.returncode == 0, ran.stderr
    assert "fetching uv with pip" in ran.stderr
    assert "making the environment" in ran.stderr
    assert "damaged" not in ran.stderr, "it was made twice"
    assert not (machine.clone / ".venv/bin/pytest").exists(), "the first command installs no tools for tests"
    assert git("status", "--porcelain", at=machine.clone) == "", "what a run leaves behind is ignored by git"


@pytest.mark.nightly
def test_the_second_command_passes(machine):
    if (known := ROOT / ".mypy_cache").is_dir():
        shutil.copytree(known, machine.home / "mypy", dirs_exist_ok=True)
    ran = machine.type(readme_commands((ROOT / "README.md").read_text("utf-8"))[1], CAVIAR_QUICK="1")
    assert ran.returncode == 0, ran.stdout[-10_000:] + ran.stderr[-10_000:]
    assert len(re.findall(r"^\d+ passed", ran.stdout, flags=re.MULTILINE)) == 1, "clones within clones, or no tests"
    assert git("status", "--porcelain", at=machine.clone) == "", "what the gate leaves behind is ignored by git"
