"""What drivers want of a cluster is added up, and forgotten with them."""

from caviar_workers.room_wanted import SILENT_S, RoomWanted

ONE, TWO = {"CPU": 1.0}, {"CPU": 2.0, "GPU": 1.0}


def test_the_wants_of_all_are_added_up_whatever_the_order_in_which_they_come() -> None:
    wanted = RoomWanted()
    wanted.want("b", TWO, 1, 0.0)
    wanted.want("a", ONE, 2, 1.0)
    before = wanted.bundles(1.0)
    wanted.want("b", TWO, 1, 2.0)
    assert before == wanted.bundles(2.0) == [ONE, ONE, TWO]


def test_who_wants_less_or_nothing_any_more_takes_it_back() -> None:
    wanted = RoomWanted()
    wanted.want("a", ONE, 5, 0.0)
    wanted.want("a", ONE, 1, 1.0)
    assert wanted.bundles(1.0) == [ONE]
    wanted.want("a", ONE, 0, 2.0)
    assert wanted.bundles(2.0) == []
    assert wanted.heard == 1.0


def test_a_driver_that_is_silent_is_forgotten_and_the_others_are_not() -> None:
    wanted = RoomWanted()
    wanted.want("dead", ONE, 3, 0.0)
    wanted.want("alive", TWO, 1, 10.0)
    assert len(wanted.bundles(SILENT_S - 0.1)) == 4
    assert wanted.bundles(SILENT_S) == [TWO]
