"""`caviar stop` where nobody runs; with drivers, see tests/run/test_stop.py."""

import json

import pytest

from .conftest import Caviar, Filled


def test_a_sweep_that_is_finished_is_said_to_be_so(caviar: Caviar, filled: Filled) -> None:
    output = caviar("stop", "digits", "--store", filled.path)

    assert (output.code, output.out) == (0, "")
    assert output.err == f"sweep {filled.digits} is finished; next: caviar best --store {filled.path} {filled.digits}\n"


def test_a_sweep_whose_driver_is_gone_is_said_to_be_interrupted(caviar: Caviar, filled: Filled) -> None:
    output = caviar("stop", "--json", "--store", filled.path)

    assert output.code == 0
    assert json.loads(output.out) == {
        "sweep": filled.later,
        "state": "interrupted",
        "trial": None,
        "trial_state": None,
        "next": f"caviar resume --store {filled.path} {filled.later}",
    }


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("digits", "--trial", "t3"), 0, "trial 3 of sweep {digits} is FAILED; next: caviar best"),
        (("digits", "--trial", "8"), 4, "has no trial 8; its trials are 0 to 7"),
        (("--trial", "2"), 1, "sweep {later} is not running, so trial 2 was not stopped"),
        (("--trial", "3"), 1, "trial 3 was not stopped"),
        (("--trial", "x"), 2, "A trial is a number"),
        (("nosuch",), 4, "No sweep 'nosuch'"),
    ],
)
def test_every_other_case_is_one_sentence(
    caviar: Caviar, filled: Filled, args: tuple[str, ...], code: int, words: str
) -> None:
    output = caviar("stop", *args, "--store", filled.path)

    assert output.code == code
    assert words.format(digits=filled.digits, later=filled.later) in output.err
    assert output.err.count("\n") == 1
