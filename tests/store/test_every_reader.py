"""After the end, every reader of Parquet sees the rows that the views show: the same values, to the bit."""

import math
import struct

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from caviar.store import Store, Views, Writer
from caviar.store.finalize import finalize

KINDS = {"lr": "float", "units": "int", "nesterov": "bool", "größe θ": "text", 'a "b"; --': "text"}
STRANGE = (math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1, None)
NAMES = ("loss", "Größe", "损失", "val/acc @5", 'q"uote', "it's", "a.b", "x y", "🐟")
ORDERS = {
    "curves": "trial, attempt, step",
    "trials": "trial",
    "attempts": "trial, attempt",
    "logs": "trial",
    "decisions": "n",
}
TABLES = tuple(ORDERS)
WIDE = 80
"""Further metrics, of one trial only."""


def bits(value):
    """A value that is equal only to the same one: NaN to NaN, −0.0 to −0.0."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value)
    if isinstance(value, list | tuple):
        return tuple(map(bits, value))
    return value.timestamp() if hasattr(value, "timestamp") else value


def rows_of(table):
    """The rows of an Arrow table, by column."""
    return [{name: bits(value) for name, value in row.items()} for row in table.to_pylist()]


def record(sweep, rows, epoch, trials=12):
    """Trials with strange values in oddly named metrics, some of which come late and some never again."""
    with Writer(sweep, epoch, interval_s=60) as writer:
        texts = ["", "日本", "a'b", "\n", "🐟", "NULL"] * 2
        columns = {"units": list(range(trials)), "nesterov": [True, False] * 6, "größe θ": texts, 'a "b"; --': texts}
        writer.add("configs", rows.configs(range(trials), KINDS, lr=[0.1] * trials, **columns))
        writer.add("decisions", rows.decisions([0, 1], trial=1, step=4, value=math.nan, bar=-0.0))
        for trial in range(trials):
            own = [name for place, name in enumerate(NAMES) if place <= trial]
            metrics = {name: [STRANGE[(trial + place) % 7], 0.5] for place, name in enumerate(own)}
            wide = {f"wide {i}": [float(i), None] for i in range(WIDE)} if trial == 5 else {}
            writer.add("curves", rows.curve(trial, [0, 1], **metrics, **wide))
            last = {f"last_{name}": values[-1] for name, values in metrics.items()}
            writer.add("attempts", rows.attempt(trial, rows=2, step=1, **last))
            writer.add("logs", rows.logs(trial, [f"trial {trial} 损失\n"]))
            writer.flush()
    finalize(sweep, epoch)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One for all of these tests, which only read."""
    return Store.open(tmp_path_factory.mktemp("store"), create=True)


@pytest.fixture(scope="module", params=["one file", "several files"])
def ended(request, store, describe, rows):
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param == "several files":
            monkeypatch.setattr("caviar.store.segment.group_rows", lambda layout, *, live: 4)
            monkeypatch.setattr("caviar.store.final_files.SIZE", 20_000)
            monkeypatch.setattr("caviar.store.final_files.SLICE", 4)
        sweep = store.create_sweep(describe(kinds=KINDS, trials=12), b"")
        record(sweep, rows, sweep.claim())
    assert (len(list((sweep.path / "curves").iterdir())) > 1) == (request.param == "several files")
    return sweep


def in_views(store, sweep, table, columns):
    """The view's rows; times as seconds."""
    with Views(store, [sweep]) as views:
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        found = views.execute(f"SELECT {quoted} FROM {table} ORDER BY {ORDERS[table]}").fetchall()
    zoned = [tuple(_utc(value) for value in row) for row in found]
    return [{name: bits(value) for name, value in zip(columns, row, strict=True)} for row in zoned]


def _utc(value):
    return pd.Timestamp(value, tz="UTC") if hasattr(value, "timestamp") else value


def test_all_readers_see_what_the_views_show(store, ended):
    for table in TABLES:
        same_in_every_reader(store, ended, table)
    curves = ds.dataset(ended.path / "curves", format="parquet").to_table()
    assert curves.num_columns == 6 + len(NAMES) + WIDE
    strange = {bits(row[name]) for row in curves.to_pylist() for name in NAMES}
    assert strange >= {bits(value) for value in STRANGE}


def same_in_every_reader(store, sweep, table):
    folder = sweep.path / table
    dataset = ds.dataset(folder, format="parquet").to_table()
    columns, expected = dataset.column_names, rows_of(dataset)
    assert rows_of(pq.read_table(folder)) == expected
    assert rows_of(pl.read_parquet(f"{folder}/*.parquet").to_arrow()) == expected
    plain = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/*.parquet', hive_partitioning = false)")
    assert rows_of(plain.to_arrow_table()) == expected
    frame = pd.read_parquet(folder, dtype_backend="pyarrow")
    assert list(frame.columns) == columns
    for name in columns:
        assert [bits(v) for v in frame[name].array._pa_array.to_pylist()] == [row[name] for row in expected]
    shown = [name for name in columns if not name.startswith("_") and name != "u"]
    assert in_views(store, sweep, table, shown) == [{name: row[name] for name in shown} for row in expected]


def test_nan_and_minus_zero_are_found_by_every_engine(ended):
    glob = f"{ended.path}/curves/*.parquet"
    assert duckdb.sql(f"SELECT count(*) FROM '{glob}' WHERE isnan(loss)").fetchall() == [(2,)]
    assert duckdb.sql(f"SELECT count(*) FROM '{glob}' WHERE loss > 1e308").fetchall() == [(4,)]  # NaN is largest
    scanned = pl.scan_parquet(glob)
    assert scanned.filter(pl.col("loss").is_nan()).collect().height == 2
    assert scanned.filter(pl.col("loss") == -math.inf).collect().height == 2
    table = ds.dataset(ended.path / "curves", format="parquet").to_table(filter=ds.field("loss") <= 0)
    assert sorted(map(str, table["loss"].to_pylist())) == ["-0.0", "-0.0", "-inf", "-inf"]


def test_an_empty_sweep_has_columns_and_no_rows_in_every_reader(store, describe):
    sweep = store.create_sweep(describe(kinds=KINDS, trials=1), b"")  # a trial that never ran
    finalize(sweep, sweep.claim())
    for table in TABLES:
        folder = sweep.path / table
        found = pq.read_table(folder)
        assert found.num_rows == 0
        assert "trial" in found.column_names
        assert pl.read_parquet(f"{folder}/*.parquet").columns == found.column_names
        assert list(pd.read_parquet(folder).columns) == found.column_names
        relation = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/*.parquet', hive_partitioning = false)")
        assert relation.columns == found.column_names
        assert relation.fetchall() == []
    assert set(KINDS) <= set(pq.read_table(sweep.path / "trials").column_names)
