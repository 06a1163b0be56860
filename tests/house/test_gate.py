"""`./caviar test`: every check runs, one line each; what failed decides the exit code."""

import pytest

CHECKS = [
    "ruff check .",
    "ruff format --check .",
    "lint-imports ",
    "mypy ",
    "pytest -q -n auto --dist worksteal -m not ray and not install and not nightly and not gpu",
    "pytest -q -m (ray or install) and not nightly and not gpu",
]


def test_every_check_runs_at_the_root_one_line_each(clone, tmp_path):
    clone("best")
    ran = clone("test", cwd=tmp_path)
    assert ran.returncode == 0
    assert clone.log("tools.log") == CHECKS
    assert set(clone.log("tools-in.log")) == {str(clone.root)}
    assert [line.split(" ok")[0].strip() for line in ran.stdout.splitlines()] == [
        "ruff check",
        "ruff format",
        "import rules",
        "mypy",
        "pytest speaks",
        "pytest speaks",
    ]


@pytest.mark.parametrize("tool", ["ruff", "lint-imports", "mypy"])
def test_a_check_that_fails_is_shown_and_fails_the_gate(clone, tool):
    ran = clone("test", STUB_FAILS=tool)
    assert ran.returncode == 1
    assert f"{tool} speaks" in ran.stdout
    assert "failed before pytest" in ran.stderr
    assert clone.log("tools.log") == CHECKS


def test_the_gate_ends_with_pytests_own_code(clone):
    assert clone("test", STUB_FAILS="pytest").returncode == 3


def test_a_quick_gate_leaves_out_ray_and_clones(clone):
    clone("best")
    assert clone("test", CAVIAR_QUICK="1").returncode == 0
    assert clone.log("tools.log") == CHECKS[:-1]


def test_a_sample_is_one_test_in_twenty_five_of_those(clone):
    clone("best")
    assert clone("test", CAVIAR_QUICK="sample").returncode == 0
    assert clone.log("tools.log") == [*CHECKS[:-2], f"{CHECKS[-2]} --one-in 25"]


def test_arguments_are_pytests(clone):
    for fails, code in (("", 0), ("pytest", 3)):
        assert clone("test", "-k", "two words", STUB_FAILS=fails).returncode == code
        assert clone.log("tools.log") == ["pytest -k two words"]
