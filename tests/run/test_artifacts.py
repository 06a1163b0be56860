"""Files that trials keep: out comes what went in, by its name, which never is a path."""

import json
import os
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import StoreError
from caviar.store import Store
from caviar.store.artifacts import newest_of
from caviar.store.layout import ARTIFACTS
from caviar_workers import artifact
from caviar_workers.artifact import Artifacts, parse_file
from caviar_workers.trial import Trial

from .conftest import Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        picture = trial.path / "confusion.png"
        for epoch in range(3):
            trial.report(epoch, loss=config["x"])
            trial.keep(f"{trial.number} at {epoch}".encode(), "../../etc/notes")
        picture.write_bytes(b"png\\n" * trial.number)
        trial.keep(picture)


    def final(config, trial):
        trial.keep(b"x", "test")
        return {"error": 0.1}


    sweep = Sweep(train, {"x": Float(0.0, 1.0)}, "loss", trials=3, final=final)
"""


@pytest.fixture
def swept(inline: None, caviar: Caviar, write: Write, store: Path) -> Result:
    ran = caviar("run", write(EXPERIMENT), "-q")
    assert ran.code == 0
    assert "final gives to trial.keep() is not kept" in ran.err
    return Result(store)


def test_a_file_comes_out_as_it_went_in(swept: Result, caviar: Caviar, store: Path, tmp_path: Path) -> None:
    assert swept.artifact("confusion.png", 2) == b"png\n" * 2
    assert swept.artifact("../../etc/notes", 1) == b"1 at 2", "the newest of its name"
    assert swept.artifact("confusion.png") == b"png\n" * swept.best.trial
    file = tmp_path / "picture.png"
    got = caviar("get", "1", "--artifact", "confusion.png", "-o", file)
    assert (got.code, file.read_bytes()) == (0, b"png\n")
    assert got.err == f"wrote {file}: confusion.png of t1 of {swept.id}, 4 bytes\n"
    found = json.loads(caviar("show", "2", "--json").out)
    assert found["artifacts"] == {"../../etc/notes": 6, "confusion.png": 8}
    assert "../../etc/notes  6 bytes" in caviar("show", "2").out
    files = [path.relative_to(store).parts for path in store.rglob("*") if path.is_file() and ARTIFACTS in path.parts]
    assert len(files) == 12
    assert all(parse_file(parts[-1]) and "etc" not in parts for parts in files)
    assert '"artifacts"' in caviar("store", "info", "--json").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("1", "--artifact", "confusion.pgn"), "has kept no 'confusion.pgn'; did you mean 'confusion.png'"),
        (("1", "--artifact", "x", "--best"), "leave them out"),
        (("9", "--artifact", "x"), "has no trial 9"),
    ],
)
def test_what_is_not_there_is_a_sentence(swept: Result, caviar: Caviar, words: tuple[str, ...], said: str) -> None:
    got = caviar("get", *words, "-o", "x")
    assert (got.code != 0, said in got.err, got.err.count("\n")) == (True, True, 1), got.err


def test_a_view_tells_of_all_that_was_kept(swept: Result, caviar: Caviar) -> None:
    rows = "select trial, attempt, number, name, step, bytes from artifacts where trial = 1 order by number"
    asked = [tuple(row.values()) for row in json.loads(caviar("query", rows, "--json").out)]
    assert asked == [(1, 0, n, "../../etc/notes", n, 6) for n in range(3)] + [(1, 0, 3, "confusion.png", 2, 4)]
    assert swept.sql("SELECT count(*), count(checksum), count(time) FROM artifacts").fetchall() == [(12, 12, 12)]


def test_a_damaged_one_is_never_given_out(swept: Result, caviar: Caviar, store: Path, tmp_path: Path) -> None:
    sweep = Store.open(store).find()
    (row,) = swept.sql("SELECT * FROM artifacts WHERE trial = 1 AND name = 'confusion.png'").df().to_dict("records")
    path = Path(newest_of(sweep, [row])["confusion.png"].path)
    whole = path.read_bytes()
    for damaged in (whole[:-1] + b"x", whole[:-1], whole + b"x", b""):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"'confusion\.png' is damaged"):
            swept.artifact("confusion.png", 1)
    got = caviar("get", "1", "--artifact", "confusion.png", "-o", tmp_path / "got")
    assert (got.code, list(tmp_path.glob("got*"))) == (5, [])
    checked = caviar("store", "check")
    assert (checked.code, path.name in checked.out + checked.err) == (5, True)
    path.unlink()
    with pytest.raises(StoreError, match="is not in the store"):
        swept.artifact("confusion.png", 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "a\nb"},
        {"name": None},
        {"checksum": "../../../x"},
        {"checksum": None},
        {"attempt": -1},
        {"number": None},
        {"bytes": -1},
    ],
)
def test_what_nobody_can_have_written_is_passed_over(swept: Result, store: Path, odd: dict[str, object]) -> None:
    sweep = Store.open(store).find()
    row = {"trial": 0, "attempt": 0, "number": 3, "name": "x", "bytes": 1, "checksum": "01234567"}
    assert set(newest_of(sweep, [row])) == {"x"}
    assert newest_of(sweep, [row | odd]) == {}


def made(keeping: Artifacts, source: object, name: str | None, *, carried: bool = True) -> artifact.Artifact:
    return keeping.make(source, name, step=None, time=0.0, carried=carried)


def test_what_may_not_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "MOST_BYTES", 8)
    monkeypatch.setattr(artifact, "MOST_OF_A_TRIAL", 20)
    monkeypatch.setattr(artifact, "MOST", 5)
    keeping = Artifacts(0, 0)
    with pytest.raises(TypeError, match="bytes have no name"):
        made(keeping, b"x", None)
    with pytest.raises(TypeError, match="bytes or the path of a file, but keep"):
        made(keeping, 3, "x")
    for name in ("", "a\nb", "x" * 129):
        with pytest.raises(ValueError, match="printable characters"):
            made(keeping, b"x", name)
    with pytest.raises(ValueError, match="does not see the store"):
        made(keeping, b"x" * 9, "x")
    with pytest.raises(FileNotFoundError):
        made(keeping, tmp_path / "none", None)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ValueError, match="an artifact is a file"):
            made(keeping, path, "x")
    assert made(keeping, b"12345678", "x").carried(b"12345678").file == "0/0000-0000-9ae0daaf.artifact"
    assert made(keeping, b"12345678", "x").number == 1
    with pytest.raises(ValueError, match="travels with the reports"):
        made(keeping, b"12345", "x")
    assert [made(keeping, b"x" * 100, "x", carried=False).number for _ in range(3)] == [2, 3, 4]
    with pytest.raises(ValueError, match="an attempt keeps up to 5 files"):
        made(keeping, b"", "x")


def test_a_trial_that_has_ended_keeps_nothing() -> None:
    trial = Trial(sweep="s", number=0, attempt=0, seed=0)
    trial.leave()
    with pytest.raises(RuntimeError, match=r"trial.keep\(\) works until train returns only"):
        trial.keep(b"x", "x")
