"""`caviar import`: a table becomes a finished sweep, which is read as any other and never run."""

import hashlib
import json

import numpy as np
import pytest

from caviar import Result
from caviar.results.next_sweep import zoom_into
from caviar.run import import_sweep
from caviar.space import Choice, Float, Int
from caviar.store import Store

ROWS = 40


def write_csv(path, rows=ROWS):
    """lr, units, opt and, of sgd only, momentum; the loss is least at lr = 1e-2."""
    rng = np.random.default_rng(0)
    lines = ["run,epoch,lr,units,opt,momentum,loss,acc"]
    for trial in range(rows):
        lr, units, sgd = float(10 ** rng.uniform(-4, 0)), rng.integers(8, 200), trial % 2
        momentum = f"{rng.uniform(0, 1):.6f}" if sgd else ""
        for epoch in range(1, 4):
            loss = "nan" if trial == 5 and epoch == 3 else repr(float(abs(np.log10(lr) + 2) + 1 / epoch))
            lines.append(f"r{trial},{epoch},{lr!r},{units},{'sgd' if sgd else 'adam'},{momentum},{loss},{1 - lr}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("table") / "my runs.csv")


@pytest.fixture
def store(caviar, table, tmp_path):
    """A store with the table imported, and what was said of it."""
    path = str(tmp_path / "store")
    got = caviar(
        "import", table, "--params", "lr,units,opt,momentum", "--metric", "loss", "--store", path, "--tag", "x"
    )
    assert got.code == 0, got.err
    return path, got


def test_what_was_found_out_is_said(store):
    path, got = store
    sweep = Store.open(path).find().id
    assert got.lines == [f"my runs ({sweep}): 40 trials, 120 reports: 40 completed, 1 diverged"]
    assert got.err.splitlines()[:-1] == [
        "table: trials by the column run, steps by the column epoch, seeds not known",
        "metric loss: min; also acc",
        "parameter lr: log 0.0001 to 1 (inferred)",
        "parameter units: 9 to 199 (inferred)",
        "parameter opt: one of adam, sgd (inferred)",
        "parameter momentum: 0 to 1 (inferred), only when {'opt': 'sgd'}",
    ]
    assert got.err.splitlines()[-1].startswith("next: caviar best")


def test_it_is_read_as_any_sweep(caviar, store, table):
    path, _ = store
    best = json.loads(caviar("best", "--json", "--store", path).out)
    winner = best["trials"][0]
    assert best["rule"] == "last loss, 39 completed trials at step 3"
    assert (winner["seed"], winner["state"]) == (None, "COMPLETED")
    assert abs(np.log10(winner["config"]["lr"]) + 2) < 0.2
    assert f"# config of t{winner['trial']}\n" in caviar("best", "--store", path).out
    said = caviar("logs", str(winner["trial"]), "--store", path).out
    assert said == f"my runs.csv: r{winner['trial']}\n"
    assert "seed" not in caviar("show", "3", "--store", path).out
    result = Result(path)
    assert isinstance(result.space["units"], Int)
    assert result.space["opt"] == Choice(["adam", "sgd"])
    assert len(result.curves()) == 120
    frame = result.trials()
    points = np.array(frame["u"].tolist())
    assert np.allclose(result.space.arrays(points)["lr"], frame["lr"], rtol=1e-12)
    assert np.array_equal(result.space.active(points)["momentum"], frame["momentum"].notna())
    assert caviar("store", "check", "--store", path).code == 0
    for verb in ("status", "ls", "curves", "simulate", "understand", "next", "stale"):
        assert caviar(verb, "--store", path).code == 0, verb


def test_it_cannot_go_stale(caviar, store):
    path, _ = store
    got = caviar("stale", "--store", path)
    assert "imported from my runs.csv, it has no code that could have changed since" in got.err


def test_its_origin_is_known(caviar, store, table):
    path, _ = store
    with open(table, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    status = json.loads(caviar("status", "--json", "--store", path).out)
    assert status["imported"] == {"file": "my runs.csv", "sha256": digest, "tool": "", "repeated": False}
    assert f"imported  from my runs.csv, sha256 {digest[:16]}" in caviar("status", "--store", path).out
    assert json.loads(caviar("ls", "--json", "--store", path).out)["sweeps"][0]["imported"] == "my runs.csv"
    assert "my runs.csv" in caviar("ls", "--store", path).out
    kept = Store.open(path).find().description()
    assert kept["provenance"]["imported"]["mapping"]["parameters"]["lr"] == "lr"
    assert kept["plan"]["tags"] == ["x"]


@pytest.mark.parametrize("verb", [["resume"], ["resume", "--add", "3"], ["resume", "--force"], ["zoom"], ["retest"]])
def test_it_has_no_code_to_run(caviar, store, verb):
    path, _ = store
    got = caviar(*verb, "--store", path)
    assert got.code == 2
    assert "was imported from my runs.csv and has no code to run" in got.err
    assert len(Store.open(path).sweeps()) == 1
    assert not Store.open(path).find().owner_alive()


def test_it_can_be_zoomed_into_on_paper(caviar, store):
    path, _ = store
    opened = Store.open(path)
    lr = zoom_into(opened, opened.find()).space["lr"]
    assert isinstance(lr, Float)
    assert lr.low < 1e-2 < lr.high
    assert caviar("zoom", "--dry-run", "--store", path).code == 0


def test_ranges_that_are_given_hold(caviar, table, tmp_path):
    args = ("import", table, "--params", "lr,units", "--metric", "loss", "--store", str(tmp_path / "s"), "--json")
    got = json.loads(caviar(*args, "--space", "lr=log:1e-6..10", "--space", "units=1..512", "--mode", "max").out)
    assert (got["parameters"]["lr"]["low"], got["parameters"]["units"]["high"], got["mode"]) == (1e-6, 512, "max")
    for words in ("lr=1..2", "unit=1..2", "lr", "lr=x..y", "units=16,32"):
        assert caviar(*args, "--space", words).code == 2


def test_a_dry_run_stores_nothing(caviar, table, tmp_path):
    got = caviar("import", table, "--params", "lr", "--metric", "loss", "--dry-run", "--store", str(tmp_path / "store"))
    assert (got.code, got.err.splitlines()[-1]) == (0, "nothing was stored (--dry-run)")
    assert not (tmp_path / "store").exists()


def test_what_fails_half_way_leaves_nothing(caviar, table, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(import_sweep, "write_final", fail)
    path = str(tmp_path / "store")
    assert caviar("import", table, "--params", "lr", "--metric", "loss", "--store", path).code != 0
    assert Store.open(path).sweeps() == []


def test_a_trial_without_a_value_failed(caviar, tmp_path):
    (tmp_path / "a.csv").write_text("lr,loss,status\n0.1,1,ok\n0.2,,ok\n0.3,3,FAILED\n0.4,4,killed\n0.5,,running\n")
    path = str(tmp_path / "store")
    args = ("import", str(tmp_path / "a.csv"), "--params", "lr", "--metric", "loss", "--store", path, "--json")
    got = json.loads(caviar(*args).out)
    assert got["states"] == {"COMPLETED": 1, "STOPPED": 1, "FAILED": 2, "CANCELLED": 1}
    shown = json.loads(caviar("status", "--json", "--store", path).out)
    assert [(one["kind"], one["error"]) for one in sorted(shown["failures"], key=lambda one: one["first_trial"])] == [
        ("metric", "the table has no value of loss for this trial"),
        ("error", "the table says that it failed"),
    ]


@pytest.mark.parametrize("name", ["'", '"', "a b", "=1+1", "select", "🐟", "a\x1b[31m", "x" * 200, "\u202eexe"])
def test_odd_names_are_stored_or_refused(caviar, tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    (tmp_path / "a.csv").write_text(
        f"{quoted},loss,other {quoted[1:-1]}\n1,2,3\n2,3,4\n" if '"' not in name else f"{quoted},loss\n1,2\n2,3\n"
    )
    path = str(tmp_path / "store")
    got = caviar("import", str(tmp_path / "a.csv"), "--params", name, "--metric", "loss", "--store", path)
    assert got.code in (0, 2), got.err
    assert "\x1b" not in got.err + got.out
    if got.code == 0:
        for verb in ("best", "status", "ls"):
            assert caviar(verb, "--store", path).code == 0
