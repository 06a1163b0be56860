from caviar.schedule.ledger import Ledger
from caviar.schedule.work import Work


def work(*trials: int) -> Work:
    return Work(
        trials=trials,
        attempts=(0,) * len(trials),
        seeds=trials,
        configs={"lr": tuple(float(trial) for trial in trials)},
    )


def test_a_lone_trial_is_given_up_when_its_process_died_as_often_as_allowed() -> None:
    ledger = Ledger(max_attempts=3)
    seen = []
    again = work(7)
    for lease in range(3):
        ledger.submit(lease, again, now=float(lease))
        loss = ledger.lose(lease)
        seen.append((loss.given_up, loss.lost.attempts))
        again = ledger.retry(10) or work()

    assert seen == [(False, (0,)), (False, (1,)), (True, (2,))]
    assert ledger.waiting == 0


def test_lease_mates_are_not_charged_and_nobody_keeps_a_number_that_was_in_the_dead_process() -> None:
    ledger = Ledger(max_attempts=1)
    ledger.submit(0, work(*range(8)), now=0.0)
    ledger.running[0].done = 2

    loss = ledger.lose(0)

    assert not loss.given_up
    assert loss.lost.trials == (2,)
    assert ledger.waiting == 6
    first = ledger.retry(100)
    assert first is not None
    assert (first.trials, first.attempts) == ((2, 3), (1, 1))
    second = ledger.retry(1)
    assert second is not None
    assert (second.trials, second.configs["lr"]) == ((4,), (4.0,))


def test_a_culprit_among_thousands_soon_stands_alone_and_nobody_else_is_blamed() -> None:
    culprit, size = 1234, 4096
    ledger = Ledger(max_attempts=1)
    pending = [work(*range(size))]
    finished: set[int] = set()
    deaths = 0
    given_up = None
    while pending:
        batch = pending.pop()
        ledger.submit(0, batch, now=0.0)
        if culprit in batch.trials:
            deaths += 1
            ledger.running[0].done = batch.trials.index(culprit)
            finished.update(batch.trials[: ledger.running[0].done])
            loss = ledger.lose(0)
            given_up = loss.lost.trials if loss.given_up else given_up
        else:
            finished.update(batch.trials)
            ledger.end(0)
        while (again := ledger.retry(10**6)) is not None:
            pending.append(again)

    assert given_up == (culprit,)
    assert deaths <= 8
    assert finished == set(range(size)) - {culprit}


def test_a_process_killed_for_memory_is_its_present_trial_s_affair() -> None:
    ledger = Ledger(max_attempts=3)
    ledger.submit(0, work(*range(4)), now=0.0)
    ledger.running[0].done = 1

    assert not ledger.ran_short(work(1))
    assert not ledger.lose(0, "oom").given_up
    assert (ledger.ran_short(work(1)), ledger.ran_short(work(2, 3))) == (True, False)
    assert [(again.trials, again.attempts) for again in iter(lambda: ledger.retry(10), None)] == [
        ((2, 3), (1, 1)),
        ((1,), (1,)),
    ]
    ledger.submit(1, work(1).again(), now=0.0)
    assert ledger.lose(1, "oom").given_up
    once = Ledger(max_attempts=1)
    once.submit(0, work(5), now=0.0)
    assert once.lose(0, "oom").given_up


def test_a_wrong_process_gives_back_what_has_not_begun_and_blames_nobody() -> None:
    ledger = Ledger(max_attempts=1)
    ledger.submit(0, work(*range(4)), now=0.0)
    ledger.running[0].done = 3
    ledger.refuse(0)
    ledger.submit(1, work(9), now=0.0)
    ledger.running[1].done = 1
    ledger.refuse(1)

    again = ledger.retry(10)
    assert again is not None
    assert (again.trials, again.attempts) == ((3,), (0,))
    assert ledger.retry(10) is None


def test_what_ray_forgot_is_noticed_at_the_end_of_a_lease() -> None:
    ledger = Ledger(max_attempts=3)
    ledger.submit(0, work(1, 2, 3), now=0.0)
    ledger.running[0].done = 2

    assert ledger.end(0).trials == (3,)
    assert ledger.in_flight == 0


def test_a_trial_that_takes_too_long_is_given_up_alone() -> None:
    ledger = Ledger(max_attempts=3)
    ledger.submit(0, work(1, 2, 3), now=0.0)
    ledger.see(0, ended=1, runs=True, now=10.0)

    assert ledger.slow(now=14.0, timeout=5.0) == []
    assert ledger.slow(now=16.0, timeout=5.0) == [0]
    assert ledger.slow(now=17.0, timeout=5.0) == []
    loss = ledger.lose(0)

    assert (loss.given_up, loss.lost.trials) == (True, (2,))
    again = ledger.retry(10)
    assert again is not None
    assert (again.trials, again.attempts) == ((3,), (1,))


def test_a_slow_trial_that_ended_just_before_its_lease_was_killed_is_not_given_up() -> None:
    ledger = Ledger(max_attempts=3)
    ledger.submit(0, work(1, 2, 3), now=0.0)
    ledger.see(0, ended=0, runs=True, now=0.0)
    ledger.slow(now=9.0, timeout=5.0)
    ledger.see(0, ended=1, runs=False, now=9.1)
    loss = ledger.lose(0)

    assert not loss.given_up
    assert loss.lost.trials == (2,)
