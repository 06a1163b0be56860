"""Marks of acts: what somebody did by hand, and where it took effect."""

from typing import Any

import pytest

from caviar.results.report.acts import mark


def made(action: str, step: int | None = 5, by: str = "user", **numbers: Any) -> dict[str, Any]:
    return {"n": 3, "trial": 1, "action": action, "step": step, "decided_by": by, "numbers": numbers}


@pytest.mark.parametrize(
    ("act", "step"),
    [
        (made("edit", set={"lr": 0.5}), 7),
        (made("edit", set={"lr": 0.5}, at_step=9) | {"n": 4}, 9),
        (made("rollback", to={"attempt": 0, "step": 2}), 2),
        (made("fork", to={"attempt": 0, "step": 3}), 3),
        (made("pause"), 5),
        (made("pause", by="asha:eta=3"), None),
        (made("note", step=None, text="x"), None),
        (made("rollback", to={"step": "x"}), None),
        (made("rollback", to=[]), 5),
        (made("applied", edit=3), None),
    ],
)
def test_an_act_is_marked_where_it_took_effect(act: dict[str, Any], step: int | None) -> None:
    found = mark(act, {(1, 3): 7})
    assert (None if found is None else (found["step"], found["trial"], found["kind"])) == (
        None if step is None else (step, 1, act["action"])
    )


def test_what_an_act_was_is_said_as_it_is_written() -> None:
    found = mark(
        made("rollback", to={"step": 2}, set={"lr": 0.5}, old={"lr": 1}, who="ann@box", why="<b>spike</b>"), {}
    )
    assert found is not None
    assert found["said"] == "was sent back at step 5 to step 2 by ann@box: lr 1 → 0.5 (<b>spike</b>)"
