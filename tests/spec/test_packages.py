"""A file that imports relatively runs as the module of its package, as `python -m` runs it."""

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from caviar.cli.experiment_file import load
from caviar.errors import SpecError
from caviar.run.resumed_code import _present

HOW = {
    "from the folder above": "from ..helper import value",
    "a module of the folder above": "from .. import helper\nvalue = helper.value",
    "from the folder": "from .beside import value",
    "late": "def value():\n    from ..helper import value\n    return value()",
    "of its own package by name": "from . import beside\nimport pkg.helper\nvalue = pkg.helper.value",
}
SCRIPT = {  # what runs as a file by itself, although its folders are a package
    "absolutely": "from beside import value",
    "if it can": "try:\n    from .beside import value\nexcept ImportError:\n    from beside import value",
    "if it is one": "if __package__:\n    from .beside import value\nelse:\n    from beside import value",
}


def experiment(folder: Path, body: str, name: str = "pkg/sub/exp.py") -> Path:
    (folder / "pkg/sub").mkdir(parents=True)
    for package in ("pkg", "pkg/sub"):
        (folder / package / "__init__.py").touch()
    (folder / "pkg/helper.py").write_text("def value(): return 7\n")
    (folder / "pkg/sub/beside.py").write_text("def value(): return 7\n")
    source = (
        "from caviar import Sweep\n"
        + body
        + textwrap.dedent("""
        def train(config, trial): return value()
        sweep = Sweep(train, space={"x": [1, 2]}, metric="m")
    """)
    )
    (folder / name).write_text(source)
    return folder / name


def in_a_worker(program: object) -> str:
    code = "import pickle, sys; from caviar_workers.load import load_function; p = pickle.load(sys.stdin.buffer)\n"
    code += "print(load_function(p, p.train)({}, None))"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(program), capture_output=True, check=False, cwd="/"
    )
    return done.stdout.decode().strip() or done.stderr.decode()


@pytest.mark.parametrize("how", [*HOW, *SCRIPT])
def test_it_runs_in_the_driver_in_workers_and_when_it_is_resumed(tmp_path: Path, how: str) -> None:
    path = experiment(tmp_path, (HOW | SCRIPT)[how])

    program = load(str(path)).program

    assert program.module == ("pkg.sub.exp" if how in HOW else "_experiment_exp")
    present = _present(program, path, force=True)
    assert present is not None
    assert present.digest == program.digest
    for file in tmp_path.rglob("*.py"):
        file.write_text("raise RuntimeError('edited')")
    assert in_a_worker(program) == "7"


def test_a_package_itself_is_one(tmp_path: Path) -> None:
    path = experiment(tmp_path, "from ..helper import value", "pkg/sub/__init__.py")

    program = load(str(path)).program

    assert program.module == "pkg.sub"
    present = _present(program, path, force=True)
    assert present is not None
    assert present.digest == program.digest


@pytest.mark.parametrize("gone", ["pkg/sub/__init__.py", "pkg/__init__.py"])
def test_folders_that_are_no_package_are_told(tmp_path: Path, gone: str) -> None:
    path = experiment(tmp_path, "from ..helper import value")
    (tmp_path / gone).unlink()

    with pytest.raises(SpecError, match=r"relative import .*__init__\.py, or type python -m PACKAGE\.exp"):
        load(str(path))


def test_no_package_is_called_as_ours_is(tmp_path: Path) -> None:
    experiment(tmp_path, "from .helper import value", "pkg/exp.py")
    (tmp_path / "pkg").rename(tmp_path / "caviar")

    with pytest.raises(SpecError, match="relative import"):
        load(str(tmp_path / "caviar/exp.py"))
