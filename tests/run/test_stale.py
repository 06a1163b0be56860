"""What has changed since a winner was trained: its file, libraries, the machine; and when it was looked at."""

import getpass
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.retest import retest_sweep
from caviar.run.stale import StaleWinner, stale_document
from caviar.store import Store
from caviar.store.fingerprints import fingerprints

FILE = """
import helper
from caviar import Float, Sweep

def train(config, trial):
    return config["lr"] * helper.FACTOR

sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=4)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "helper.py").write_text("FACTOR = 2\n")
    path = tmp_path / "old.py"
    path.write_text(FILE)
    return path


@pytest.fixture
def trained(inline: None, store: Path, file: Path) -> Store:
    load(str(file)).run(store=store, progress=SilentProgress(sys.stderr))
    return Store.open(store)


def winner(store: Store, **given: Any) -> StaleWinner:
    said: list[str] = []
    since = given.pop("since", datetime.now(UTC) - timedelta(days=90))
    (found,) = stale_document(store, store.readable(), since, said.append).winners
    assert said == []
    return found


def test_what_has_not_changed_says_so_and_what_cannot_be_known_too(trained: Store) -> None:
    found = winner(trained)
    assert (found.code, found.changed, found.stale) == ("same", (), False)
    assert found.unknown == ("data: the sweep has no data function",)
    assert found.days < 1
    assert winner(trained, since=datetime.now(UTC)).stale


@pytest.mark.parametrize("name", ["old.py", "helper.py"])
def test_another_text_of_the_file_or_of_what_it_imports_is_a_change(trained: Store, file: Path, name: str) -> None:
    with (file.parent / name).open("a") as text:
        text.write("# a word\n")
    assert winner(trained).code == "changed"


def test_a_file_that_is_broken_has_changed_and_of_one_that_is_gone_nothing_is_known(trained: Store, file: Path) -> None:
    file.write_text("def train(")
    assert winner(trained).code == "changed"
    file.unlink()
    found = winner(trained)
    assert found.code == "unknown"
    assert found.unknown[0] == "code: its file is not here"


def test_what_a_library_and_the_processor_were_is_compared_with_this_machine(trained: Store) -> None:
    sweep = trained.readable()[0]
    (kept,) = fingerprints(sweep)
    other = replace(kept, distributions={"numpy": "1.0", "no-such": "2"}, machine=replace(kept.machine, cpu="80486"))
    (sweep.path / "_fingerprints" / "000000.json").write_text(json.dumps(asdict(other)))
    found = winner(trained).changed
    assert found[0].startswith("numpy 1.0 → ")
    assert found[1] == "no-such 2 is gone"
    assert found[2].startswith("CPU 80486 → ")
    assert len(found) == 3


def test_of_several_machines_the_one_counts_that_is_most_like_this_one(trained: Store) -> None:
    sweep = trained.readable()[0]
    (kept,) = fingerprints(sweep)
    other = replace(kept, host="far away", machine=replace(kept.machine, cpu="80486"))
    (sweep.path / "_fingerprints" / "000001.json").write_text(json.dumps(asdict(other)))
    assert winner(trained).changed == ()


def test_paths_that_somebody_else_wrote_down_are_not_looked_at(trained: Store, file: Path) -> None:
    path = trained.readable()[0].path / "sweep.json"
    said = json.loads(path.read_text())
    said["provenance"]["user"] = f"not {getpass.getuser()}"
    path.write_text(json.dumps(said))
    file.write_text("def train(")
    found = winner(trained)
    assert (found.code, found.unknown[0]) == ("unknown", "code: another user's")


def test_a_retest_is_a_look_at_its_sweep_and_picks_the_winner(trained: Store) -> None:
    sweep = trained.readable()[0]
    before = winner(trained)
    retest_sweep(trained, sweep, k=2, repeats=5, address=None, progress=SilentProgress(sys.stderr), command={})
    (after,) = stale_document(trained, [sweep], before.looked + timedelta(microseconds=1), print).winners
    assert not before.retested
    assert (after.sweep, after.retested, after.stale) == (sweep.id, True, False)
    assert after.looked > before.looked
