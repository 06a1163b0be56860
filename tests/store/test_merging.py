"""Merging while the sweep runs, under readers' eyes."""

import subprocess
import sys
import threading
import time

import pyarrow.parquet as pq
import pytest

from caviar.errors import StoreError
from caviar.store import Views, Writer
from caviar.store.check import check
from caviar.store.layout import Segment
from caviar.store.manifest import DataFile, Manifest
from caviar.store.merging import MOST_ROWS, merge, plan
from caviar.store.visible_files import VisibleFiles


def held(rows, table="curves", name="a"):
    return DataFile(table=table, name=f"_merged/{table}-{name}.parquet", rows=rows, min_trial=0, max_trial=1)


def test_plan_takes_all_hot_files_and_merged_ones_no_larger_than_what_they_join():
    files = (held(10, name="a"), held(12, name="b"), held(100, name="c"), held(5, "logs"))
    hot = tuple(Segment(epoch=1, n=n, table=table) for n, table in enumerate(["curves", "attempts", "curves"]))
    groups = {group.table: group.names for group in plan(VisibleFiles(manifest=Manifest(k=0, files=files), hot=hot))}
    assert set(groups) == {"curves", "attempts"}
    assert groups["attempts"] == (hot[1].name,)
    assert groups["curves"] == ("_merged/curves-a.parquet", hot[0].name, hot[2].name)


def test_plan_leaves_large_and_final_files_alone():
    final = DataFile(table="curves", name="curves/000001.parquet", rows=1, min_trial=0, max_trial=0)
    files = (held(MOST_ROWS + 1), final)
    hot = (Segment(epoch=1, n=0, table="curves"),)
    (group,) = plan(VisibleFiles(manifest=Manifest(k=0, files=files), hot=hot))
    assert group.names == (hot[0].name,)


def test_plan_merges_large_files_of_large_sweeps_and_keeps_few_of_them():
    hot = (Segment(epoch=1, n=0, table="curves"),)
    files, most = [], 0
    for number in range(4000):  # a file of a million rows at each merge: four billion rows
        (group,) = plan(VisibleFiles(manifest=Manifest(k=0, files=tuple(files)), hot=hot))
        taken = [file for file in files if file.name in group.names]
        files = [file for file in files if file not in taken]
        files.append(held(10**6 + sum(file.rows for file in taken), name=f"{number}"))
        most = max(most, len(files))
    assert most < 70


def test_merges_keep_all_rows_and_few_files(store, sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.merging.MOST_HOT", 4)
    monkeypatch.setattr("caviar.store.merging.GRACE_S", 0.0)
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        writer.add("configs", rows.configs([0]))
        for step in range(40):
            metrics = {"loss": [float(step)]} if step % 2 else {"acc": [float(step)]}
            writer.add("curves", rows.curve(0, [step], seq=step, **metrics))
            writer.add("logs", rows.logs(0, [f"step {step}"]))
            writer.add("decisions", rows.decisions([step], step=step))
            writer.flush()
            writer._merger.join()
    seen = sweep.visible_files()
    assert writer._merger.failure is None
    assert seen.manifest.k > 5
    assert len(seen.manifest.files) + len(seen.hot) < 25
    entries = {file.table: file for file in seen.manifest.files}
    assert (entries["configs"].rows, entries["configs"].min_trial, entries["configs"].max_trial) == (1, 0, 0)
    with Views(store, [sweep]) as views:
        found = views.execute("SELECT step, loss, acc FROM curves ORDER BY step").fetchall()
        assert views.execute("SELECT count(*) FROM logs").fetchall() == [(40,)]
        decided = views.execute("SELECT n, step, trial FROM decisions ORDER BY n").fetchall()
    assert decided == [(step, step, None) for step in range(40)]  # of no trial: a file without a range
    assert check(sweep) == []
    assert found == [(s, float(s) if s % 2 else None, None if s % 2 else float(s)) for s in range(40)]


def test_publishing_waits_while_too_many_files_are_live_and_a_merge_is_at_work(sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.merging.MOST_HOT", 3)
    monkeypatch.setattr("caviar.store.merging.FULL", 6)
    let_go = threading.Event()

    def slow(sweep, wanted):
        let_go.wait(20)
        return merge(sweep, wanted)

    monkeypatch.setattr("caviar.store.merging.merge", slow)
    with Writer(sweep, sweep.claim(), interval_s=0.01) as writer:
        for step in range(40):
            writer.add("logs", rows.logs(step, ["a"]))
            time.sleep(0.02)
        assert 4 <= len(sweep.visible_files().hot) <= 8
        let_go.set()
        writer.flush()
        writer._merger.join()
        assert len(sweep.visible_files().hot) <= 8
    assert sum(file.rows for file in sweep.visible_files().manifest.files) > 6


def test_after_a_merge_that_failed_publishing_goes_on(sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.merging.MOST_HOT", 3)
    monkeypatch.setattr("caviar.store.merging.FULL", 4)
    monkeypatch.setattr("caviar.store.merging.merge", lambda *_: 1 / 0)
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        for step in range(20):
            writer.add("logs", rows.logs(step, ["a"]))
            writer.flush()
    assert len(sweep.visible_files().hot) == 20


def test_closing_waits_for_no_merge_and_leaves_nothing_of_it(store, sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.merging.MOST_HOT", 3)
    begun = threading.Event()

    def slow(sweep, wanted):
        begun.set()
        while wanted():
            time.sleep(0.01)
        return merge(sweep, wanted)

    monkeypatch.setattr("caviar.store.merging.merge", slow)
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        for step in range(6):
            writer.add("logs", rows.logs(step, ["a"]))
            writer.flush()
        assert begun.wait(10)
    assert writer._merger.failure is None
    assert len(sweep.visible_files().hot) == 6
    assert not sweep.disk.list(sweep.path / "_merged", hidden=True)


def test_a_merged_file_is_in_order(sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        for step in range(3):
            for trial in (2, 0, 1):
                writer.add("curves", rows.curve(trial, [step], seq=step, loss=[1.0]))
            writer.flush()
    merge(sweep)
    (file,) = sweep.visible_files().manifest.files
    table = pq.read_table(sweep.path / file.name)
    keys = list(zip(table["trial"].to_pylist(), table["_seq"].to_pylist(), strict=True))
    assert keys == [(trial, step) for trial in range(3) for step in range(3)]


def test_a_merge_that_comes_late_changes_nothing(sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    look = type(sweep).visible_files

    class Slow(type(sweep)):
        def visible_files(self):
            seen = look(self)
            merge(sweep)  # another one is quicker
            return seen

    assert merge(Slow(path=sweep.path)) is None
    assert sweep.visible_files().manifest.k == 1


def test_merging_a_damaged_file_fails_and_reading_goes_on(sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.merging.MOST_HOT", 0)
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        monkeypatch.setattr("caviar.store.merging.SortedRows", lambda *_: 1 / 0)
        writer.add("logs", rows.logs(0, ["a"]))
        writer.flush()
        writer.add("logs", rows.logs(0, ["b"]))
    assert isinstance(writer._merger.failure, ZeroDivisionError)
    assert len(sweep.visible_files().hot) == 2


WRITING = """
import sys, itertools
from pathlib import Path
import pyarrow as pa
import caviar.store.merging as merger
from caviar.store import SweepDir, Writer
from caviar_workers.tables import schema
merger.MOST_HOT, merger.GRACE_S = 6, 0.05
sweep = SweepDir(path=Path(sys.argv[1]))
writer = Writer(sweep, sweep.claim(), interval_s=0.01)
for step in itertools.count():
    row = {"trial": [0, 1], "attempt": [0, 0], "_seq": [step] * 2, "_start": [0, 0], "step": [step] * 2, "time": [0, 0]}
    table = pa.table({k: pa.array(v, schema("curves").field(k).type) for k, v in row.items()})
    writer.add("curves", table.append_column("loss", pa.array([float(step)] * 2)))
    writer.flush()
    print(step, flush=True)
"""


def test_a_reader_beside_a_writer_sees_a_growing_prefix_and_a_kill_loses_nothing(store, sweep, tmp_path):
    said = tmp_path / "said"

    def acknowledged():
        return said.read_text().count("\n")

    with (
        said.open("w") as file,
        subprocess.Popen([sys.executable, "-c", WRITING, str(sweep.path)], stdout=file) as child,
    ):
        try:
            while acknowledged() == 0:
                assert child.poll() is None
                time.sleep(0.01)
            seen = 0
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                least = max(seen, acknowledged())
                with Views(store, [sweep]) as views:
                    found = views.execute("SELECT step FROM curves WHERE trial = 1 ORDER BY step").fetchall()
                seen = len(found)
                assert found == [(step,) for step in range(seen)]
                assert seen >= least
        finally:
            child.kill()
    assert seen > 20
    assert sweep.visible_files().manifest.k > 1
    assert sweep.state() == "interrupted"
    assert sweep.claim() == 2
    with Views(store, [sweep]) as views:
        (found,) = views.execute("SELECT count(*), count(DISTINCT (trial, step)) FROM curves").fetchall()
    assert found[0] == found[1] >= 2 * acknowledged()


def test_a_writer_that_was_taken_over_cannot_merge_either(sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    sweep.release(epoch)
    sweep.claim()
    with pytest.raises(StoreError, match="took"), Writer(sweep, epoch) as writer:
        writer.add("curves", rows.curve(0, [1], loss=[1.0]))
