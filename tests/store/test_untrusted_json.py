"""What a stored description may say; whole stores with odd ones are in tests/cli/test_broken_sweeps.py."""

from typing import Any

import pytest

from caviar.store.untrusted_json import Unreadable, described


def description(*names: str) -> dict[str, Any]:
    parameters = {name: {"kind": "float"} for name in names}
    return {
        "created": "2026-11-23T04:12:33+00:00",
        "plan": {"metric": "loss", "trials": 3, "space": {"parameters": parameters}},
    }


@pytest.mark.parametrize("name", ["", "trial", "U", "_x", "last_loss", "best_x", "a\nb", "a\x1b[2Jb", "x" * 129])
def test_a_parameter_s_name_is_one_that_a_parameter_may_have(name: str) -> None:
    with pytest.raises(Unreadable, match=r"plan\.space is an object of parameters"):
        described(description("lr", name), "x")


def test_names_differ_in_more_than_case() -> None:
    assert described(description("lr", "Größe", 'a "b"', "max_depth"), "x")
    with pytest.raises(Unreadable, match=r"plan\.space"):
        described(description("lr", "LR"), "x")
