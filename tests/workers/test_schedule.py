"""The configuration of a trial at each step is one fold of its decisions."""

import pytest

from caviar_workers.schedule import config_at, schedule_of, settled_at

FIRST = {"lr": 1.0, "units": 32}


def edit(n, step, lr, **more):
    return {"n": n, "action": "edit", "step": step, "numbers": {"set": {"lr": lr}, **more}}


def applied(n, edit, step):
    return {"n": n, "action": "applied", "step": step, "numbers": {"edit": edit}}


def rates(decisions, steps):
    changes = schedule_of(decisions)
    return [config_at(FIRST, changes, step)["lr"] for step in steps]


def test_without_edits_it_is_the_first_one():
    assert config_at(FIRST, (), 7) == FIRST
    assert config_at(FIRST, (), 7) is not FIRST


def test_the_row_of_the_step_at_which_an_edit_was_taken_was_trained_before_it():
    assert rates([edit(0, 10, 0.5), applied(1, 0, 12)], [0, 12, 13, 99]) == [1.0, 1.0, 0.5, 0.5]
    assert config_at(FIRST, schedule_of([edit(0, None, 0.5)]), 0) == {"lr": 0.5, "units": 32}


def test_until_it_is_taken_it_is_due_where_its_trial_stood_or_where_it_was_asked_for():
    assert rates([edit(0, 10, 0.5)], [10, 11]) == [1.0, 0.5]
    assert rates([edit(0, 10, 0.5, at_step=20)], [20, 21]) == [1.0, 0.5]
    (change,) = schedule_of([edit(0, 10, 0.5)])
    assert not change.settled
    assert settled_at([change], 9) == (change,)
    assert settled_at([change], 12)[0].after == 12
    assert settled_at(settled_at([change], 12), 15)[0].after == 12


def test_an_edit_is_not_due_before_those_that_were_taken_when_it_was_made():
    """Their rows may have died with a process: its trial seemed to stand before them."""
    acts = [edit(0, 10, 0.5), applied(1, 0, 20), edit(2, 15, 1.5)]
    assert rates(acts, [20, 21, 30]) == [1.0, 1.5, 1.5]
    assert rates([*acts, applied(3, 2, 20)], [20, 21, 30]) == [1.0, 1.5, 1.5]


def test_the_first_word_of_when_it_was_taken_holds():
    assert rates([edit(0, 10, 0.5), applied(1, 0, 12), applied(2, 0, 30)], [13]) == [0.5]


def test_edits_hold_in_the_order_of_their_steps_and_of_one_step_the_later_one_counts():
    later = [edit(0, 5, 0.5, at_step=20), edit(1, 6, 0.25), applied(2, 1, 8), applied(3, 0, 20)]
    assert rates(later, [8, 9, 20, 21]) == [1.0, 0.25, 0.25, 0.5]
    assert rates([edit(0, 5, 0.5), edit(1, 5, 0.25), applied(2, 0, 8), applied(3, 1, 8)], [9]) == [0.25]


@pytest.mark.parametrize(
    ("first", "last", "scale", "middle"),
    [(1.0, 0.01, "log", 0.1), (1.0, 0.0, "linear", 0.5), (0.9, 0.999, "reverse_log", 0.99), (32, 65, "int", 48)],
)
def test_a_ramp_goes_along_the_scale_and_its_last_step_has_the_whole_value(first, last, scale, middle):
    ramp = schedule_of([edit(0, 10, last, over=4, scales={"lr": scale}), applied(1, 0, 12)])
    found = [config_at({"lr": first}, ramp, step)["lr"] for step in (12, 14, 16, 17)]
    assert found[0] == first
    assert found[1] == pytest.approx(middle)
    assert found[2:] == [last, last]
    assert scale != "int" or all(type(one) is int for one in found)


def test_an_edit_within_a_ramp_ends_it_and_a_ramp_within_a_ramp_begins_where_that_is():
    ramp = [edit(0, 0, 0.0, over=10, scales={"lr": "linear"}), applied(1, 0, 0)]
    assert rates([*ramp, edit(2, 3, 0.9), applied(3, 2, 4)], [4, 5, 9, 20]) == [0.6, 0.9, 0.9, 0.9]
    bent = [*ramp, edit(2, 3, 0.0, over=2, scales={"lr": "linear"}), applied(3, 2, 4)]
    assert rates(bent, [4, 5, 6, 9]) == pytest.approx([0.6, 0.25, 0.0, 0.0])


def test_who_asks_at_one_step_is_told_what_who_follows_all_steps_is_told():
    """A ramp of a ramp is no matter of how often train reports."""
    acts = [edit(0, 0, 0.1, over=7, scales={"lr": "log"}), applied(1, 0, 2), edit(2, 5, 2.0, over=3), applied(3, 2, 6)]
    assert rates(acts, range(15))[::3] == rates(acts, range(0, 15, 3))


def rollback(n, to, **values):
    numbers = {"to": {"attempt": 0, "step": to}} | ({"set": values} if values else {})
    return {"n": n, "action": "rollback", "step": 99, "numbers": numbers}


def test_a_rollback_goes_on_with_what_its_step_was_trained_with_and_forgets_the_rest():
    acts = [edit(0, 3, 0.5), applied(1, 0, 5), edit(2, 9, 0.25), applied(3, 2, 10), edit(4, 11, 0.1, at_step=50)]
    assert rates([*acts, rollback(5, 10)], [5, 6, 10, 11, 60]) == [1.0, 0.5, 0.5, 0.5, 0.5]
    assert rates([*acts, rollback(5, 5)], [6, 60]) == [1.0, 1.0]
    assert rates([*acts, rollback(5, 8, lr=0.3)], [8, 9, 60]) == [0.5, 0.3, 0.3]
    assert rates([*acts, rollback(5, 8, lr=0.3), rollback(6, 8)], [8, 9, 60]) == [0.5, 0.5, 0.5]
    later = [*acts, rollback(5, 8, lr=0.3), edit(6, 20, 0.2), applied(7, 6, 21), rollback(8, 15)]
    assert rates(later, [9, 15, 22]) == [0.3, 0.3, 0.3]


def test_a_ramp_that_had_begun_goes_on_behind_a_rollback():
    ramp = [edit(0, 0, 0.0, over=10, scales={"lr": "linear"}), applied(1, 0, 2), rollback(2, 6)]
    assert rates(ramp, [6, 7, 12, 20]) == pytest.approx([0.6, 0.5, 0.0, 0.0])


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ({"set": {"lr": "x"}, "over": 4, "scales": {"lr": ["log"]}}, "x"),
        ({"set": {"lr": -1.0}, "over": 4, "scales": {"lr": "log"}}, -1.0),
        ({"set": {"lr": {"a": 1}}, "over": 4}, {"a": 1}),
        ({"set": {"lr": 1e308, "new": 1}, "over": 4, "scales": {"lr": "log"}}, None),
        ({"set": {"lr": float("nan")}}, 1.0),
        ({"set": [1], "scales": 3, "over": "x", "at_step": []}, 1.0),
    ],
)
def test_what_a_stranger_wrote_changes_values_or_nothing_and_raises_never(numbers, found):
    acts = [{"n": 0, "action": "edit", "step": 5, "numbers": numbers}, applied(1, 0, 5)]
    value = rates(acts, [6, 9, 99])[0]
    assert value == found or (found is None and 1.0 < value < 1e308)


def test_an_edit_that_was_taken_at_no_step_is_due_still():
    assert rates([edit(0, 5, 0.5), applied(1, 0, None)], [5, 6]) == [1.0, 0.5]
