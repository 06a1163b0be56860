"""What a user is told to type for a package that is missing, by where Caviar lives."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from caviar.errors import missing, to_install


def environment(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder / ".venv"


@pytest.mark.parametrize(
    ("at", "typed"),
    [(".", "./caviar add torch"), ("experiments", "{root}/caviar add torch"), ("..", "'a checkout/caviar' add torch")],
)
def test_in_a_checkout_it_is_the_script_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, typed: str) -> None:
    root = tmp_path / "a checkout"
    prefix = environment(root, "caviar", ".venv/caviar-stamp", "experiments/x.py")
    monkeypatch.chdir(root / at)

    assert to_install("torch", prefix=prefix).replace(f"'{root}/caviar'", f"{root}/caviar") == typed.format(root=root)


@pytest.mark.parametrize(
    ("file", "typed"),
    [
        ("uv-receipt.toml", "uv tool install caviar-sweep --with torch --with cmaes"),
        ("pipx_metadata.json", "pipx inject caviar-sweep torch cmaes"),
    ],
)
def test_a_tool_s_own_environment_is_its_tool_s(tmp_path: Path, file: str, typed: str) -> None:
    assert to_install("torch", "cmaes", prefix=environment(tmp_path, f".venv/{file}")) == typed


def test_elsewhere_it_is_pip_of_the_environment_whose_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = environment(tmp_path, ".venv/pyvenv.cfg", "caviar")  # a file called so, but no checkout's environment
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)

    assert to_install("x>=2", prefix=prefix) == f"{prefix}/bin/python -m pip install 'x>=2'"
    monkeypatch.setenv("VIRTUAL_ENV", str(prefix))
    assert to_install("torch", prefix=prefix) == "pip install torch"


def test_where_there_is_no_pip_it_is_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr("caviar.errors.find_spec", lambda _name: None)

    assert to_install("torch") == f"uv pip install --python {shlex.quote(sys.executable)} torch"


@pytest.mark.parametrize(("module", "package"), [("no_such", "no_such"), ("no_such.part", "no_such")])
def test_a_missing_module_comes_with_its_package(module: str, package: str) -> None:
    assert missing(f"ModuleNotFoundError: No module named '{module}'") == (
        f"; if that is a package, type: {to_install(package)}"
    )


def test_a_module_may_be_called_otherwise_than_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caviar.errors.find_spec", lambda _name: None)

    assert missing("No module named 'cv2'").endswith(" opencv-python")
    assert missing("No module named 'sklearn.svm'").endswith(" scikit-learn")


@pytest.mark.parametrize("module", ["caviar.nothing", "numpy.nothing", "tkinter", ""])
def test_nothing_is_said_of_parts_of_what_is_there(module: str) -> None:
    assert missing(f"No module named '{module}'") == ""


def test_nothing_is_said_of_other_errors() -> None:
    assert missing("cannot import name 'x' from 'numpy'") == ""
