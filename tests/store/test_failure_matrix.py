"""Every test that docs/store.md names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:tests/[\w/]+/)?test_\w+\.py)(?:::(test_\w+))?`")


def test_every_line_of_the_failure_matrix_names_tests_that_exist():
    lines = [line for line in (ROOT / "docs" / "store.md").read_text().splitlines() if line.startswith("| ")]
    assert len(lines) > 20
    for line in lines[1:]:
        assert NAMED.search(line.rpartition("|")[0].rpartition("|")[2]), line
    for file, function in NAMED.findall("\n".join(lines)):
        path = ROOT / file if "/" in file else ROOT / "tests" / "store" / file
        assert path.exists(), file
        assert f"def {function}" in path.read_text(), f"{file}::{function}"
