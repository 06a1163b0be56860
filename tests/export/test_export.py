"""What any export keeps to: tables are escaped, what is there stays, and what is missing is told."""

import csv
import json
from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.main import main
from caviar.cli.verb_export import TOOLS
from caviar.errors import SpecError
from caviar.export import export as exports
from caviar.export.exported import Exported

from ..small_stores import DIVERGED, FAILED
from .conftest import EDITED, RUNNING


def test_the_verb_knows_all_tools() -> None:
    assert set(TOOLS) == set(exports.TOOLS)


def test_csv_has_every_trial_and_no_formula(swept: Result, tmp_path: Path) -> None:
    assert swept.export("csv", tmp_path / "t.csv").trials == 8
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == [str(trial) for trial in range(8)]
    assert {row["act"] for row in rows} == {"'=tanh", "relu"}, "a spreadsheet would run =tanh"
    assert (rows[FAILED]["state"], rows[RUNNING]["state"]) == ("FAILED", "LOST")
    assert rows[FAILED]["error"].startswith("Traceback")
    assert (rows[DIVERGED]["last_val_loss"], rows[0]["error"]) == ("nan", "")
    assert float(rows[2]["beta"]) == swept.best.config["beta"]


def test_what_was_edited_is_told(swept: Result, tmp_path: Path) -> None:
    with swept._opened() as opened:
        notes = {trial.number: trial.notes.get("caviar.edited") for trial in Exported(opened).trials()}
    assert [trial for trial, edited in notes.items() if edited] == [EDITED]
    assert swept.export("csv", tmp_path / "t.csv").edited == 1


@pytest.mark.parametrize(("form", "name"), [("latex", r"val\_loss"), ("markdown", r"val\_loss")])
def test_a_papers_table_begins_with_the_best(swept: Result, tmp_path: Path, form: str, name: str) -> None:
    swept.export(form, tmp_path / "t")
    text = (tmp_path / "t").read_text()
    lines = [line for line in text.splitlines() if "COMPLETED" in line or "FAILED" in line]
    edited = [line.lstrip("| ").split(maxsplit=1)[0] for line in lines if "COMPLETED, edited" in line]
    assert edited == [str(EDITED)], "its values did not come of this configuration"
    assert name in text
    assert lines[0].lstrip("| ").startswith("2 ")
    cells = [cell.strip(" |\\") for cell in lines[-2].replace("&", "|").strip("|").split("|")]
    assert (cells[0], cells[-2], cells[-1]) == (str(FAILED), "", "FAILED")


@pytest.mark.parametrize(
    ("to", "where", "said"),
    [
        ("optuna", "study", "goes to a file of SQLite"),
        ("optuna", "taken.db", "is there already"),
        ("optuna", "none/study.db", "cannot write"),
        ("csv", "none/t.csv", "cannot write"),
        ("csv", "taken.db", "add --force to replace it"),
        ("csv", "", "is there already, and no folder is replaced"),
        ("markdown", "a\0b", "holds no NUL"),
        ("optuna", "a\0.db", "holds no NUL"),
        ("excel", "t.xlsx", "no export to 'excel'"),
    ],
)
def test_a_place_that_does_not_suit_is_told(swept: Result, tmp_path: Path, to: str, where: str, said: str) -> None:
    (tmp_path / "taken.db").write_text("mine")
    with pytest.raises(SpecError, match=said):
        swept.export(to, tmp_path / where)
    assert [one.name for one in tmp_path.iterdir()] == ["taken.db"]
    assert (tmp_path / "taken.db").read_text() == "mine"


@pytest.mark.parametrize("tool", ["tensorboard", "mlflow", "wandb"])
def test_a_tool_that_is_missing_is_told_with_what_to_type(
    swept: Result, tmp_path: Path, tool: str, monkeypatch
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda _: None)
    with pytest.raises(SpecError, match=rf"needs {tool}, which is not installed: type .*{tool}"):
        swept.export(tool, tmp_path / "x.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["csv", "optuna"])
def test_what_is_there_is_replaced_by_force_only(swept: Result, tmp_path: Path, to: str) -> None:
    file, folder = tmp_path / "t.db", tmp_path / "f.db"
    file.write_text("mine")
    folder.mkdir()
    swept.export(to, file, force=True)
    assert b"mine" not in file.read_bytes()[:10]
    with pytest.raises(SpecError, match="name another place"):
        swept.export(to, folder, force=True)
    swept.export("csv", "/dev/null")


def test_what_ends_halfway_leaves_nothing(swept: Result, tmp_path: Path, monkeypatch) -> None:
    def half(_: object, folder: str) -> int:
        (Path(folder) / "t0").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "_need", lambda _: None)
    monkeypatch.setattr(exports.to_tensorboard, "write", half)
    with pytest.raises(KeyboardInterrupt):
        swept.export("tensorboard", tmp_path / "tb")
    assert list(tmp_path.iterdir()) == []


def test_the_verb(swept: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "t.md")
    words = ["export", "--store", str(swept._store.path), "--to", "markdown", "-o", file]
    for asked in ([*words, "--json"], [*words, "--force"]):
        with pytest.raises(SystemExit) as end:
            main(asked)
        assert not end.value.code
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "sweep": swept.id,
        "to": "markdown",
        "file": file,
        "trials": 8,
        "edited": 1,
        "left_out": {},
    }
    edited = "1 trial edited while training, or forked: their configuration is the one that they began with"
    assert err == f"wrote {file}: 8 trials of {swept.id} for markdown\n{edited}\n"
