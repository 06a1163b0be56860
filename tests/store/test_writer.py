"""Publishing: what is visible, in which order, and what a full disk leaves."""

import errno
import resource
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from caviar.errors import StoreError
from caviar.store import SweepDir, Views, Writer
from caviar.store.disk import PosixDisk
from caviar.store.layout import parse_segment
from caviar.store.writer import Addition


def hot(sweep):
    return [parse_segment(name) for name in sweep.disk.list(sweep.path / "_hot")]


def test_one_segment_a_table_in_an_order_that_never_shows_an_end_before_its_rows(sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        for trial in (0, 1):
            writer.add("attempts", rows.attempt(trial))
            writer.add("decisions", rows.decisions([trial]))
            writer.add("curves", rows.curve(trial, [0], loss=[1.0]))
            writer.add("logs", rows.logs(trial, ["hello"]))
            writer.add("configs", rows.configs([trial]))
        writer.flush()
        tables = ["configs", "logs", "curves", "decisions", "attempts"]
        assert [(s.n, s.table) for s in hot(sweep)] == list(enumerate(tables))
        assert writer.published_rows == 10
        assert writer.published_bytes > 0
        writer.add("curves", rows.curve(0, [1], seq=1, loss=[1.0]))
    assert [s.n for s in hot(sweep)] == list(range(6))


def test_rows_become_visible_without_a_flush(store, sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=0.05) as writer:
        writer.add("logs", rows.logs(0, ["a"]))
        deadline = time.monotonic() + 5
        while not hot(sweep) and time.monotonic() < deadline:
            time.sleep(0.01)
        with Views(store, [sweep]) as views:
            assert views.execute("SELECT text FROM logs").fetchall() == [("a",)]


def test_late_metrics_are_null_before(sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
        writer.add("curves", rows.curve(0, [1], seq=1, acc=[2.0]).to_batches()[0])
    table = pq.read_table(sweep.path / hot(sweep)[0].name)
    assert table.column_names[-2:] == ["loss", "acc"]
    assert table.select(["loss", "acc"]).to_pydict() == {"loss": [1.0, None], "acc": [None, 2.0]}


def test_segments_have_checksums_and_no_statistics_of_metrics(sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("curves", rows.curve(0, range(1000), loss=[float(i) for i in range(1000)]))
        writer.add("attempts", rows.attempt(0, last_loss=1.0, min_loss=float("nan"), max_loss=1.0))
    for segment in hot(sweep):
        group = pq.read_metadata(sweep.path / segment.name).row_group(0)
        columns = [group.column(i) for i in range(group.num_columns)]
        counted = {c.path_in_schema for c in columns if c.statistics is not None and c.statistics.has_min_max}
        assert counted <= {"trial", "attempt", "_seq", "step", "state"}
        assert {"trial", "attempt"} <= counted
        encodings = {c.path_in_schema: c.encodings for c in columns}
        metric = "loss" if segment.table == "curves" else "last_loss"
        assert "BYTE_STREAM_SPLIT" in encodings[metric]
        assert {c.compression for c in columns} == {"ZSTD"}
    path = sweep.path / hot(sweep)[0].name
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    with pytest.raises((OSError, pa.ArrowException)):
        pq.read_table(pa.BufferReader(bytes(data)), page_checksum_verification=True)


def test_wrong_rows_are_refused_at_once(sweep, rows):
    with Writer(sweep, sweep.claim()) as writer:
        with pytest.raises(ValueError, match="got 'trials'"):
            writer.add("trials", rows.configs([0]))
        with pytest.raises(ValueError, match="_seq is missing"):
            writer.add("curves", rows.curve(0, [0]).drop_columns(["_seq"]))
        writer.add("curves", rows.curve(0, []))
    assert hot(sweep) == []
    with pytest.raises(StoreError, match="closed"):
        writer.add("curves", rows.curve(0, [0]))
    writer.close()


def test_many_threads_lose_nothing(store, sweep, rows):
    with Writer(sweep, sweep.claim(), interval_s=0.01) as writer:

        def report(trial):
            for step in range(50):
                writer.add("curves", rows.curve(trial, [step], seq=step, loss=[1.0]))
                if step % 10 == 0:
                    writer.flush()

        threads = [threading.Thread(target=report, args=(trial,)) for trial in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with Views(store, [sweep]) as views:
        counts = views.execute("SELECT count(*), count(DISTINCT (trial, step)) FROM curves").fetchall()
    assert counts == [(200, 200)]
    assert [s.n for s in hot(sweep)] == list(range(len(hot(sweep))))


class FullDisk(PosixDisk):
    """Has no space left for Parquet once `full` is set."""

    full = False

    def _write(self, path, data):
        if self.full and ".parquet" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write(path, data)


def test_a_full_disk_is_one_sentence_and_what_was_published_stays(store, sweep, rows):
    disk = FullDisk()
    filling = SweepDir(path=sweep.path, disk=disk)
    epoch = filling.claim()
    writer = Writer(filling, epoch, interval_s=0.01)
    writer.add("curves", rows.curve(0, [0], loss=[1.0]))
    writer.flush()
    disk.full = True
    writer.add("curves", rows.curve(0, [1], seq=1, loss=[1.0]))
    for call in (writer.flush, writer.close, lambda: writer.add("logs", rows.logs(0, ["x"]))):
        with pytest.raises(StoreError, match=r"disk is full .* stays readable") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert writer.failure is not None
    filling.release(epoch)
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT step FROM curves").fetchall() == [(0,)]
    disk.full = False
    with Writer(filling, filling.claim()) as writer:
        writer.add("curves", rows.curve(0, [1], seq=1, loss=[1.0]))
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(2,)]


LIMITED = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from caviar.errors import StoreError
from caviar.store import SweepDir, Writer
from caviar_workers.tables import schema
sweep = SweepDir(path=Path(sys.argv[1]))
writer = Writer(sweep, sweep.claim())
def logs(text):
    row = {"trial": [0], "attempt": [0], "_seq": [0], "time": [0], "stream": ["out"], "text": [text]}
    return pa.table({k: pa.array(v, schema("logs").field(k).type) for k, v in row.items()})
writer.add("logs", logs("short"))
writer.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
import random
writer.add("logs", logs("".join(random.choices("abcdefghij", k=100_000))))
try:
    writer.close()
except StoreError as error:
    print(error)
"""


def test_a_file_size_limit_counts_as_full(store, sweep):
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", LIMITED, str(sweep.path)], check=True, capture_output=True, text=True)
    assert "the disk is full (File too large)" in done.stdout
    assert done.stdout.count("\n") == 1
    assert not list(sweep.path.glob("_hot/.*"))
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT text FROM logs").fetchall() == [("short",)]


def test_add_waits_when_too_much_is_queued(sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.writer.MOST_QUEUED", 1)
    with Writer(sweep, sweep.claim(), interval_s=0.3) as writer:
        writer.add("curves", rows.curve(0, [0], loss=[1.0]))
        started = time.monotonic()
        writer.add("curves", rows.curve(0, [1], seq=1, loss=[1.0]))
        assert time.monotonic() - started > 0.05
        assert len(hot(sweep)) == 1


def test_what_waits_is_published_in_pieces_of_bounded_size(store, sweep, rows, monkeypatch):
    monkeypatch.setattr("caviar.store.writer.EARLY", 5000)
    with Writer(sweep, sweep.claim(), interval_s=60) as writer:
        with writer._change:  # nothing is taken meanwhile
            for trial in range(20):
                table = rows.curve(trial, range(50), loss=[1.0] * 50)
                writer._queue.append(Addition("curves", table, table.nbytes))
                writer._added += 1
        writer.flush()
        counts = [pq.read_metadata(sweep.path / segment.name).num_rows for segment in hot(sweep)]
        assert len(counts) > 5
        assert max(counts) <= 150
    with Views(store, [sweep]) as views:
        assert views.execute("SELECT count(*) FROM curves").fetchall() == [(1000,)]
