import random

import pytest

from caviar.run.engine.live_trial import Loss
from caviar.run.engine.running_lease import Seen
from caviar.run.engine.trial_table import MOST_NODE_DEATHS, TrialTable
from caviar.run.engine.work import Work
from caviar.run.executors.executor import LeaseFailure
from caviar_workers.states import Action, Cause


def work(*trials: int) -> Work:
    return Work(
        trials=trials,
        attempts=(0,) * len(trials),
        seeds=trials,
        configs={"lr": tuple(float(trial) for trial in trials)},
    )


def tell(table: TrialTable, lease: int, *ended: int, runs: tuple[int, ...] = (), now: float = 0.0) -> None:
    """A lease says which of its trials have ended, and which run."""
    table.leases[lease].see(ended, {trial: Seen(now, now) for trial in runs})


def lose(table: TrialTable, lease: int, kind: LeaseFailure = LeaseFailure.LOST) -> Loss:
    """A lease dies that trains one trial after the other."""
    (loss,) = table.lose(lease, kind)
    return loss


def test_a_lone_trial_is_given_up_when_its_process_died_as_often_as_allowed() -> None:
    table = TrialTable(max_attempts=3)
    seen = []
    again = work(7)
    for lease in range(3):
        table.submit(lease, again)
        loss = lose(table, lease)
        seen.append((loss.given_up, loss.lost.attempts))
        again = table.retry(10) or work()

    assert seen == [(False, (0,)), (False, (1,)), (True, (2,))]
    assert table.waiting == 0


def test_a_lone_trial_is_given_up_only_when_many_nodes_died_under_it() -> None:
    table = TrialTable(max_attempts=2)
    seen = []
    again = work(7)
    for lease in range(MOST_NODE_DEATHS):
        table.submit(lease, again)
        seen.append(lose(table, lease, LeaseFailure.NODE).given_up)
        again = table.retry(10) or work()

    assert seen == [False] * (MOST_NODE_DEATHS - 1) + [True]
    assert table.waiting == 0


def test_lease_mates_are_not_charged_and_nobody_keeps_a_number_that_was_in_the_dead_process() -> None:
    table = TrialTable(max_attempts=1)
    table.submit(0, work(*range(8)))
    tell(table, 0, 0, 1)

    loss = lose(table, 0)

    assert not loss.given_up
    assert loss.lost.trials == (2,)
    assert table.waiting == 6
    first = table.retry(100)
    assert first is not None
    assert (first.trials, first.attempts) == ((2, 3), (1, 1))
    second = table.retry(1)
    assert second is not None
    assert (second.trials, second.configs["lr"]) == ((4,), (4.0,))


def test_a_culprit_among_thousands_soon_stands_alone_and_nobody_else_is_blamed() -> None:
    culprit, size = 1234, 4096
    table = TrialTable(max_attempts=1)
    pending = [work(*range(size))]
    finished: set[int] = set()
    deaths = 0
    given_up = None
    while pending:
        batch = pending.pop()
        table.submit(0, batch)
        if culprit in batch.trials:
            deaths += 1
            before = batch.trials[: batch.trials.index(culprit)]
            tell(table, 0, *before)
            finished.update(before)
            loss = lose(table, 0)
            given_up = loss.lost.trials if loss.given_up else given_up
        else:
            finished.update(batch.trials)
            table.end(0)
        while (again := table.retry(10**6)) is not None:
            pending.append(again)

    assert given_up == (culprit,)
    assert deaths <= 8
    assert finished == set(range(size)) - {culprit}


def test_a_process_killed_for_memory_is_its_present_trial_s_affair() -> None:
    table = TrialTable(max_attempts=3)
    table.submit(0, work(*range(4)))
    tell(table, 0, 0)

    assert not table.oom_before(work(1))
    assert not lose(table, 0, LeaseFailure.OOM).given_up
    assert (table.oom_before(work(1)), table.oom_before(work(2, 3))) == (True, False)
    assert [(again.trials, again.attempts) for again in iter(lambda: table.retry(10), None)] == [
        ((2, 3), (1, 1)),
        ((1,), (1,)),
    ]
    table.submit(1, work(1).again())
    assert lose(table, 1, LeaseFailure.OOM).given_up
    once = TrialTable(max_attempts=1)
    once.submit(0, work(5))
    assert lose(once, 0, LeaseFailure.OOM).given_up


def test_a_wrong_process_gives_back_what_has_not_begun_and_blames_nobody() -> None:
    table = TrialTable(max_attempts=1)
    table.submit(0, work(*range(4)))
    tell(table, 0, 0, 1, 2)
    table.refuse(0)
    table.submit(1, work(9))
    tell(table, 1, 9)
    table.refuse(1)

    again = table.retry(10)
    assert again is not None
    assert (again.trials, again.attempts) == ((3,), (0,))
    assert table.retry(10) is None


def test_what_ray_forgot_is_noticed_at_the_end_of_a_lease() -> None:
    table = TrialTable(max_attempts=3)
    table.submit(0, work(1, 2, 3))
    tell(table, 0, 1, 2)

    assert table.end(0).trials == (3,)
    assert table.in_flight == 0


def test_a_trial_that_takes_too_long_is_given_up_alone() -> None:
    table = TrialTable(max_attempts=3)
    table.submit(0, work(1, 2, 3))
    tell(table, 0, 1, runs=(2,), now=10.0)

    assert table.slow(now=14.0, timeout=5.0) == []
    assert table.slow(now=16.0, timeout=5.0) == [0]
    assert table.slow(now=17.0, timeout=5.0) == []
    loss = lose(table, 0)

    assert (loss.given_up, loss.lost.trials) == (True, (2,))
    again = table.retry(10)
    assert again is not None
    assert (again.trials, again.attempts) == ((3,), (1,))


def test_a_slow_trial_that_ended_just_before_its_lease_was_killed_is_not_given_up() -> None:
    table = TrialTable(max_attempts=3)
    table.submit(0, work(1, 2, 3))
    tell(table, 0, runs=(1,), now=0.0)
    table.slow(now=9.0, timeout=5.0)
    tell(table, 0, 1, now=9.1)
    loss = lose(table, 0)

    assert not loss.given_up
    assert loss.lost.trials == (2,)


def test_every_execution_but_the_first_carries_its_cause() -> None:
    table = TrialTable()
    table.submit(0, work(1, 2))
    table.lose(0)
    again = table.retry(2)
    assert again is not None
    assert [again.cause(place) for place in range(len(again))] == [Cause.RETRY]
    table.pause(again.again())
    table.promote(1)
    promoted = table.next()
    assert promoted is not None
    assert (promoted.attempts, promoted.cause(0)) == ((2,), Cause.PROMOTE)
    table.submit(1, promoted)
    table.refuse(1)  # nothing ran: it is still the same execution
    left = [table.retry(2), table.retry(2)]
    assert [(one.trials, one.cause(0)) for one in left if one] == [((2,), Cause.RETRY), ((1,), Cause.PROMOTE)]


@pytest.mark.parametrize("where", ["lease", "behind", "retry", "paused", "promoted", "nowhere"])
def test_a_trial_is_in_one_place_and_what_is_known_of_it_goes_with_its_end(where: str) -> None:
    table = TrialTable()
    if where in ("lease", "behind"):
        table.submit(0, work(*{"lease": (7, 8), "behind": (6, 7)}[where]))
    elif where == "retry":
        table.submit(0, work(7))
        table.lose(0)
    elif where in ("paused", "promoted"):
        table.pause(work(7).again())
    if where == "promoted":
        table.promote(7)
    table.asks(7, Action.STOP, decision=3)
    table.asks(7, Action.PAUSE, decision=4)  # a stop is final

    assert table.condemned == [(7, 3)]
    assert (table.where(7) is not None) == (where in ("lease", "behind"))
    assert table.runs(7) == (where == "lease")
    taken = table.take_out(7)
    assert (taken is not None) == (where in ("retry", "paused", "promoted"))
    assert taken is None or taken.attempts == (1,)
    assert table.take_out(7) is None
    assert (table.waiting, table.paused) == (0, 0)
    table.ended([7])
    assert (len(table), table.condemned) == (0, [])


ORDERS = [random.Random(seed).sample(range(12), 12) for seed in range(40)]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_trials_of_a_lease_may_end_in_any_order_and_several_may_run(order: list[int]) -> None:
    draw = random.Random(str(order))
    table = TrialTable(max_attempts=1)
    table.submit(5, work(*range(12)))
    lease = table.leases[5]
    ended: set[int] = set()
    left = list(order)
    while left:
        now = left[: draw.randint(1, 4)]
        left = left[len(now) :]
        runs = set(left[:3])
        tell(table, 5, *draw.sample(now, len(now)), runs=tuple(runs), now=2.0)
        ended.update(now)
        assert lease.left == table.in_flight == len(left)
        assert lease.rest().trials == tuple(sorted(left))
        assert all((table.where(trial) is None) == (trial in ended) for trial in range(12))
        assert [trial for trial in range(12) if table.runs(trial)] == sorted(runs)
        if draw.random() < 0.2:
            break
    loss = table.lose(5)

    assert {trial for part in loss for trial in part.lost.trials} == set(left[:3])
    again = list(iter(lambda: table.retry(100), None))
    assert sorted(trial for part in again for trial in part.trials) == sorted(left)
    assert {attempt for part in again for attempt in part.attempts} <= {1}


def test_of_trials_that_run_side_by_side_only_the_slow_one_is_given_up() -> None:
    table = TrialTable(max_attempts=3)
    table.submit(0, work(1, 2, 3, 4))
    tell(table, 0, runs=(1, 2), now=0.0)
    tell(table, 0, 1, runs=(3,), now=4.0)

    assert table.deadline(5.0) == 5.0
    assert table.slow(now=6.0, timeout=5.0) == [0]
    losses = table.lose(0)

    assert [(loss.lost.trials, loss.given_up, loss.killed_for) for loss in losses] == [
        ((2,), True, "timeout"),
        ((3,), False, ""),
    ]
    assert [again.trials for again in iter(lambda: table.retry(10), None)] == [(3, 4)]
