"""The schema and the names of metrics."""

import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from caviar.space import RESERVED_NAMES
from caviar.store.read.columns import Column, pick
from caviar.store.read.trials_view import HEAD, TAIL
from caviar_workers import tables


def test_schemas_have_the_fixed_fields_in_order():
    assert tables.CURVES.names == ["trial", "attempt", "_seq", "_start", "step", "time"]
    assert tables.schema("curves") is tables.CURVES
    assert tables.CURVES.field("time").type == pa.timestamp("ms", "UTC")
    assert tables.configs_schema({"lr": "float", "act": "text"}).names == [
        *("trial", "seed", "index", "u"),
        *("lr", "act"),
    ]
    with pytest.raises(AttributeError):
        tables.NOTHING  # noqa: B018 - the access is the test


@pytest.mark.parametrize("table", tables.TABLES)
def test_fields_that_nobody_gives_are_at_what_is_declared(table):
    arrays = tables.arrays_of(table, {"trial": [1, 2]}, 2)
    rows = pa.Table.from_arrays(arrays, schema=tables.schema(table)).to_pylist()
    assert rows[0] == {name: field.unknown for name, field in tables.FIELDS[table].items()} | {"trial": 1}
    with pytest.raises(KeyError, match="no field nothing"):
        tables.arrays_of(table, {"nothing": []}, 0)


def test_a_column_that_is_shown_has_a_place_of_its_own_and_its_name_is_reserved():
    places = [field.shown for field in tables.FIELDS["attempts"].values() if field.shown]
    assert sorted(places) == list(range(1, len(places) + 1))
    assert {column.name for column in (*HEAD, *TAIL)} <= RESERVED_NAMES


@pytest.mark.parametrize("older", [None, "it's", 3, False])
def test_files_without_a_column_have_what_older_ones_are_taken_to_have(older):
    word = {str: "text", int: "int64", bool: "bool"}.get(type(older), "float")
    column = Column(name="new", word=word, older=older)
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {pick([column], {})}").fetchall() == [(older,)]


@pytest.mark.parametrize("name", ["loss", "größe λ", "a" * 128, "last_loss", "val/loss", 'quo"te'])
def test_good_metric_names(name):
    tables.check_metric_name(name, ["loss", "other"])


@pytest.mark.parametrize("name", ["", "a" * 129, "_x", "Step", "TIME", "trial", "a\nb", "a\x00", 3, None])
def test_bad_metric_names(name):
    with pytest.raises(ValueError, match="metric") as caught:
        tables.check_metric_name(name)
    assert "\n" not in str(caught.value)


def test_names_that_differ_in_case_only():
    with pytest.raises(ValueError, match="differ in case only"):
        tables.check_metric_name("Loss", ["loss"])


def test_reading_imports_neither_pyarrow_nor_pandas_nor_ray():
    code = "import sys, caviar.store; print([m for m in ('pyarrow', 'pandas', 'ray') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
