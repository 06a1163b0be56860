"""Sweeps whose curves take several final files."""

import errno
from itertools import pairwise

import duckdb
import polars as pl
import pytest

from caviar.errors import StoreError
from caviar.store import SweepDir, Views, Writer
from caviar.store.check import check
from caviar.store.disk import PosixDisk
from caviar.store.finalize import finalize
from caviar.store.read.sweep_tables import SweepTables

VIEWS = ("trials", "curves", "attempts", "configs", "logs", "decisions")


def contents(store, sweep):
    with Views(store, [sweep]) as views:
        return {view: sorted(map(str, views.execute(f"FROM {view}").fetchall())) for view in VIEWS}


@pytest.fixture
def small_files(monkeypatch):
    """Row groups of four rows, final files of little more, and joins of five trials at once."""
    monkeypatch.setattr("caviar.store.segment.group_rows", lambda layout, *, live: 4)
    monkeypatch.setattr("caviar.store.final_files.SIZE", 3000)
    monkeypatch.setattr("caviar.store.final_files.SLICE", 5)


def record_many(sweep, rows, epoch, trials=30):
    """Trials of four rows, of which every third ran again from step 2 on."""
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs(range(trials)))
        for trial in range(trials):
            writer.add("curves", rows.curve(trial, range(4), loss=[float(trial)] * 4))
            if trial % 3 == 0:
                writer.add("curves", rows.curve(trial, range(2, 6), attempt=1, start=2, loss=[-1.0] * 4))
            writer.add("attempts", rows.attempt(trial, "LOST" if trial % 3 == 0 else "COMPLETED", rows=4, step=3))
            if trial % 3 == 0:
                writer.add("attempts", rows.attempt(trial, attempt=1, start=2, rows=4, step=5))
            writer.add("logs", rows.logs(trial, ["b", "a"]))


def test_a_large_sweep_has_several_files_of_curves_each_with_trials_of_its_own(store, sweep, rows, small_files):
    epoch = sweep.claim()
    record_many(sweep, rows, epoch)
    before = contents(store, sweep)
    finalize(sweep, epoch)
    assert contents(store, sweep) == before
    files = [file for file in sweep.visible_files().manifest.files if file.table == "curves"]
    assert len(files) > 3
    spans = sorted((file.min_trial, file.max_trial) for file in files)
    assert all(high < low for (_, high), (low, _) in pairwise(spans))
    assert [(file.min_trial, file.max_trial) for file in files] == spans
    glob = f"{sweep.path}/{{}}/*.parquet"
    assert duckdb.sql(f"SELECT count(*) FROM '{glob.format('curves')}'").fetchall() == [(140,)]
    dead = duckdb.sql(f"SELECT trial, attempt, step FROM '{glob.format('superseded')}' ORDER BY ALL").fetchall()
    assert dead == [(trial, 0, step) for trial in range(0, 30, 3) for step in (2, 3)]
    found = pl.read_parquet(glob.format("curves"), hive_partitioning=False).select("trial", "attempt", "_seq").rows()
    assert found == sorted(found)
    finalize(sweep, sweep.claim())  # again, from several files
    assert contents(store, sweep) == before
    assert not check(sweep)


def test_trials_are_joined_some_at_once_and_every_file_is_in_order(sweep, rows, small_files, monkeypatch):
    slices = []
    between = SweepTables.between
    monkeypatch.setattr(SweepTables, "between", lambda *args: slices.append(args[1:]) or between(*args))
    epoch = sweep.claim()
    record_many(sweep, rows, epoch)
    finalize(sweep, epoch)
    assert slices == [(-1, 8), (8, 16), (16, 24), (24, 2**63 - 1)]
    keys = ("trial", "attempt", "_seq")
    for table, count in {"trials": 30, "attempts": 40, "logs": 60}.items():
        found = pl.read_parquet(f"{sweep.path}/{table}/*.parquet", hive_partitioning=False)
        found = found.select(key for key in keys if key in found.columns).rows()
        assert found == sorted(found)
        assert len(set(found)) == len(found) == count


def test_a_curve_opens_one_of_many_files(store, sweep, rows, small_files):
    epoch = sweep.claim()
    record_many(sweep, rows, epoch)
    finalize(sweep, epoch)
    curves = {file.name: file for file in sweep.visible_files().manifest.files if file.table == "curves"}
    for name, file in curves.items():
        if not file.min_trial <= 9 <= file.max_trial:
            (sweep.path / name).write_bytes(b"damaged")
    sql = "SELECT step, loss FROM curves WHERE trial = 9 ORDER BY step"
    with Views(store, [sweep]) as views:
        with views.of_trials([9]):
            assert views.execute(sql).fetchall() == [(0, 9.0), (1, 9.0), *((step, -1.0) for step in range(2, 6))]
        with pytest.raises(StoreError, match="is damaged"):
            views.execute(sql)
        with views.of_trials([99]):
            assert views.execute("SELECT step, loss FROM curves WHERE trial = 99").fetchall() == []


def test_files_that_were_all_opened_are_not_opened_anew_for_some_trials(store, sweep, rows, small_files, monkeypatch):
    epoch = sweep.claim()
    record_many(sweep, rows, epoch)
    finalize(sweep, epoch)
    opened = []
    scan = SweepTables.scan
    monkeypatch.setattr(SweepTables, "scan", lambda *args: opened.append(args[1:]) or scan(*args))
    sql = "SELECT trial, count(*) FROM curves WHERE trial IN (3, 9) GROUP BY ALL ORDER BY ALL"
    with Views(store, [sweep]) as views:
        whole = views.execute(sql).fetchall()
        opened.clear()
        with views.of_trials([3, 9]):
            assert views.execute(sql).fetchall() == whole
        assert views.execute(sql).fetchall() == whole
    assert not opened


def test_when_one_of_several_files_fails_none_is_shown(store, sweep, rows, small_files):
    class FullAtTheThird(PosixDisk):
        def _rename(self, old, new):
            if new.name.endswith("-0002.parquet"):
                raise OSError(errno.ENOSPC, "No space left on device")
            super()._rename(old, new)

    epoch = sweep.claim()
    record_many(sweep, rows, epoch)
    before = contents(store, sweep)
    with pytest.raises(StoreError, match="disk is full"):
        finalize(SweepDir(path=sweep.path, disk=FullAtTheThird()), epoch)
    assert not [path for table in ("curves", "superseded") for path in sweep.path.glob(f"{table}/*")]
    assert contents(store, sweep) == before
    finalize(sweep, epoch)
    assert contents(store, sweep)["curves"] == before["curves"]
