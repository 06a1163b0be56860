"""What train looks at only when it begins changes at a checkpoint: it begins again from there, in the same attempt."""

import json
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from caviar_workers.command import Command
from caviar_workers.lease import run_lease
from caviar_workers.messages import Applied, Message, Program
from caviar_workers.schedule import Change
from caviar_workers.states import Action
from caviar_workers.trial import Trial

from ..leases import Rows, ended, make_lease, origin, rows_of


def run(train: Callable[..., Any], *changes: Change, **lease: Any) -> tuple[dict[str, Rows], list[Applied]]:
    """The rows of a trial whose configuration changes so, and what it told."""
    program = Program(digest="d", train="train", functions={"train": train})
    given = {"configs": {"lr": (0.5,), "units": (32,)}, "changes": {0: changes}, **lease}
    batches = list(run_lease(program, make_lease(**given), own_process=False))
    return rows_of(batches), [one for batch in batches for one in batch.applied]


def units(after: int, value: int = 7, n: int = 5, **more: Any) -> Change:
    return Change(decision=n, after=after, values={"units": value}, restart=True, **more)


def train(config: dict[str, Any], trial: Trial) -> None:
    """Looks at its units once, and saves every third step, or when it is asked to."""
    width, saved = config["units"], trial.load()
    total = 0 if saved is None else json.loads(saved.data)
    for step in range(trial.start, 12):
        total += width
        trial.report(step, loss=total, units=width, branch=trial.branch, skip=trial.skip)
        if step % 3 == 2 or trial.save_wanted:
            trial.save(step, json.dumps(total).encode())


def column(tables: dict[str, Rows], name: str) -> list[Any]:
    return [row[name] for row in tables["curves"]]


def test_train_begins_again_from_the_checkpoint_that_it_was_asked_for() -> None:
    tables, applied = run(train, units(after=4))
    (end,) = ended(tables)
    assert (end["state"], end["rows"], end["attempt"], end["start"]) == ("COMPLETED", 12, 0, 0)
    assert column(tables, "step") == list(range(12))
    assert column(tables, "units") == [32.0] * 5 + [7.0] * 7
    assert column(tables, "loss")[-1] == 5 * 32 + 7 * 7, "its state goes on too"
    assert {row["_start"] for row in tables["curves"]} == {0}
    assert [(one.decision, one.step) for one in applied] == [(5, 4)]


def test_an_attempt_begins_with_what_waited_for_a_restart() -> None:
    tables, applied = run(train, units(after=4), attempts=(1,), restore={0: origin(8, b"9")})
    assert column(tables, "units") == [7.0] * 3
    assert [(one.decision, one.step) for one in applied] == [(5, 8)]


def test_what_was_taken_behind_the_checkpoint_of_a_retry_is_taken_at_the_same_step_again() -> None:
    tables, applied = run(train, units(after=6, settled=True), attempts=(1,), restore={0: origin(2, b"9")})
    assert column(tables, "units") == [32.0] * 4 + [7.0] * 5
    assert applied == []


def test_a_rollback_seen_again_from_its_beginning_changes_branch_and_data_where_it_did() -> None:
    back = Change(decision=3, after=5, values={"lr": 0.1}, settled=True, restart=True, branch=2, skip=40)
    tables, _ = run(train, back)
    assert column(tables, "branch") == [0.0] * 6 + [2.0] * 6
    assert column(tables, "skip") == [0.0] * 6 + [40.0] * 6


def test_who_does_not_load_or_has_reported_since_does_not_begin_again() -> None:
    def forgetful(config: dict[str, Any], trial: Trial) -> None:
        for step in range(6):
            trial.report(step, loss=step, units=config["units"])
            trial.save(step, b"")

    tables, applied = run(forgetful, units(after=1))
    assert (column(tables, "units"), applied) == ([32.0] * 6, [])

    def late(config: dict[str, Any], trial: Trial) -> None:
        trial.load()
        for step in range(trial.start, 8):
            trial.report(step, loss=step, units=config["units"])
            if step > 0:
                trial.save(step if step == 5 else step - 1, b"")

    tables, applied = run(late, units(after=1))
    assert column(tables, "step") == list(range(8))
    assert [one.step for one in applied] == [5]
    assert ended(tables)[0]["state"] == "COMPLETED"


@pytest.mark.parametrize("saved_as", ["file", "folder"])
def test_what_was_saved_as_a_file_or_a_folder_is_loaded_as_it_was(saved_as: str, tmp_path: Path) -> None:
    found: list[str] = []

    def saver(config: dict[str, Any], trial: Trial) -> None:
        saved = trial.load()
        if saved is not None:
            found.append((saved.path / "a" if saved_as == "folder" else saved.path).read_text())
        folder = tmp_path / "state"
        folder.mkdir(exist_ok=True)
        for step in range(trial.start, 3):
            trial.report(step, loss=1.0)
            (folder / "a").write_text(f"state {step}")
            trial.save(step, folder if saved_as == "folder" else folder / "a")

    run(saver, units(after=1))
    assert found == ["state 1"]


def test_a_stop_and_a_failure_end_a_trial_that_was_to_begin_again() -> None:
    def failing(config: dict[str, Any], trial: Trial) -> None:
        trial.load()
        try:
            trial.report(0, loss=1.0)
            trial.save(0, b"")
        finally:
            raise ValueError("while it cleaned up")

    tables, _ = run(failing, units(after=0))
    assert ended(tables)[0]["state"] == "FAILED"

    stop = Message(trial=0, attempt=0, action=Action.STOP, decision=9)
    lease = make_lease(configs={"units": (32,)}, changes={0: (units(after=100),)}, flush_s=0.01)
    program = Program(digest="d", train="train", functions={"train": _endless})
    tables = rows_of(run_lease(program, lease, own_process=False, mail=lambda: (stop,)))
    assert ended(tables)[0]["state"] == "STOPPED"


def _endless(config: dict[str, Any], trial: Trial) -> None:
    trial.load()
    for step in range(trial.start, 10**9):
        trial.report(step, loss=1.0)


SCRIPT = """
    import json, os, sys, time
    path, lr = os.environ["CAVIAR_CHECKPOINT"], float(sys.argv[1])
    start = int(open(path).read()) + 1 if os.path.exists(path) else 0
    for epoch in range(start, 8):
        print(json.dumps({"epoch": epoch, "loss": epoch, "rate": lr}), flush=True)
        if epoch % 2:
            with open(f"{path}.new", "w") as file: file.write(str(epoch))
            print(json.dumps({"epoch": epoch, "checkpoint": f"{path}.new"}), flush=True)
            time.sleep(0.2)
"""


@pytest.mark.parametrize("over", [0, 4])
def test_a_program_is_started_again_from_its_next_checkpoint(over: int, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(SCRIPT))
    change = Change(decision=5, after=2, values={"lr": 0.1}, over=over, scales={"lr": "linear"})
    tables, applied = run(Command([sys.executable, str(path), "{lr}"]), change)
    assert column(tables, "step") == list(range(8))
    rates = [round(rate, 6) for rate in column(tables, "rate")]
    assert rates == ([0.5] * 4 + [0.1] * 4 if not over else [0.5] * 4 + [0.4, 0.4, 0.2, 0.2])
    assert [(one.decision, one.step) for one in applied] == [(5, 3)]


def reports(*values: float) -> Callable[..., None]:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.load()
        for step, value in enumerate(values, trial.start):
            trial.report(step, loss=1.0, lr=config["lr"] * 0 + value)

    return train


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.5, 0.5, 0.5, 0.5, 0.5, 0.5), [("lr",)]),
        ((0.5, 0.5, 0.1, 0.1, 0.1, 0.1), []),
        ((0.5, 0.5, 0.3, 0.3, 0.3, 0.3), []),
    ],
)
def test_who_reports_the_former_value_of_a_parameter_is_told_so(values: Sequence[float], told: list[Any]) -> None:
    change = Change(decision=5, after=1, values={"lr": 0.1})
    tables, applied = run(reports(*values), change, live=frozenset({"lr"}))
    assert [one.stale for one in applied if one.stale] == told
    said = "".join(row["text"] for row in tables["logs"])
    assert said.count("set it from config after that") == len(told)


def test_a_state_that_is_loaded_with_the_former_value_is_noticed_in_the_next_attempt() -> None:
    taken = Change(decision=5, after=1, values={"lr": 0.1}, settled=True)
    _, applied = run(reports(*[0.5] * 5), taken, attempts=(1,), restore={0: origin(3, b"")})
    assert [(one.stale, one.step) for one in applied] == [(("lr",), 6)]
