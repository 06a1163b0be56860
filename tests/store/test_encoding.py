"""Encodings chosen on the data, and row groups that fit in memory."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from caviar.store.segment import GroupWriter, encode, group_rows, unify


def curve(rows, count, **metrics):
    return unify("curves", [rows.curve(0, range(count), **metrics)])


def encodings(data):
    group = pq.read_metadata(pa.BufferReader(data)).row_group(0)
    return {group.column(i).path_in_schema: set(group.column(i).encodings) for i in range(group.num_columns)}


def test_a_rounded_metric_gets_a_dictionary_and_a_full_one_does_not(rows):
    rng = np.random.default_rng(0)
    full, rounded = rng.random(5000), np.round(rng.random(5000), 2)
    late = [None] * 4000 + rounded[4000:].tolist()
    data = encode(curve(rows, 5000, full=full, rounded=rounded, late=late, few=[None] * 4990 + [0.5] * 10))
    found = encodings(data)
    assert "BYTE_STREAM_SPLIT" in found["full"] & found["few"]
    assert "RLE_DICTIONARY" in found["rounded"] & found["late"]
    read = pq.read_table(pa.BufferReader(data))
    assert read["rounded"].to_pylist() == rounded.tolist()
    assert read["late"].to_pylist() == late


def test_two_metrics_of_float32_precision_and_a_time_take_less_than_ten_bytes(rows):
    rng = np.random.default_rng(0)
    loss, acc = rng.standard_normal((2, 20_000)).astype(np.float32).astype(np.float64)
    table = curve(rows, 20_000, loss=loss, acc=acc)
    times = pa.array(1_700_000_000_000 + np.cumsum(rng.integers(225, 275, 20_000)))
    table = table.set_column(5, "time", times.cast(table.schema.field("time").type))
    assert len(encode(table)) / 20_000 < 9


@pytest.mark.parametrize(("metrics", "live", "final"), [(2, 32_768, 131_072), (1000, 520, 4165)])
def test_row_groups_are_smaller_where_rows_are_wide(rows, metrics, live, final):
    layout = curve(rows, 1, **{f"m{i}": [0.0] for i in range(metrics)}).schema
    assert group_rows(layout, live=True) == pytest.approx(live, rel=0.1)
    assert group_rows(layout, live=False) == pytest.approx(final, rel=0.1)


def test_row_groups_are_even_however_the_rows_come(rows, monkeypatch):
    monkeypatch.setattr("caviar.store.segment.group_rows", lambda layout, live: 10)
    whole = curve(rows, 57, loss=[float(i) for i in range(57)])
    sink = io.BytesIO()
    with GroupWriter(sink, whole.schema, live=True) as writer:
        for begin, end in [(0, 3), (3, 3), (3, 31), (31, 40), (40, 57)]:
            writer.write(whole.slice(begin, end - begin))
    file = pq.ParquetFile(sink)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [10] * 5 + [7]
    assert file.read()["loss"].to_pylist() == whole["loss"].to_pylist()


@pytest.mark.parametrize("kind", ["float", "int", "text", "bool"])
def test_two_columns_of_one_path_are_both_written(kind):
    """Parquet's path of the list u's elements, and the name that a parameter may have."""
    values = {"float": [0.5, None], "int": [1, 2], "text": ["p", "q"], "bool": [True, None]}[kind]
    table = pa.table({"u": pa.array([[0.25], [0.5]], pa.list_(pa.float64())), "u.list.element": values})
    read = pq.read_table(pa.BufferReader(encode(table)))
    assert read.to_pydict() == table.to_pydict()
