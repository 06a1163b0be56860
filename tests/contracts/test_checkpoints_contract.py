"""What every keeper of checkpoints must keep: the contract at the head of caviar/run/engine/ports.py."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.run.engine.tables import Tables

from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.ports import Checkpoints
from caviar.run.engine.work import Work
from caviar.run.replay import MemoryCheckpoints
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store
from caviar_workers.checkpoint import Save, carried
from caviar_workers.stored_checkpoint import first_whole


@pytest.fixture(params=["vault", "shelf"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoints:
    if request.param == "shelf":
        return MemoryCheckpoints()
    plan = Plan(name="s", metric="loss", mode="min", trials=9, seed=0, space=Space({"lr": Float(0.0, 1.0)}))
    store = Store.open(tmp_path / "store", create=True)
    sweep_dir = store.create_sweep({"plan": plan.to_json()}, b"code")
    return StoredCheckpoints(store, sweep_dir, plan, Tables(), sweep_dir.claim())


def saved(trial: int, step: int, data: bytes, attempt: int = 0) -> Save:
    """Saved before anything was reported: restorable without rows in a store."""
    return carried(Save(trial=trial, attempt=attempt, step=step, rows=0, value=1.0, checksum="0" * 8), data)


def found(keeper: Checkpoints, trials: Sequence[int], attempts: Sequence[int]) -> dict[int, tuple[int, object]]:
    work = Work(trials=tuple(trials), attempts=tuple(attempts), seeds=(0,) * len(trials), configs={})
    return {
        trial: tuple(checkpoint)
        for trial, origins in keeper.look_up(work).result().restore.items()
        for _, checkpoint in [first_whole(trial, origins)]
    }


def test_a_trial_that_goes_on_gets_its_newest_checkpoint(keeper: Checkpoints) -> None:
    keeper.add_saves([saved(3, 0, b"a"), saved(4, 7, b"b"), saved(3, 5, b"c")])
    keeper.add_saves([saved(3, 6, b"d")])

    assert found(keeper, [2, 3, 4], [1, 1, 1]) == {3: (6, b"d"), 4: (7, b"b")}


def test_a_later_attempt_saves_on(keeper: Checkpoints) -> None:
    keeper.add_saves([saved(3, 5, b"a")])
    keeper.add_saves([saved(3, 8, b"b", attempt=1)])

    assert found(keeper, [3], [2]) == {3: (8, b"b")}


def test_a_first_attempt_gets_none(keeper: Checkpoints) -> None:
    keeper.add_saves([saved(3, 5, b"a")])

    assert found(keeper, [3], [0]) == {}


def test_what_a_worker_does_not_see_comes_with_its_bytes_the_next_time(keeper: Checkpoints) -> None:
    keeper.add_saves([saved(3, 5, b"a"), saved(3, 6, b"b")])
    keeper.bring([3])
    work = Work(trials=(3,), attempts=(1,), seeds=(0,), configs={})

    (origin,) = keeper.look_up(work).result().restore[3]
    assert (origin.folder, origin.save.data) == ("", b"b")


def test_the_end_of_a_trial_takes_nothing_away(keeper: Checkpoints) -> None:
    keeper.add_saves([saved(3, 5, b"a")])
    keeper.forget([3, 4])

    assert found(keeper, [3], [1]) == {3: (5, b"a")}
