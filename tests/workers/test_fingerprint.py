"""What a process tells of itself: the libraries that it imported, its processor; and nothing of its user."""

import importlib.metadata
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from caviar_workers import fingerprint as prints
from caviar_workers.distributions import imported_distributions, installed_versions
from caviar_workers.fingerprint import due, fingerprint, this_machine
from caviar_workers.lease import run_lease
from caviar_workers.messages import Program

from ..leases import make_lease


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


def test_packages_that_are_part_of_ray_are_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ray" / "thirdparty_files"
    (folder / "vendored-9.9.dist-info").mkdir(parents=True)
    (folder / "vendored.py").write_text("")
    monkeypatch.syspath_prepend(str(folder))
    __import__("vendored")
    assert "vendored" not in imported_distributions()


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


def test_it_goes_with_the_first_batch_that_has_a_report_and_with_no_other() -> None:
    def train(config: dict[str, float], trial: Any) -> None:
        for step in range(3):
            time.sleep(0.1)
            trial.report(step, loss=1.0)

    program = Program(digest="once", train="train", functions={"train": train})
    batches = []
    for number in range(2):
        lease = make_lease(trials=(number, 7), flush_s=0.02, sweep="once")
        batches += list(run_lease(program, lease, own_process=False))
    told = [place for place, batch in enumerate(batches) if batch.fingerprint is not None]
    assert told == [next(place for place, batch in enumerate(batches) if batch.curves)]
    assert told > [0], "one that only says that the trial began came before it"


def test_a_process_tells_it_once_for_each_sweep() -> None:
    assert due("told once", "a", gpus=False)
    assert not due("told once", "a", gpus=False)
    assert due("told twice", "a", gpus=False)
    assert due("told once", "b", gpus=False)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024", "550.54.15"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build", "560.35.03"),
        ("something else", ""),
    ],
)
def test_gpus_are_read_where_the_driver_shows_them(tmp_path: Path, line: str, version: str) -> None:
    (tmp_path / "version").write_text(f"{line}\nGCC version:  gcc version 12.3.0\n")
    for number, model in enumerate(["NVIDIA H200", "NVIDIA A10"]):
        folder = tmp_path / "gpus" / f"0000:0{number}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 77\nGPU UUID: \t GPU-1234\n")
    assert prints._nvidia(tmp_path) == (version, ("NVIDIA H200", "NVIDIA A10"))


def test_cuda_and_cudnn_are_read_from_the_names_of_loaded_libraries(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text("7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/libcudart.so.12.4.127\n7f02 r-xp /x/libcudnn.so.9\n")
    assert prints._loaded_cuda(maps) == ("12.4.127", "9")
    maps.write_text("")
    assert prints._loaded_cuda(maps) == ("", "")


def test_torch_is_asked_where_it_computes_on_gpus_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    used = [True]
    cuda = SimpleNamespace(
        is_initialized=lambda: used[0], device_count=lambda: 2, get_device_name=lambda one: f"GPU {one}"
    )
    cudnn = SimpleNamespace(version=lambda: 90300)
    torch = ModuleType("torch")
    torch.__dict__.update(
        cuda=cuda, version=SimpleNamespace(cuda="12.6"), backends=SimpleNamespace(cudnn=cudnn), __file__="torch"
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    found = this_machine(gpus=True)
    assert (found.gpus, found.cuda, found.cudnn) == (("GPU 0", "GPU 1"), "12.6", "90300")
    used[0] = False
    assert this_machine(gpus=True).cuda != "12.6"
    assert this_machine(gpus=False).gpus == ()
