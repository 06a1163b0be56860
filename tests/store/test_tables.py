"""The schema and the names of metrics."""

import subprocess
import sys

import pyarrow as pa
import pytest

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
