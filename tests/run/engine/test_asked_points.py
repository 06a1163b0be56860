"""Guided sweeps in virtual time: asked one by one, told of everything, resumed with the same points."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from tests.run.engine.tables import Tables

from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import AskedPoints, ResumeState, SampledTrials
from caviar.run.executors.simulated import SimulatedExecutor, Stage
from caviar.search.samplers import List, make_sampler
from caviar.search.searchers import make_searcher
from caviar.search.stopping import parse_stopping
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.trial import Trial

SPACE = Space({"a": Float(0.0, 1.0), "b": Float(0.0, 1.0)})


def course(config: dict[str, Any], _trial: Trial) -> Iterator[Stage]:
    for step in range(10):
        yield 10.0, step, {"loss": (config["a"] - 0.2) ** 2 + (config["b"] - 0.7) ** 2 + 1.0 / (step + 1)}


def sweep(
    trials: int, searcher: str, workers: int, rest: ResumeState | None = None, sampler: Any = "sobol", **restore: Any
) -> Tables:
    plan = Plan(
        name="s",
        metric="loss",
        mode="min",
        trials=trials,
        seed=1,
        space=SPACE,
        sampler=sampler,
        stopping="asha",
        searcher=searcher,
    )
    adviser = PolicyRunner(
        {plan.stopping: parse_stopping(plan.stopping).policy(mode="min", pausing=False)},
        "loss",
        make_searcher(searcher, SPACE, mode="min", seed=1),
        searcher,
    )
    if restore:
        adviser.restore(**restore)
    asks = AskedPoints(adviser.ask, restore.get("points", ()))
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 1, trials), rest=rest or ResumeState(), asks=asks)
    executor = SimulatedExecutor(course, workers=workers)
    sink = Tables()
    Scheduler(
        plan, "s", supply, Ports(executor=executor, sink=sink, clock=executor.clock), policies=adviser, round_s=math.inf
    ).run()
    return sink


def test_exactly_the_planned_trials_are_asked_for_and_later_ones_are_better() -> None:
    for searcher in ("local", "gp"):
        sink = sweep(60, searcher, workers=4)
        loss = [(row["a"] - 0.2) ** 2 + (row["b"] - 0.7) ** 2 for row in sink.rows["configs"]]

        assert [row["trial"] for row in sink.rows["configs"]] == list(range(60))
        assert sorted({row["trial"] for row in sink.ended()}) == list(range(60))
        assert np.median(loss[40:]) < np.median(loss[:16]) / 3
        asked = [row for row in sink.rows["decisions"] if row["action"] == "ask"]
        assert [(row["trial"], row["decided_by"]) for row in asked] == [(n, searcher) for n in range(60)]


def test_no_point_is_asked_for_before_a_slot_is_free() -> None:
    sink = sweep(20, "local", workers=4)
    first_rows = sink.order.index("curves")

    assert sink.order[:first_rows].count("configs") == 4


def test_the_same_sweep_asks_for_the_same_points() -> None:
    one, two = (sweep(40, "gp", workers=3).rows["configs"] for _ in range(2))

    assert one == two


def test_a_resumed_sweep_gives_its_trials_their_recorded_points_and_asks_on() -> None:
    sink = sweep(40, "local", workers=4)
    configs = sink.rows["configs"][:30]
    ended = {row["trial"]: row["state"] for row in sink.ended() if row["trial"] < 29}
    rows = sorted((row["trial"], row["step"], row["loss"]) for row in sink.rows["curves"] if row["trial"] < 29)
    made = [row for row in sink.rows["decisions"] if row["trial"] < 29]
    rest = ResumeState(written=30, attempts={29: 1}, completed=1, decided=len(made))
    points = [np.array(row["u"]) for row in configs]
    later = sweep(40, "local", 4, rest, rows=rows, decisions=made, ended=ended, points=points)

    assert [row["trial"] for row in later.rows["configs"]] == list(range(30, 40))
    assert sorted({row["trial"] for row in later.ended()}) == list(range(29, 40))
    asked = [row["trial"] for row in later.rows["decisions"] if row["action"] == "ask"]
    assert asked == list(range(30, 40))


def test_what_a_user_listed_comes_first_exactly_as_it_was_typed() -> None:
    listed = {"a": 0.3, "b": 0.7000000000000001}
    sampler = List([listed])
    points = [make_sampler(sampler, SPACE, 1, 6).points(0, 1)[0] * (1 - 1e-12)]  # as a bit that is lost on the way
    sink = sweep(6, "local", 2, sampler=sampler, points=points, rows=[], decisions=[], ended={})

    assert [sink.rows["configs"][0][name] for name in ("a", "b")] == [0.3, 0.7000000000000001]
