"""Pause and promotion: on simulated workers, in virtual time, through the real scheduler; trials save and load."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.run.engine.pausing import END, Run, course

from caviar.run.executors.simulated import SimulatedDeathError, Stage
from caviar_workers.trial import Trial


@pytest.mark.parametrize("stopping", ["asha:eta=3", "hyperband:eta=3"])
def test_trials_pause_and_the_best_of_them_are_promoted_from_their_checkpoints(stopping: str) -> None:
    run = Run(stopping=stopping)
    run.loop.run()

    run.check_end()
    assert len(run.sink.rows["curves"]) < 0.6 * 30 * END
    assert len(run.curve()) == len(run.sink.rows["curves"])  # nothing was computed twice
    actions = Counter(row["action"] for row in run.sink.rows["decisions"])
    assert {"go_on", "pause", "promote", "stop"} >= set(actions) >= {"pause", "promote", "stop"}
    ended = {(row["trial"], row["attempt"]): row for row in run.sink.ended()}
    promoted = [row for row in ended.values() if row["cause"] == "promote"]
    assert len(promoted) == actions["promote"]
    for row in promoted:
        before = ended[row["trial"], row["attempt"] - 1]
        assert (before["state"], row["start"]) == ("PAUSED", before["step"] + 1)
    lr = {row["trial"]: row["lr"] for row in run.sink.rows["configs"]}
    assert run.states()[min(lr, key=lr.__getitem__)] == "COMPLETED"


def test_a_promoted_trial_goes_before_a_new_one_and_the_rest_is_stopped_by_the_policy() -> None:
    run = Run()
    run.loop.run()

    starts = {row["trial"]: row["started"] for row in run.sink.ended() if row["cause"] == "first"}
    first_promoted = min(row["started"] for row in run.sink.ended() if row["cause"] == "promote")
    assert any(start > first_promoted for start in starts.values())  # asynchronous: no rung waits until it is full
    stopped = [row for row in run.sink.ended() if row["state"] == "STOPPED"]
    assert stopped
    assert {(row["cause"], row["rows"]) for row in stopped} == {("stop", 0)}
    by_policy = {row["trial"] for row in run.sink.rows["decisions"] if row["action"] == "stop"}
    assert by_policy == {row["trial"] for row in stopped}
    assert all("rank" in json.loads(row["numbers"]) for row in run.sink.rows["decisions"])


def test_promotions_are_no_attempts_that_failed() -> None:
    """A trial may be promoted more often than it may be tried."""
    run = Run(stopping="asha:eta=1.5", trials=20)
    run.loop.run()

    run.check_end(20)
    assert max(row["attempt"] for row in run.sink.ended() if row["state"] == "COMPLETED") > 3
    assert run.loop.counters.failed == 0


@pytest.mark.parametrize("at", [95.0, 205.0, 415.0])
def test_a_sweep_that_was_interrupted_goes_on_with_its_paused_trials(at: float) -> None:
    first = Run()
    first.stop_at = at
    first.loop.run()
    states = Counter(first.states().values())
    assert states["PAUSED"]
    paused = first.rest().paused
    made = len(first.sink.rows["decisions"])

    again = Run(after=first)
    again.loop.run()

    again.check_end()
    numbers = [row["n"] for row in again.sink.rows["decisions"]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > made
    firsts = Counter(row["trial"] for row in again.sink.ended() if row["cause"] == "first")
    assert set(firsts.values()) == {1}
    causes = {row["cause"] for row in again.sink.ended() if row["trial"] in paused and row["attempt"]}
    assert causes <= {"promote", "stop"}  # who was paused waits on, and is not tried again


def test_a_process_that_dies_before_its_trial_has_paused_is_no_reason_to_train_it_on() -> None:
    died: Counter[int] = Counter()

    def mortal(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        for stage in course(config, trial):
            if stage[1] == 2 and trial.number % 5 == 4 and not died[trial.number]:
                died[trial.number] += 1
                yield 10.0, 2, stage[2]
                raise SimulatedDeathError
            yield stage

    run = Run(run=mortal)
    run.loop.run()

    run.check_end()
    assert sum(died.values()) == 6
    assert [row["state"] for row in run.sink.ended()].count("LOST") == 6
    told = {row["trial"] for row in run.sink.rows["decisions"] if row["action"] == "pause" and row["step"] == 1}
    again = {row["trial"]: row["cause"] for row in run.sink.ended() if row["attempt"] == 1}
    assert any(trial in told for trial in died)
    assert {again[trial] for trial in died if trial in told} <= {"promote", "stop"}


def test_a_trial_that_the_user_stops_while_it_is_paused_is_not_called_back() -> None:
    undisturbed = Run()
    undisturbed.loop.run()
    rows = {(row["trial"], row["attempt"]): row for row in undisturbed.sink.ended()}
    waits = {t: (row["started"] - rows[t, 0]["ended"]).total_seconds() for (t, a), row in rows.items() if a == 1}
    trial = max((t for t in waits if rows[t, 1]["cause"] == "promote"), key=waits.__getitem__)
    assert waits[trial] > 30

    run = Run()
    run.asked = {trial: rows[trial, 0]["ended"].timestamp() + 1}
    run.loop.run()

    run.check_end()
    assert run.states()[trial] == "STOPPED"
    assert all(row["cause"] != "promote" for row in run.sink.ended() if row["trial"] == trial)


def test_a_checkpoint_of_the_last_step_completes_its_trial_without_a_row() -> None:
    """Told to pause at the rung before its end, it pauses with a whole curve, and may still be promoted."""

    def short(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        for stage in course(config, trial):
            if stage[1] > 10:
                return
            yield stage

    run = Run(run=short, trials=12)
    run.loop.run()

    whole = [row for row in run.sink.ended() if row["state"] == "COMPLETED"]
    assert any(row["rows"] == 0 and row["start"] == 11 for row in whole)
    assert run.loop.counters.failed == 0
    assert {len([row for row in run.curve() if row["trial"] == one["trial"]]) for one in whole} == {11}


def test_trials_that_save_seldom_pause_late_and_those_that_never_save_begin_again() -> None:
    def seldom(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        saved = trial.load()
        first, total = (0, 0.0) if saved is None else (saved.step + 1, float(saved.data))
        for epoch in range(first, END):
            total += config["lr"]
            yield 10.0, epoch, {"loss": config["lr"] + 1.0 / (epoch + 1), "total": total}
            if trial.number % 3 and epoch % 6 == 0:
                trial.save(epoch, repr(total).encode())

    run = Run(run=seldom)
    run.loop.run()

    run.check_end()
    pauses = {(row["trial"] % 3 > 0, row["step"]) for row in run.sink.ended() if row["state"] == "PAUSED"}
    assert {step for saves, step in pauses if saves} <= {6, 12, 18, 24}
    assert {step for saves, step in pauses if not saves} <= {2, 4, 10, 28}
    scratch = [row for row in run.sink.ended() if row["cause"] == "promote" and row["trial"] % 3 == 0]
    assert scratch
    assert all(row["start"] == 0 for row in scratch)
