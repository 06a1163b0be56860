"""The checkout as these tests see it, and a toy checkout whose uv, Python and tools are stubs."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the wrapper may call. A tool that is missing here would be missing on some user's machine.
TOOLS = ("sh", "cat", "cksum", "date", "mkdir", "mv", "readlink", "rm", "env", "grep")

UV = r"""#!/bin/sh
case $1 in --version) echo "uv ${STUB_UV_VERSION:-0.13.9} (stub)"; exit ;; esac
case $1 in --quiet) shift ;; esac
cat >/dev/null
echo 'uv speaks'
echo "$*" >>"$STUB/uv.log"
env >"$STUB/uv.env"
[ ! -e "$STUB/uv-fails" ] || { echo 'error: uv fails' >&2; exit 2; }
[ ! -e "$STUB/uv-is-killed" ] || kill -9 $$
case $1 in venv) rm -r "$UV_PROJECT_ENVIRONMENT" ;; esac
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
for tool in python caviar ruff lint-imports mypy pytest; do
    cat "$STUB/$tool" >"$UV_PROJECT_ENVIRONMENT/bin/$tool"
done
PATH=$STUB_PATH chmod +x "$UV_PROJECT_ENVIRONMENT/bin/"*
"""

# The first is told apart by -I: is every file of the environment there?
VENV_PYTHON = r"""#!/bin/sh
case $1 in -I) [ ! -e "${0%/bin/python}/damaged" ] ;; *) echo /base/python ;; esac
"""

PYTHON = r"""#!/bin/sh
case "$*" in
"-m pip --version") [ ! -e "$STUB/no-pip" ] ;;
"-m pip install"*)
    cat >/dev/null
    echo 'pip speaks'
    env >"$STUB/pip.env"
    for word; do box=$last; last=$word; done
    [ ! -e "$STUB/pip-fails" ] || exit 1
    mkdir -p "$box/bin" && cat "$STUB/fetched-uv" >"$box/bin/uv" && PATH=$STUB_PATH chmod +x "$box/bin/uv" ;;
"-m venv"*) exit 1 ;;
-c*) echo "${STUB_PROBE-$0}" ;;
*) exit 1 ;;
esac
"""

PROGRAM = r"""#!/bin/sh
env >"$STUB/program.env"
printf '<%s>\n' "$@"
pwd
case ${1:-} in read) cat ;; esac
"""

TOOL = r"""#!/bin/sh
echo "${0##*/} $*" >>"$STUB/tools.log"
pwd >>"$STUB/tools-in.log"
echo "${0##*/} speaks${STUB_SAYS:+ of $*}"
case "${0##*/} $* " in "${STUB_FAILS:-nothing} "*) exit 3 ;; esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A toy checkout in `root`, called with only the stubs and a few tools on PATH."""

    root: Path
    bin: Path
    stub: Path

    def __call__(
        self,
        *args: str,
        at: Path | None = None,
        shell: tuple[str, ...] = (),
        cwd: Path | None = None,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run the wrapper by the path `at` (default: its own)."""
        return subprocess.run(
            [*shell, str(at or self.root / "caviar"), *args],
            cwd=cwd or self.stub,
            env={
                "PATH": str(self.bin),
                "HOME": str(self.stub),
                "STUB": str(self.stub),
                "STUB_PATH": "/usr/bin:/bin",
                **env,
            },
            input="from stdin\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def put(self, name: str, text: str = "") -> Path:
        """Make a file in the stubs' folder."""
        path = self.stub / name
        path.write_text(text, encoding="utf-8")
        return path

    def command(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def log(self, name: str) -> list[str]:
        """The lines of a stub's log, which is emptied."""
        path = self.stub / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def environment(self, name: str) -> dict[str, str]:
        """The environment variables that a stub had."""
        return dict(line.split("=", 1) for line in self.log(name) if "=" in line)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Every file of the checkout that git tracks, or would track: not the ignored ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := root / name).is_file()]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A toy checkout, in a folder with a space in its name, where nothing has been installed yet."""
    clone = Clone(root=tmp_path / "a clone", bin=tmp_path / "bin", stub=tmp_path / "stub")
    for folder in (clone.root, clone.bin, clone.stub):
        folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"{name} is needed on PATH"
        (clone.bin / name).symlink_to(found)
    clone.command("uv", UV)
    clone.command("python3", PYTHON)
    clone.put("fetched-uv", UV)
    clone.put("python", VENV_PYTHON)
    clone.put("caviar", PROGRAM)
    for name in ("ruff", "lint-imports", "mypy", "pytest"):
        clone.put(name, TOOL)
    shutil.copy(ROOT / "caviar", clone.root)
    (clone.root / "uv.lock").write_text("lock 1\n", encoding="utf-8")
    (clone.root / "pyproject.toml").write_text("project 1\n", encoding="utf-8")
    return clone
