"""Acts on trials as a page tells them: what somebody did, where it took effect, and on which branch."""

from datetime import UTC, datetime
from typing import Any

import pytest

from caviar.results.report.acts import SYMBOLS, TOGETHER, act_of, marks
from caviar.store.checkpoints import Cut


def made(action: str, step: int | None = 5, by: str = "user", **numbers: Any) -> dict[str, Any]:
    when = datetime(2026, 11, 30, 12, 44, tzinfo=UTC)
    return {"n": 3, "trial": 1, "action": action, "step": step, "decided_by": by, "numbers": numbers, "time": when}


@pytest.mark.parametrize(
    ("act", "step"),
    [
        (made("edit", set={"lr": 0.5}), 7),
        (made("edit", set={"lr": 0.5}, at_step=9) | {"n": 4}, 9),
        (made("rollback", to={"attempt": 0, "step": 2}), 2),
        (made("fork", to={"attempt": 0, "step": 3}), 3),
        (made("pause"), 5),
        (made("note", step=None, text="x"), None),
        (made("note", step=-1, text="x"), None),
        (made("rollback", to={"step": "x"}), None),
        (made("rollback", to=[]), 5),
        (made("guard", by="guard:diverged", why="it gives up"), 5),
    ],
)
def test_an_act_is_where_it_took_effect(act: dict[str, Any], step: int | None) -> None:
    found = act_of(act, {(1, 3): 7}, [])
    assert found is not None
    assert (found.step, found.trial, found.kind) == (step, 1, act["action"])
    assert found.cells[1] == ("–" if step is None else str(step))


def test_what_a_policy_does_is_no_act() -> None:
    assert act_of(made("pause", by="asha:eta=3"), {}, []) is None
    assert act_of(made("applied", edit=3), {}, []) is None


def test_what_an_act_was_is_said_as_it_is_written() -> None:
    back = made(
        "rollback", to={"step": 2}, set={"lr": 0.5}, old={"lr": 1}, who="ann@box", why="<b>spike</b>\n" + "x" * 9000
    )
    found = act_of(back, {}, [])
    assert found is not None
    assert found.said.startswith("was sent back at step 5 to step 2 by ann@box: lr 1 → 0.5 (<b>spike</b> xxx")
    assert found.cells[:4] == ("t1", "2", "◄ rollback", "lr 1 → 0.5, to step 2")
    assert found.cells[5:] == ("ann@box", "2026-11-30 12:44")
    assert max(map(len, (*found.cells, found.said))) <= 400, "a note may be long"


def test_a_change_bit_by_bit_is_a_ramp_and_a_guard_signs_what_it_did() -> None:
    found = act_of(made("edit", by="guard:plateau", set={"lr": 0.5}, old={"lr": 1}, over=20), {}, [])
    assert found is not None
    assert (found.kind, found.cells[3], found.cells[5]) == ("ramp", "lr 1 → 0.5, over 20 steps", "guard:plateau")


def test_a_fork_is_shown_on_its_parent() -> None:
    fork = made("fork", to={"attempt": 0, "step": 3}, parent=0, branch=1, set={"lr": 0.5}, old={"lr": 1})
    found = act_of(fork | {"trial": 2**30}, {}, [])
    assert found is not None
    assert (found.trial, found.branch, found.step) == (0, 1, 3)
    assert found.cells[0] == "t1073741824"
    assert found.cells[3] == "lr 1 → 0.5, from t0 at step 3"


BRANCH = {"trial": 1, "branch": 0, "points": [(4, 1.0), (8, 3.0)]}


def found_marks(*acts: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Of a trial that was rolled back to step 4 by decision 10."""
    backs = [made("rollback", to={"attempt": 0, "step": 4}) | {"n": 10}]
    known = [one for act in acts if (one := act_of(act, {}, backs)) is not None]
    told = marks(known, {1: [Cut(0, 4)]}, [BRANCH])
    return [(one["trial"], one["step"], one["value"], one["symbols"], len(one["said"])) for one in told]


def test_marks_are_on_the_branch_on_which_the_act_was_made() -> None:
    assert found_marks(made("note", 3)) == [(1, 3, None, "●", 1)], "before the step that both share"
    assert found_marks(made("note", 6)) == [(1, 6, 2.0, "●", 1)], "on the branch that ended"
    assert found_marks(made("note", 9)) == [(1, 8, 3.0, "●", 1)], "at its end, where it diverged"
    assert found_marks(made("note", 6) | {"n": 11}) == [(1, 6, None, "●", 1)], "on the one that lives"
    assert found_marks(made("note", None)) == []


def test_a_branch_that_diverged_at_once_has_no_marks() -> None:
    note = act_of(made("note", 6), {}, [])
    assert note is not None
    assert marks([note], {1: [Cut(0, 4)]}, [BRANCH | {"points": []}]) == []


def test_acts_at_one_place_have_one_mark() -> None:
    many = [made("note", 3) for _ in range(TOGETHER + 2)]
    assert found_marks(*many, made("pause", 3)) == [(1, 3, None, "●‖", TOGETHER + 1)]
    assert all(len(symbol) == 1 for symbol in SYMBOLS.values())
