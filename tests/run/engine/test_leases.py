from typing import Any

from caviar import Float, Sweep
from caviar.run.engine.leases import GROWTH, MOST, Pace, lease_of, leases_left, pack_size, surrounded, window_of
from caviar.run.engine.work import Kept, Work
from caviar_workers.messages import Demand, Program


def test_the_first_leases_carry_one_trial() -> None:
    assert pack_size(Pace(), waiting=10_000, slots=2) == 1


def test_short_trials_are_packed_to_about_ten_seconds() -> None:
    assert pack_size(Pace(0.001, 10_000), waiting=100_000, slots=2) == 10_000
    assert pack_size(Pace(1.03, 9), waiting=100_000, slots=2) == 9


def test_long_trials_go_one_to_a_lease() -> None:
    assert pack_size(Pace(12.0, 1), waiting=100_000, slots=2) == 1


def test_one_quick_trial_proves_little() -> None:
    assert pack_size(Pace(1e-6, 1), waiting=100_000, slots=2) == GROWTH


def test_there_is_a_limit_and_the_last_trials_are_shared_out() -> None:
    assert pack_size(Pace(1e-9, MOST), waiting=10**9, slots=2) == MOST
    assert pack_size(Pace(0.1, 1000), waiting=20, slots=2) == 3
    assert pack_size(Pace(0.1, 1000), waiting=4, slots=2) == 1
    assert pack_size(Pace(0.1, 1000), waiting=1, slots=8) == 1


def test_the_last_short_trials_are_not_cut_into_leases_that_cost_more_than_they_carry() -> None:
    assert pack_size(Pace(1e-5, MOST), waiting=15_000, slots=2) == 5000


def test_as_many_leases_wait_as_there_are_slots_and_an_eighth_of_many() -> None:
    assert [window_of(slots, ahead=True) for slots in (1, 8, 64, 128, 1000, 10_000)] == [2, 16, 128, 192, 1125, 11_250]
    assert window_of(1000, ahead=False) == 1000


def test_what_is_left_is_as_many_leases_as_it_fills() -> None:
    assert leases_left(Pace(), waiting=60, alone=False) == 60
    assert leases_left(Pace(60.0, 1), waiting=60, alone=False) == 60
    assert leases_left(Pace(0.1, 10), waiting=250, alone=False) == 3
    assert leases_left(Pace(0.1, 10), waiting=250, alone=True) == 250
    assert leases_left(Pace(0.1, 10), waiting=0, alone=False) == 0


def test_the_pace_follows_the_durations_and_remembers_the_largest_lease() -> None:
    pace = Pace().after([2.0, 4.0], 2)

    assert pace == Pace(3.0, 2)
    assert pace.after([1.0], 1) == Pace(2.0, 2)
    assert pace.after([], 50) == pace


def train(config: dict[str, Any], trial: Any) -> None: ...


def test_a_program_with_other_variables_or_another_folder_is_another_one() -> None:
    program = Program(digest="d", train="train")
    given: list[dict[str, Any]] = [{}, {"env": {"A": "1"}}, {"env": {"A": "2"}}, {"workdir": "w"}]
    made = [surrounded(program, Sweep(train, {"x": Float(0, 1)}, "loss", **one).plan) for one in given]
    assert made[0].digest == "d"
    assert len({one.digest for one in made}) == len(given)
    assert "secret" not in repr(Program(digest="d", train="train", env={"P": "secret"}))


def test_a_mailbox_is_made_beforehand_where_messages_are_to_be_expected() -> None:
    def has_mailbox(slots: int = 1, live: bool = False, **given: Any) -> bool:
        plan = Sweep(train, {"x": Float(0, 1, live=live)}, "loss", **given).plan
        work = Work(trials=(0,), attempts=(0,), seeds=(0,), configs={"x": (0.5,)})
        return lease_of(plan, "s", 0, work, Kept(), Demand(), slots).has_mailbox

    assert not has_mailbox()
    assert has_mailbox(live=True)
    assert has_mailbox(stopping="asha")
    assert has_mailbox(slots=1000)
