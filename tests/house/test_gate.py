"""`./caviar test`: every check runs, one line each; what failed decides the exit code."""

import re

import pytest
from _pytest.mark.expression import Expression

CHECKS = ["ruff check", "ruff format", "lint-imports", "mypy", "pytest", "pytest"]
MARKERS = ("ray", "install", "nightly", "gpu")


def checks(log: list[str]) -> list[str]:
    """Which tools were called, as far as CHECKS names them."""
    return [next(name for name in CHECKS if line.startswith(name)) for line in log]


def selected(line: str) -> list[set[str]]:
    """Of tests with no marker, or with one or two of them, those that a call of pytest runs."""
    chosen = Expression.compile(re.search(r" -m (.*?)(?: --|$)", line)[1])

    def runs(kind: set[str]) -> bool:
        return chosen.evaluate(lambda name, **_: name in kind)

    return [kind for kind in (set(), *({a, b} for a in MARKERS for b in MARKERS)) if runs(kind)]


def test_every_check_runs_at_the_root_one_line_each(clone, tmp_path):
    clone("best")
    ran = clone("test", cwd=tmp_path)
    assert ran.returncode == 0
    assert checks(clone.log("tools.log")) == CHECKS
    assert set(clone.log("tools-in.log")) == {str(clone.root)}
    assert [line.split(" ok")[0].strip() for line in ran.stdout.splitlines()] == [
        "ruff check",
        "ruff format",
        "import rules",
        "mypy",
        "pytest speaks",
        "pytest speaks",
    ]


def test_files_are_looked_at_and_not_changed(clone):
    clone("test")
    lint, layout, *_ = clone.log("tools.log")
    assert "--fix" not in lint
    assert "--check" in layout


def test_the_gate_runs_each_test_once_but_those_of_the_night_and_of_gpus(clone):
    clone("test")
    quick, slow = map(selected, clone.log("tools.log")[-2:])
    assert quick == [set()]
    both = {"ray", "install"}
    assert slow == [kind for kind in ({a, b} for a in MARKERS for b in MARKERS) if kind <= both]


@pytest.mark.parametrize("tool", ["ruff", "lint-imports", "mypy"])
def test_a_check_that_fails_is_shown_and_fails_the_gate(clone, tool):
    ran = clone("test", STUB_FAILS=tool)
    assert ran.returncode == 1
    assert f"{tool} speaks" in ran.stdout
    assert "failed before pytest" in ran.stderr
    assert checks(clone.log("tools.log")) == CHECKS


def test_the_gate_ends_with_pytests_own_code(clone):
    assert clone("test", STUB_FAILS="pytest").returncode == 3


def test_a_quick_gate_leaves_out_ray_and_clones(clone):
    clone("best")
    assert clone("test", CAVIAR_QUICK="1").returncode == 0
    log = clone.log("tools.log")
    assert checks(log) == CHECKS[:-1]
    assert selected(log[-1]) == [set()]


def test_a_sample_is_one_test_in_twenty_five_of_those(clone):
    clone("best")
    assert clone("test", CAVIAR_QUICK="sample").returncode == 0
    log = clone.log("tools.log")
    assert checks(log) == CHECKS[:-1]
    assert selected(log[-1]) == [set()]
    assert log[-1].endswith(" --one-in 25")


def test_arguments_are_pytests(clone):
    for fails, code in (("", 0), ("pytest", 3)):
        assert clone("test", "-k", "two words", STUB_FAILS=fails).returncode == code
        assert clone.log("tools.log") == ["pytest -k two words"]
