"""Traps of Parquet, pyarrow and DuckDB that others fell into."""

import math

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from caviar.errors import SpecError
from caviar.store import Views, Writer
from caviar.store.disk.posix import PosixDisk, aside
from caviar.store.finalize import finalize
from caviar.store.read.sql import open_plain
from caviar.store.segment import encode, options, unify


@pytest.fixture
def diverged(sweep, rows):
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", rows.configs([0]))
        writer.add("curves", rows.curve(0, [0, 1, 2], loss=[1.0, math.nan, 1.5]))
    return sweep, epoch


def test_a_query_finds_nan_though_statistics_would_skip_it(store, diverged):
    sweep, epoch = diverged
    for ended in (False, True):
        if ended:
            finalize(sweep, epoch)
        with Views(store, [sweep]) as views:
            assert views.execute("SELECT step FROM curves WHERE loss > 2").fetchall() == [(1,)]
            assert str(views.execute("SELECT max(loss) FROM curves").fetchall()) == "[(nan,)]"
    glob = f"{sweep.path}/curves/*.parquet"
    assert duckdb.sql(f"SELECT step FROM '{glob}' WHERE loss > 2").fetchall() == [(1,)]


def test_an_unfinished_file_beside_final_ones_fails_no_glob(diverged):
    sweep, epoch = diverged
    finalize(sweep, epoch)
    aside(sweep.path / "curves" / "000009-0009.parquet").write_bytes(b"")  # a kill while it was written
    assert duckdb.sql(f"SELECT count(*) FROM '{sweep.path}/curves/*.parquet'").fetchall() == [(3,)]


def test_an_exception_while_a_file_is_written_publishes_nothing(tmp_path, rows):
    table = rows.curve(0, range(10), loss=[1.0] * 10)
    with (  # noqa: PT012 - the block is the test
        pytest.raises(ZeroDivisionError),
        PosixDisk().stream(tmp_path / "a.parquet", tmp_path) as file,
        pq.ParquetWriter(file, table.schema, **options(table)) as writer,
    ):
        writer.write_table(table)
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_slice_does_not_carry_its_whole_dictionary(rows):
    words = pa.array([f"a long word, number {i}" for i in range(10_000)]).dictionary_encode()
    kinds = {"word": "text"}
    table = rows.configs(range(20), kinds, word=["x"] * 20).set_column(4, "word", words.slice(40, 20))
    data = encode(unify("configs", [table]))
    assert len(data) < 5000
    assert pq.read_table(pa.BufferReader(data))["word"].to_pylist() == words.slice(40, 20).to_pylist()


def test_duckdb_downloads_nothing():
    with open_plain() as connection:
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.execute(f"SELECT current_setting('{setting}')").fetchall() == [(False,)]


@pytest.mark.parametrize("use", ["", ", USE_TMP_FILE false"])
def test_a_question_cannot_write_into_the_store(store, diverged, use):
    sweep, _ = diverged
    with Views(store, [sweep]) as views:
        path = sweep.path / "curves-of-mine.parquet"
        with pytest.raises(SpecError):
            views.ask(f"COPY (SELECT 1 AS a) TO '{path}' (FORMAT parquet{use})")
    assert not path.exists()
