"""What a sweep needs travels with it: its folder may be gone, and all its rows are as they would have been."""

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caviar import Result
from caviar.spec.code_archive import unpack
from caviar.store import Store
from caviar_workers.project import in_place

from .conftest import Caviar, Driver, Write, curves, table

EXPERIMENT = """
    import time
    from pathlib import Path

    import helper
    from caviar import Float, Sweep

    HERE = Path(__file__).parent
    ROWS = [float(line) for line in (HERE / "data" / "rows.csv").read_text().split()]


    def possible(config):
        return config["lr"] < 100 * len(ROWS)


    def train(config, trial):
        for step in range(3):
            trial.report(step, loss=config["lr"] * sum(ROWS) + step + helper.OFFSET)
            while trial.number >= 6 and Path("SLOW").exists():
                time.sleep(0.05)


    sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=12, seed=5, constraint=possible, files=FILES)
"""


@pytest.fixture
def experiment(write: Write, tmp_path: Path) -> Path:
    path = write(EXPERIMENT.replace("SLOW", str(tmp_path / "slow")).replace("FILES", "['data/*.csv']"))
    write("OFFSET = 7.0\n", "helper.py")
    (path.parent / "data").mkdir()
    (path.parent / "data" / "rows.csv").write_text("1\n2\n3\n")
    (path.parent / "data" / "unread.bin").write_bytes(b"large")
    return path


def forget_unpacked(store: Path) -> None:
    """Remove what this machine has unpacked, as on another one."""
    sweep = Store.open(store).find()
    program = unpack(sweep.code())
    shutil.rmtree(Path(in_place(program, sweep.project).root).parent)


@pytest.mark.ray
def test_a_sweep_goes_on_elsewhere_when_its_folder_is_gone(
    drive: Callable[..., Driver], experiment: Path, store: Path, caviar: Caviar, tmp_path: Path, monkeypatch
) -> None:
    whole = tmp_path / "whole"
    assert caviar("run", experiment, "-q", at=whole).code == 0
    (tmp_path / "slow").touch()
    driver = drive(experiment)
    driver.wait_for(6)
    driver.signal(signal.SIGKILL)
    driver.process.communicate()
    (tmp_path / "slow").unlink()
    shutil.rmtree(experiment.parent)
    forget_unpacked(store)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)

    again = caviar("resume")

    assert again.code == 0, again.err
    assert curves(Result(store)) == curves(Result(whole))
    assert table(Result(store)) == table(Result(whole))
    assert list(elsewhere.iterdir()) == []


@pytest.mark.ray
def test_a_command_and_its_files_go_on_elsewhere(store: Path, caviar: Caviar, tmp_path: Path, monkeypatch) -> None:
    (code := tmp_path / "code").mkdir()
    (code / "rows.csv").write_text("1\n2\n")
    (code / "tune.py").write_text(
        "import sys\nrows = open('rows.csv').read().split()\nprint(f'step=1 loss={float(sys.argv[1]) * len(rows)}')\n"
    )
    monkeypatch.chdir(code)
    words = ["--metric", "loss", "--space", "lr=0.1..1", "--trials", 4, "--files", "rows.csv"]
    assert caviar("run", *words, "--store", store, "--", sys.executable, "tune.py", "{lr}", at=store).code == 0
    before = curves(Result(store))
    shutil.rmtree(code)
    forget_unpacked(store)
    monkeypatch.chdir(tmp_path)

    assert caviar("resume", "--add", 2).code == 0

    after = curves(Result(store))
    assert len(after) == 6
    assert after[:4] == before


@pytest.mark.usefixtures("inline")
def test_the_project_is_taken_anew_from_where_it_is_now(
    experiment: Path, store: Path, caviar: Caviar, tmp_path: Path
) -> None:
    assert caviar("run", experiment).code == 0
    before = curves(Result(store))
    moved = tmp_path / "moved"
    experiment.parent.rename(moved)
    (moved / "data" / "rows.csv").write_text("10\n20\n30\n")

    refused = caviar("resume", "--add", 1, "--force")
    assert refused.code == 2
    assert "--from DIR" in refused.err
    assert caviar("resume", "--add", 1, "--force", "--from", moved).code == 0
    assert caviar("resume", "--add", 1).code == 0

    rows = curves(Result(store))
    assert rows[: len(before)] == before
    (lr,) = Result(store).sql("SELECT lr FROM trials WHERE trial = 13").fetchone()
    assert rows[-1] == (13, 2, lr * 60 + 2 + 7)
    assert caviar("store", "check").code == 0


@pytest.mark.usefixtures("inline")
def test_a_zoom_takes_the_files_along(experiment: Path, store: Path, caviar: Caviar) -> None:
    assert caviar("run", experiment).code == 0
    shutil.rmtree(experiment.parent)

    assert caviar("zoom", "--trials", 4).code == 0

    parent, child = Store.open(store).sweeps()
    assert child.project() == parent.project()


@pytest.mark.usefixtures("inline")
def test_without_files_only_code_is_kept(experiment: Path, store: Path, caviar: Caviar) -> None:
    experiment.write_text(experiment.read_text().replace("['data/*.csv']", "()"))

    assert caviar("run", experiment).code == 0

    sweep = Store.open(store).find()
    assert not (Path(sweep.path) / "project.zip").exists()
    assert unpack(sweep.code()).files[unpack(sweep.code()).module][0] == str(experiment)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_files_that_are_damaged_are_refused(experiment: Path, store: Path, caviar: Caviar, how: str) -> None:
    assert caviar("run", experiment).code == 0
    path = Path(Store.open(store).find().path) / "project.zip"
    forget_unpacked(store)
    path.unlink() if how == "gone" else path.write_bytes(path.read_bytes()[:-40])

    again = caviar("resume", "--add", 1)

    assert again.code in (2, 5), again.err
    assert "project" in again.err
    assert "Traceback" not in again.err
    assert "project.zip" in caviar("store", "check").out
