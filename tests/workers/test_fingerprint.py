"""What a process tells of itself: the libraries that it imported, its processor; and nothing of its user."""

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from caviar_workers import fingerprint as prints
from caviar_workers.distributions import imported_distributions, installed_versions
from caviar_workers.fingerprint import due, fingerprint, this_machine


def test_what_was_imported_is_named_with_the_version_that_its_metadata_has() -> None:
    found = imported_distributions()
    assert found["numpy"] == np.__version__
    assert {name: importlib.metadata.version(name) for name in found} == found
    assert set(found) <= set(installed_versions())


def test_what_was_not_imported_is_not_named_and_what_is_called_otherwise_is() -> None:
    program = (
        "import sys\n"
        "from caviar_workers.distributions import imported_distributions as found\n"
        "before = found()\n"
        "import yaml, sklearn\n"
        "print(sorted(set(found()) - set(before)))\n"
        "print('duckdb' in found() or 'ray' in found())"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    names, more = told.splitlines()
    assert "'pyyaml'" in names
    assert "'scikit-learn'" in names
    assert more == "False"


def test_packages_within_a_namespace_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "there"):
        package = tmp_path / "shared_ns" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        info = tmp_path / f"Shared.NS_{name}-1.0+local.dist-info"
        info.mkdir()
        (info / "RECORD").write_text(f"shared_ns/{name}/__init__.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("shared_ns.here")
    found = imported_distributions()
    assert found["shared-ns-here"] == "1.0+local"
    assert "shared-ns-there" not in found


def test_a_machine_has_a_processor_and_libraries_for_linear_algebra() -> None:
    found = this_machine(gpus=False)
    assert found.python.startswith("3.")
    assert found.cores == os.cpu_count()
    assert any(" on " in one for one in found.blas)
    assert (found.gpus, found.driver, found.cuda) == ((), "", ""), "none was asked for"


def test_nothing_of_the_user_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "sk-very-secret")
    text = json.dumps(asdict(fingerprint(gpus=True)))
    assert "sk-very-secret" not in text
    assert str(Path.home()) + "/" not in text
    assert sys.prefix not in text


def test_a_machine_that_does_not_answer_gives_a_fingerprint_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    for name in ("imported_distributions", "threadpool_info", "_cpu", "_nvidia", "_loaded_cuda", "_of_torch"):
        monkeypatch.setattr(prints, name, broken)
    found = fingerprint(gpus=True)
    assert (found.distributions, found.machine.blas, found.machine.cpu) == ({}, (), "")


def test_a_process_tells_it_once_for_each_sweep() -> None:
    assert due("told once", "a", gpus=False)
    assert not due("told once", "a", gpus=False)
    assert due("told twice", "a", gpus=False)
    assert due("told once", "b", gpus=False)
