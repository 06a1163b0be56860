"""After the end: plain files that any Parquet reader reads right."""

import errno
import math

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from caviar.errors import StoreError
from caviar.store import SweepDir, Views, Writer
from caviar.store.disk import PosixDisk
from caviar.store.finalize import finalize

VIEWS = ("trials", "curves", "attempts", "configs", "logs", "decisions")


def contents(store, sweep):
    with Views(store, [sweep]) as views:
        return {
            view: (
                [c[0] for c in views.execute(f"FROM {view}").description],
                sorted(map(str, views.execute(f"FROM {view}").fetchall())),
            )
            for view in VIEWS
        }


def record(sweep, rows, epoch):
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1], lr=[0.1, 0.2]))
        writer.add("curves", rows.curve(1, [0, 1], loss=[math.nan, -0.0], größe=[None, math.inf]))
        writer.flush()
        writer.add("curves", rows.curve(0, [0, 1, 2], loss=[9.0, 9.0, 9.0]))
        writer.add("attempts", rows.attempt(0, "LOST"))
        writer.add("curves", rows.curve(0, [0, 1], attempt=1, loss=[5.0, 4.0]))
        writer.add("attempts", rows.attempt(0, attempt=1, rows=2, step=1, last_loss=4.0, min_loss=4.0, max_loss=5.0))
        writer.add("attempts", rows.attempt(1, rows=2, step=1, last_loss=-0.0, min_loss=-0.0, max_loss=-0.0))
        writer.add("logs", rows.logs(0, ["b", "a"]))
        writer.add("decisions", rows.decisions([0]))
        writer.add("decisions", rows.decisions([1], trial=1, step=4, value=math.nan, bar=0.5))


@pytest.fixture
def ended(sweep, rows):
    epoch = sweep.claim()
    record(sweep, rows, epoch)
    finalize(sweep, epoch)
    return sweep


def test_views_show_the_same_before_and_after(store, sweep, rows):
    epoch = sweep.claim()
    record(sweep, rows, epoch)
    before = contents(store, sweep)
    finalize(sweep, epoch)
    assert contents(store, sweep) == before
    assert sweep.state() == "finished"
    assert not sweep.owner_alive()
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT completed, failed, running FROM sweeps").fetchall() == [(2, 0, 0)]


def test_only_final_files_remain(ended):
    files = sorted(str(path.relative_to(ended.path)) for path in ended.path.rglob("*") if path.is_file())
    data = [name for name in files if not name.endswith((".json", ".zip"))]
    tables = ("artifacts", "attempts", "curves", "decisions", "logs", "superseded", "trials")
    assert data == [f"{table}/000001-0001-0000.parquet" for table in tables]
    assert not list(ended.path.glob("_build/*"))
    assert ended.visible_files().plain


CURVE = [(0, 0, 5.0), (0, 1, 4.0), (1, 0, math.nan), (1, 1, -0.0)]


def test_plain_globs_are_exact_in_every_reader(store, ended):
    glob = f"{store.path}/sweep=*/curves/*.parquet"
    found = {
        "duckdb": duckdb.sql(f"SELECT trial, step, loss FROM '{glob}' ORDER BY ALL").fetchall(),
        "polars": pl.read_parquet(glob, hive_partitioning=True)
        .select("trial", "step", "loss")
        .sort("trial", "step")
        .rows(),
    }
    folder = ended.path / "curves"
    table = ds.dataset(folder, format="parquet").to_table(columns=["trial", "step", "loss"])
    found["pyarrow"] = list(zip(*table.to_pydict().values(), strict=True))
    frame = pd.read_parquet(folder)
    found["pandas"] = list(frame[["trial", "step", "loss"]].itertuples(index=False, name=None))
    for reader, rows in found.items():
        assert str(rows) == str(CURVE), reader
    sweeps = duckdb.sql(f"SELECT DISTINCT sweep FROM '{glob}'").fetchall()
    assert sweeps == [(ended.id,)]
    trials = duckdb.sql(f"SELECT trial, state, lr, last_loss FROM '{store.path}/sweep=*/trials/*.parquet' ORDER BY 1")
    assert trials.fetchall() == [(0, "COMPLETED", 0.1, 4.0), (1, "COMPLETED", 0.2, -0.0)]


def test_final_files_are_sorted_and_without_statistics_of_metrics(ended):
    path = ended.path / "curves" / "000001-0001-0000.parquet"
    table = pq.read_table(path)
    keys = list(zip(*(table[name].to_pylist() for name in ("trial", "attempt", "_seq")), strict=True))
    assert keys == sorted(keys)
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    counted = {c.path_in_schema for c in columns if c.statistics is not None and c.statistics.has_min_max}
    assert counted == {"trial", "attempt", "_seq", "step"}
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"


def test_the_views_of_an_ended_sweep_are_plain_scans(store, ended):
    with Views(store, [ended]) as views:
        for view in ("trials", "curves", "attempts", "logs", "decisions"):
            plan = views.execute(f"EXPLAIN FROM {view}").fetchall()[0][1]
            assert plan.count("READ_PARQUET") == 1
            assert not any(word in plan for word in ("JOIN", "WINDOW", "GROUP_BY", "CTE"))
        assert "READ_PARQUET" not in views.execute("EXPLAIN FROM sweeps").fetchall()[0][1]


def test_superseded_rows_are_kept_apart(ended):
    table = pq.read_table(ended.path / "superseded" / "000001-0001-0000.parquet")
    assert table.select(["trial", "attempt", "step", "loss"]).to_pylist() == [
        {"trial": 0, "attempt": 0, "step": step, "loss": 9.0} for step in range(3)
    ]


def test_going_on_after_the_end_and_ending_again(store, ended, rows):
    epoch = ended.claim()
    assert ended.state() == "running"
    with Writer(ended, epoch) as writer:
        writer.add("configs", rows.configs([2], lr=[0.3]))
        writer.add("curves", rows.curve(2, [0], loss=[1.0], new=[7.0]))
        writer.add("attempts", rows.attempt(2, rows=1, step=0, last_loss=1.0, min_loss=1.0, max_loss=1.0))
        writer.add("curves", rows.curve(1, [1], attempt=1, start=1, loss=[8.0]))  # a checkpoint of the first run
        writer.add("attempts", rows.attempt(1, attempt=1, start=1, rows=1, step=1))
        writer.flush()
        before = contents(store, ended)
    finalize(ended, epoch)
    assert contents(store, ended) == before
    with Views(store, [ended]) as views:
        curves = views.execute("SELECT trial, step, loss, new FROM curves ORDER BY 1, 2").fetchall()
        assert views.execute("SELECT trial, lr, index FROM trials ORDER BY 1").fetchall() == [
            (0, 0.1, 0),
            (1, 0.2, 1),
            (2, 0.3, 2),
        ]
        assert views.execute("SELECT u FROM configs WHERE trial = 2").fetchall() == [([0.25],)]
    assert str(curves) == str(
        [(0, 0, 5.0, None), (0, 1, 4.0, None), (1, 0, math.nan, None), (1, 1, 8.0, None), (2, 0, 1.0, 7.0)]
    )
    for table in ("curves", "trials", "attempts", "logs", "artifacts", "superseded", "decisions"):
        assert len(list((ended.path / table).iterdir())) == 1
    assert pq.read_table(next((ended.path / "superseded").iterdir())).num_rows == 4
    finalize(ended, ended.claim())  # nothing new
    assert contents(store, ended) == before
    assert pq.read_table(next((ended.path / "superseded").iterdir())).num_rows == 4


def test_what_was_set_apart_stays_apart_though_its_attempt_never_ended(store, sweep, rows):
    """A driver that is killed leaves attempts without an end."""
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1]))
        for attempt, loss in enumerate([9.0, 8.0, 7.0]):
            writer.add("curves", rows.curve(0, [0], attempt=attempt, loss=[loss]))
    finalize(sweep, epoch)
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(1, [0], loss=[5.0]))
    finalize(sweep, epoch)
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT trial, attempt, loss FROM curves ORDER BY ALL").fetchall() == [
            (0, 2, 7.0),
            (1, 0, 5.0),
        ]


def test_state_of_an_interrupted_sweep(store, sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0, 1]))
        writer.add("attempts", rows.attempt(0))
        writer.add("curves", rows.curve(1, [0], loss=[2.0]))
        writer.add("attempts", rows.attempt(1, "RUNNING"))
    finalize(sweep, epoch)
    sql = "SELECT trial, state, last_loss FROM trials ORDER BY trial"
    assert sweep.state() == "interrupted"
    with Views(store, [sweep]) as views:
        assert views.execute(sql).fetchall() == [(0, "COMPLETED", None), (1, "LOST", 2.0)]
    epoch = sweep.claim()
    with Views(store, [sweep]) as views:
        assert views.execute(sql).fetchall() == [(0, "COMPLETED", None), (1, "PENDING", 2.0)]
        assert views.execute("SELECT state, running FROM sweeps").fetchall() == [("running", 0)]
    finalize(sweep, epoch, "finished")
    assert sweep.state() == "finished"


@pytest.mark.parametrize("kinds", [{"lr": "float"}, {}])
def test_an_empty_sweep_and_one_without_metrics(store, rows, describe, kinds):
    sweep = store.create_sweep(describe(kinds=kinds, trials=1), b"")
    finalize(sweep, sweep.claim())
    assert duckdb.sql(f"SELECT count(*) FROM '{sweep.path}/curves/*.parquet'").fetchall() == [(0,)]
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0], kinds))
        writer.add("attempts", rows.attempt(0, "FAILED", kind="error", error="it's «broken»"))
    finalize(sweep, epoch)
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT state, error FROM trials").fetchall() == [("FAILED", "it's «broken»")]
        assert views.metrics() == []
    assert sweep.state() == "finished"


class FullAtTheEnd(PosixDisk):
    def _fsync(self, path):
        if ".parquet." in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._fsync(path)


def test_a_full_disk_at_the_end_leaves_all_as_it_was(store, sweep, rows):
    epoch = sweep.claim()
    record(sweep, rows, epoch)
    before = contents(store, sweep)
    with pytest.raises(StoreError, match="disk is full") as caught:
        finalize(SweepDir(path=sweep.path, disk=FullAtTheEnd()), epoch)
    assert "\n" not in str(caught.value)
    assert contents(store, sweep) == before
    assert not list(sweep.path.rglob("*.aside"))
    finalize(sweep, epoch)
    assert contents(store, sweep) == before


def test_only_the_owner_finalizes(sweep, ended):
    epoch = ended.claim()
    with pytest.raises(StoreError, match=r"took .* over"):
        finalize(ended, epoch - 1)
    assert ended.owner_alive()
