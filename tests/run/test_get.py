"""The winner's model out of the store: the bytes that train saved."""

import json
import tarfile
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import NotFoundError
from caviar.store import Store
from caviar.store.layout import CHECKPOINTS

from .conftest import Caviar, Write

EXPERIMENT = """
    import random

    from caviar import Float, Sweep

    LOSSES = [0.5, 0.2, 0.1, 0.3, 0.4]


    def train(config, trial, save=True):
        noise = random.Random(trial.seed).random()
        for epoch, loss in enumerate(LOSSES):
            trial.report(epoch, loss=loss + config["x"] + noise)
            if save:
                trial.save(epoch, f"x={config['x']!r} epoch {epoch}".encode())


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=6, seed=3)
"""


@pytest.fixture
def swept(inline: None, caviar: Caviar, write: Write, store: Path) -> Result:
    assert caviar("run", write(EXPERIMENT), "-q").code == 0
    return Result(store)


def test_the_bytes_are_those_that_were_saved(swept: Result, caviar: Caviar, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    best = swept.best
    got = caviar("get", "-o", file)
    assert got.code == 0, got.err
    assert file.read_bytes() == f"x={best.config['x']!r} epoch 4".encode()
    assert f"wrote {file}: t{best.trial} of {swept.id} at step 4, loss " in got.err
    assert got.out == ""
    found = json.loads(caviar("get", str(best.trial), "-o", file, "--force", "--best", "--json").out)
    assert file.read_bytes() == f"x={best.config['x']!r} epoch 2".encode(), "the least loss was at epoch 2"
    assert (found["step"], found["steps"], found["file"]) == (2, [2, 3, 4], str(file))
    assert found["value"] == pytest.approx(best.value - 0.3)
    assert caviar("get", swept.id, "t5", "--step", "3", "-o", file, "--force").code == 0
    assert file.read_bytes().endswith(b"epoch 3")
    assert best.checkpoint().data.endswith(b"epoch 4")
    assert best.checkpoint(file) == best.checkpoint()
    assert file.read_bytes() == f"x={best.config['x']!r} epoch 4".encode()
    assert best == swept.select(1).rows[0]
    assert swept.select(1).rows[0] == best
    assert swept.checkpoint(5).data.endswith(b"epoch 4")
    assert swept.checkpoint(best=True).step == 2
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("model")] == ["model.bin"]


def test_after_a_retest_it_is_its_winners(swept: Result, caviar: Caviar, tmp_path: Path) -> None:
    assert caviar("retest", "-k", "4", "-q").code == 0
    found = swept.retested
    assert found is not None
    assert found.winner is not None
    file = tmp_path / "model.bin"
    assert caviar("get", "-o", file).code == 0
    assert file.read_bytes() == f"x={found.winner.config['x']!r} epoch 4".encode()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("9",), 4, "has no trial 9"),
        (("2", "--step", "0"), 4, "has no checkpoint of step 0: there are some of steps 2, 3, 4"),
        (("2", "--step", "3", "--best"), 2, "give one of them"),
        (("nobody", "2"), 4, "No sweep 'nobody'"),
        (("2", "-o", "/none/x"), 2, "cannot write /none/x"),
        (("a", "b", "c"), 2, "One SWEEP and one TRIAL at a time"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    swept: Result, caviar: Caviar, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    file = tmp_path / "model.bin"
    got = caviar("get", "-o", file, *words)
    assert (got.code, said in got.err, got.err.count("\n")) == (code, True, 1), got.err
    assert not file.exists()


def test_a_damaged_one_is_never_given_out(swept: Result, caviar: Caviar, store: Path, tmp_path: Path) -> None:
    folder = Store.open(store).find(swept.id).path / CHECKPOINTS / "2"
    newest = max(Path(folder).iterdir(), key=lambda path: path.name)
    newest.write_bytes(b"y" + newest.read_bytes()[1:])
    got = caviar("get", "2", "-o", tmp_path / "model.bin")
    assert (got.code, "is damaged or gone: there are some of steps 2, 3, 4" in got.err) == (5, True)
    assert caviar("get", "2", "--step", "3", "-o", tmp_path / "model.bin").code == 0


def test_who_saves_none_is_told_how(inline: None, caviar: Caviar, write: Write, store: Path, tmp_path: Path) -> None:
    assert caviar("run", write(EXPERIMENT), "-q", "--set", "train.save=false").code == 0
    got = caviar("get", "-o", tmp_path / "model.bin")
    assert (got.code, "let train call trial.save(step, data)" in got.err) == (4, True)
    with pytest.raises(NotFoundError, match="has no checkpoint"):
        Result(store).checkpoint()


FOLDERS = """
    from caviar import Float, Sweep


    def train(config, trial):
        folder = trial.path / "model"
        folder.mkdir()
        (folder / "weights").write_text(str(config["x"]))
        trial.report(0, loss=config["x"])
        trial.save(0, folder)


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=3)
"""


@pytest.mark.usefixtures("inline")
def test_a_folder_comes_out_as_one(caviar: Caviar, write: Write, store: Path, tmp_path: Path) -> None:
    assert caviar("run", write(FOLDERS), "-q").code == 0
    best = str(Result(store).best.config["x"])
    assert caviar("get", "-o", tmp_path / "model").code == 0
    assert (tmp_path / "model" / "weights").read_text() == best
    again = caviar("get", "-o", tmp_path / "model")
    assert (again.code, "is there already, and no folder is replaced" in again.err) == (2, True)
    assert caviar("get", "-o", tmp_path / "model.tar").code == 0
    with tarfile.open(tmp_path / "model.tar") as archive:
        assert archive.getnames() == ["caviar-folder", "caviar-folder/weights"]
    Result(store).checkpoint().write(tmp_path / "other")
    assert (tmp_path / "other" / "weights").read_text() == best
