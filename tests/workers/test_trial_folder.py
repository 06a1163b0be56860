"""A folder of an attempt's own, and folders as checkpoints."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from caviar_workers.checkpoint import Checkpoint
from caviar_workers.lease import run_lease
from caviar_workers.messages import Program
from caviar_workers.trial import Trial
from caviar_workers.trial_folder import ROOT, is_folder, pack_folder

from ..leases import ended, make_lease, origin, rows_of


def run(train, **given):
    program = Program(digest="d", train="train", functions={"train": train})
    return list(run_lease(program, make_lease(**given), own_process=False))


def failed(batches) -> str | None:
    return ended(rows_of(batches))[0]["error"]


def as_map(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def model(tmp_path):
    """A folder as libraries save models: files, folders within, an empty one, a program, a link."""
    folder = tmp_path / "model"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "weights.bin").write_bytes(os.urandom(10_000))
    (folder / "deep" / "er" / "naïve 🐟.json").write_text("{}", "utf-8")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "latest").symlink_to("weights.bin")
    return folder


def test_the_folder_of_an_attempt_is_there_when_asked_for_and_gone_at_its_end():
    seen = []

    def train(config, trial):
        assert trial.path == trial.path
        (trial.path / "note").write_text("x")
        seen.append(trial.path)
        trial.report(0, loss=1)
        if trial.number:
            raise ValueError("no")

    run(train, trials=(0, 1), attempts=(0, 0), seeds=(0, 1), configs={"lr": (1, 2)})
    assert len(set(seen)) == 2
    assert not any(one.exists() for one in seen)


def test_who_asks_for_none_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    run(lambda config, trial: trial.report(0, loss=1))
    assert not list(tmp_path.glob("caviar-*"))


def test_it_is_of_the_attempt_alone():
    trial = Trial(sweep="s", number=0, attempt=0, seed=1)
    trial.leave()
    with pytest.raises(RuntimeError, match=r"trial.path\(\) works until train returns only"):
        _ = trial.path


def test_a_folder_is_saved_and_comes_back(model):
    def saving(config, trial):
        trial.report(0, loss=1)
        trial.save(0, model)
        assert not list(trial.path.iterdir()), "nothing is left of it"

    batches = run(saving)
    assert failed(batches) is None
    (save,) = [save for batch in batches for save in batch.saves]
    assert is_folder(save.data)

    found = {}

    def going_on(config, trial):
        step, data = saved = trial.load()
        found.update(
            step=step, data=data, files=as_map(saved.path), mode=os.stat(saved.path / "run.sh").st_mode & 0o777
        )
        assert saved.path == saved.path
        trial.report(1, loss=1)

    assert failed(run(going_on, attempts=(1,), restore={0: origin(0, save.data)})) is None
    assert (found["step"], found["data"], found["mode"]) == (0, save.data, 0o755)
    assert found["files"] == as_map(model)


def test_what_was_saved_as_bytes_is_a_file():
    found = []

    def train(config, trial):
        found.append(trial.load().path.read_bytes())
        trial.report(1, loss=1)

    assert failed(run(train, attempts=(1,), restore={0: origin(0, b"abc")})) is None
    assert found == [b"abc"]


def test_a_folder_takes_the_place_of_nothing(model, tmp_path):
    pack_folder(model, tmp_path / "a.tar")
    data = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("x")
    with pytest.raises(OSError, match=r"not empty|exists"):
        Checkpoint(0, data).write(tmp_path / "there")
    assert [one.name for one in (tmp_path / "there").iterdir()] == ["mine"]
    assert not list(tmp_path.glob("*.tmp"))


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        root = tarfile.TarInfo(ROOT)
        root.type = tarfile.DIRTYPE
        archive.addfile(root)
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.mode = kind, link, 0o7777
        archive.addfile(member)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        hostile("/tmp/x"),
        hostile("elsewhere"),
        hostile(f"{ROOT}/../../x"),
        hostile(f"{ROOT}/link", tarfile.SYMTYPE, "/etc/passwd"),
        hostile(f"{ROOT}/link", tarfile.LNKTYPE, f"{ROOT}/../x"),
        hostile(f"{ROOT}/pipe", tarfile.FIFOTYPE),
        hostile(f"{ROOT}/disk", tarfile.CHRTYPE),
    ],
)
def test_a_strangers_archive_writes_nowhere_else(data, tmp_path):
    target = tmp_path / "in" / "out"
    target.parent.mkdir()
    assert is_folder(data)
    with pytest.raises(OSError, match="the checkpoint's folder"):
        Checkpoint(0, data).write(target)
    assert not list(tmp_path.rglob("*.*"))
    assert not target.exists()


@pytest.mark.parametrize("data", [b"", b"caviar-folder", b"caviar-folder" + b"x" * 600, hostile("x")[512:]])
def test_other_bytes_are_a_file(data, tmp_path):
    assert not is_folder(data)
    Checkpoint(0, data).write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == data
