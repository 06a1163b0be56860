"""Tables of the docs that follow from the code say what the code says."""

import importlib.util
import re

import pytest


@pytest.fixture
def tables(root):
    spec = importlib.util.spec_from_file_location("tables", root / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_as_they_follow_from_the_code(root, tables):
    found = set()
    for path in (root / "docs").glob("*.md"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r"<!-- table: ([^>]+) -->", text))
        assert tables.written(text) == text, f"type python docs/tables.py: {path.name} is behind"
    assert found == set(tables.TABLES)


def test_a_table_that_is_behind_is_written_anew(tables):
    behind = "a\n<!-- table: settings -->\n| old |\n<!-- end -->\nb"

    assert tables.written(behind) == f"a\n<!-- table: settings -->\n{tables.settings()}\n<!-- end -->\nb"
