from typing import Any

import pytest

from caviar.errors import SpecError
from caviar.run.engine import trial_source as module
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.search.samplers import Constraint, List, make_sampler, trial_seeds
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar_workers import tables


def plan(trials: int, **given: object) -> Plan:
    space = Space({"lr": Float(1e-4, 1.0, scale="log"), "units": Int(50, 100), "act": Choice(["relu", "tanh"])})
    return Plan(name="s", metric="loss", mode="min", trials=trials, seed=3, space=space, **given)  # type: ignore[arg-type]


def supply(of: Plan, constraint: Constraint | None = None, **given: Any) -> SampledTrials:
    sampler = make_sampler(of.sampler, of.space, of.seed, of.trials)
    return SampledTrials(of, sampler, constraint=constraint, rest=ResumeState(**given))


def everything(source: SampledTrials, size: int) -> tuple[list[tuple[Any, ...]], list[dict[str, Any]]]:
    """All trials as (trial, attempt, seed, config), and the rows for the configs table."""
    found: list[tuple[Any, ...]] = []
    rows: list[dict[str, Any]] = []
    while source.waiting:
        table = source.draw()
        rows += table.to_pylist() if table is not None else []
        work = source.take(size)
        found += [(t, work.attempts[i], work.seeds[i], work.config_of(t)) for i, t in enumerate(work.trials)]
    return found, rows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 16)


def test_every_trial_comes_once_and_in_order_however_it_is_cut() -> None:
    of = plan(50)
    one, rows = everything(supply(of), 1)
    many, _ = everything(supply(of), 7)

    assert [entry[0] for entry in one] == list(range(50))
    assert one == many
    assert [row["trial"] for row in rows] == list(range(50))
    assert [entry[2] for entry in one] == trial_seeds(3, 0, 50).tolist()


def test_the_configs_table_holds_what_the_trials_get() -> None:
    found, rows = everything(supply(plan(20)), 4)

    for (_, _, seed, config), row in zip(found, rows, strict=True):
        assert row["seed"] == seed
        assert {name: row[name] for name in ("lr", "units", "act")} == config
        assert len(row["u"]) == 3
    assert supply(plan(3)).draw().schema.names[:4] == tables.CONFIGS.names


def test_resuming_gives_the_trials_that_are_left_as_they_would_have_been() -> None:
    of = plan(50)
    whole, _ = everything(supply(of), 10)

    found, rows = everything(supply(of, written=40, attempts={3: 1, 17: 2, 39: 0}), 10)

    assert [(entry[0], entry[1]) for entry in found] == [(3, 1), (17, 2), (39, 0), *((i, 0) for i in range(40, 50))]
    assert [entry[2:] for entry in found] == [entry[2:] for entry in whole if entry[0] in {3, 17, 39} or entry[0] >= 40]
    assert [row["trial"] for row in rows] == list(range(40, 50))


def test_what_was_dropped_never_comes_back_but_has_its_configuration() -> None:
    source = supply(plan(50), written=20, attempts={3: 1}, dropped=frozenset({25, 40}))
    source.draw()
    taken = [source.take_out(trial) for trial in (3, 4, 30, 30, 25, 60)]
    assert [work and work.attempts for work in taken] == [(1,), None, (0,), None, None, None]
    assert source.waiting == 50 - 20 - 3

    found, rows = everything(source, 7)

    assert [entry[0] for entry in found] == [i for i in range(20, 50) if i not in {25, 30, 40}]
    assert [row["trial"] for row in rows] == list(range(20, 50))


def test_nothing_is_left_of_a_finished_sweep() -> None:
    assert supply(plan(50), written=50, attempts={}).waiting == 0


def test_longer_sweeps_begin_as_shorter_ones_do() -> None:
    short, _ = everything(supply(plan(20)), 5)
    long, _ = everything(supply(plan(50)), 5)

    assert long[:20] == short


def small(config: dict[str, Any]) -> bool:
    return float(config["lr"]) < 0.1


def test_a_constraint_skips_raw_indices_and_stores_them() -> None:
    of = plan(50)
    found, rows = everything(supply(of, constraint=small), 7)

    index = [row["index"] for row in rows]
    raw = make_sampler(of.sampler, of.space, of.seed, of.trials).points(0, index[-1] + 1)
    assert index == [i for i, point in enumerate(raw) if small(of.space.config(point))]
    assert [entry[0] for entry in found] == list(range(50))
    assert [row["trial"] for row in rows] == list(range(50))
    assert all(small(entry[3]) for entry in found)
    assert [row["u"] for row in rows] == raw[index].tolist()


def test_resuming_under_a_constraint_gives_the_same_trials() -> None:
    of = plan(50)
    whole, rows = everything(supply(of, constraint=small), 10)

    newest = rows[39]["index"]
    again, more = everything(supply(of, constraint=small, written=40, attempts={3: 1, 20: 0}, newest=newest), 4)

    assert [entry[2:] for entry in again] == [entry[2:] for entry in whole if entry[0] in {3, 20} or entry[0] >= 40]
    assert more == rows[40:]
    with pytest.raises(SpecError, match="its constraint has changed; run it as a new sweep"):
        everything(supply(of, written=40, attempts={}, newest=newest), 4)


def test_what_does_not_exist_is_null_in_the_store_and_absent_from_the_config() -> None:
    space = Space(
        {
            "opt": ["sgd", "adam"],
            "m": Float(0, 1, when={"opt": "sgd"}),
            "n": Int(1, 9, when={"opt": "adam"}),
            "flag": Choice([True, False], when={"opt": "sgd"}),
            "word": Choice(["a", None], when={"opt": "adam"}),
        }
    )
    of = Plan(name="s", metric="loss", mode="min", trials=40, seed=3, space=space)
    found, rows = everything(supply(of), 7)

    for (_, _, _, config), row in zip(found, rows, strict=True):
        exist = {"opt", "m", "flag"} if row["opt"] == "sgd" else {"opt", "n", "word"}
        assert set(config) == exist
        assert {name for name in space if row[name] is not None} == exist


@pytest.mark.parametrize("constraint", [None, lambda config: config["lr"] <= 0.3])
def test_what_a_user_listed_is_trained_and_kept_exactly_as_it_was_typed(constraint: Constraint | None) -> None:
    """Its point gives 0.3000000000000001, which this constraint would refuse."""
    first = {"lr": 0.3, "units": 64, "act": "tanh"}
    of = plan(20, sampler=List([first, first | {"lr": 0.002}], then="sobol"))
    found, rows = everything(supply(of, constraint), 4)

    assert [config["lr"] for _, _, _, config in found[:2]] == [0.3, 0.002]
    assert [row["lr"] for row in rows] == [config["lr"] for _, _, _, config in found]
    assert of.space.config(rows[0]["u"]) == first | {"lr": pytest.approx(0.3)}
    again, _ = everything(supply(of, constraint, written=20, attempts={1: 3}), 4)
    assert again == [(1, 3, *found[1][2:])]
