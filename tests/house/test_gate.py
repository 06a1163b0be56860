"""`./caviar test`: every check runs, one line each; what failed decides the exit code.

Those in a browser come when the many others are through, and last of all those that need Ray.
"""

import os
import re
from itertools import combinations
from types import SimpleNamespace

import pytest
import threadpoolctl
from _pytest.mark.expression import Expression

from ..conftest import check_marks

CHECKS = ["ruff check", "ruff format", "lint-imports", "mypy", "pytest", "pytest"]
RAY = "pytest -q -n 2 "
MARKERS = ("ray", "install", "browser", "nightly", "gpu")


def checks(log: list[str]) -> list[str]:
    """Which tools were called, as far as CHECKS names them, one after the other."""
    return [next(name for name in CHECKS if line.startswith(name)) for line in log if not line.startswith(RAY)]


def of_ray(log: list[str]) -> list[str]:
    """The calls that run beside the others."""
    return [line for line in log if line.startswith(RAY)]


KINDS = [set(), *({name} for name in MARKERS), *map(set, combinations(MARKERS, 2))]
"""Tests with no marker, or with one or two of them."""


def selected(line: str) -> list[set[str]]:
    """Of KINDS, those that a call of pytest runs."""
    chosen = Expression.compile(re.search(r" -m (.*?)(?: --|$)", line)[1])

    def runs(kind: set[str]) -> bool:
        return chosen.evaluate(lambda name, **_: name in kind)

    return [kind for kind in KINDS if runs(kind)]


def test_every_check_runs_at_the_root_one_line_each(clone, tmp_path):
    clone("best")
    ran = clone("test", cwd=tmp_path)
    assert ran.returncode == 0
    log = clone.log("tools.log")
    assert checks(log) == CHECKS
    assert len(of_ray(log)) == 1
    assert set(clone.log("tools-in.log")) == {str(clone.root)}
    assert [line.split(" ok")[0].strip() for line in ran.stdout.splitlines()] == [
        "ruff check",
        "ruff format",
        "import rules",
        "mypy",
        *["pytest speaks"] * 3,
    ]


def test_files_are_looked_at_and_not_changed(clone):
    clone("test")
    lint, layout = [line for line in clone.log("tools.log") if line.startswith("ruff")]
    assert "--fix" not in lint
    assert "--check" in layout


def test_the_gate_runs_each_test_once_but_those_of_the_night_and_of_gpus(clone):
    clone("test")
    log = clone.log("tools.log")
    quick, drawn = [line for line in log if line.startswith("pytest") and line not in of_ray(log)]
    assert " tests/browser " in drawn
    runs = [kind for line in (quick, drawn, *of_ray(log)) for kind in selected(line)]
    assert sorted(map(sorted, runs)) == sorted(sorted(kind) for kind in KINDS if not kind & {"nightly", "gpu"})


def test_a_file_that_hides_its_marker_is_refused(tmp_path):
    """The half with Ray collects only files that name their markers."""
    hidden, plain = tmp_path / "test_hidden.py", tmp_path / "test_plain.py"
    hidden.write_text("from marks import needs_ray\n")
    plain.write_text("pytestmark = pytest.mark.ray\n")
    items = [SimpleNamespace(path=path, get_closest_marker="ray".__eq__) for path in (plain, hidden)]
    check_marks(items[:1])
    with pytest.raises(pytest.UsageError, match="test_hidden"):
        check_marks(items)


@pytest.mark.parametrize("tool", ["ruff", "lint-imports", "mypy"])
def test_a_check_that_fails_is_shown_and_fails_the_gate(clone, tool):
    ran = clone("test", STUB_FAILS=tool)
    assert ran.returncode == 1
    assert f"{tool} speaks" in ran.stdout
    assert "failed before pytest" in ran.stderr
    log = clone.log("tools.log")
    assert checks(log) == CHECKS
    assert len(of_ray(log)) == 1


@pytest.mark.parametrize("which", ["pytest", "pytest -q -n auto", RAY.strip(), "pytest -q tests/browser"])
def test_the_gate_ends_with_pytests_own_code(clone, which):
    assert clone("test", STUB_FAILS=which).returncode == 3


def test_what_runs_beside_the_rest_speaks_last_and_once_and_leaves_no_file(clone):
    clone("test")
    before = set((clone.root / ".venv").iterdir())
    ran = clone("test", STUB_SAYS="1")
    said = [line.replace("speaks of ", "") for line in ran.stdout.splitlines()[-3:]]
    assert [line.startswith(RAY) for line in said] == [False, False, True]
    assert set((clone.root / ".venv").iterdir()) == before


def test_a_quick_gate_leaves_out_ray_browsers_and_clones(clone):
    clone("best")
    assert clone("test", CAVIAR_QUICK="1").returncode == 0
    log = clone.log("tools.log")
    assert checks(log) == CHECKS[:-1]
    assert of_ray(log) == []
    assert selected(log[-1]) == [set()]


def test_arguments_are_pytests(clone):
    for fails, code in (("", 0), ("pytest", 3)):
        assert clone("test", "-k", "two words", STUB_FAILS=fails).returncode == code
        assert clone.log("tools.log") == ["pytest -k two words"]


def test_tests_side_by_side_have_one_thread_each_for_linear_algebra():
    """It is asked for before numpy is imported, or it comes too late, and they wait for each other."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    assert pools
    assert "PYTEST_XDIST_WORKER" not in os.environ or {pool["num_threads"] for pool in pools} == {1}
