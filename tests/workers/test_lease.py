"""The lease runner as a whole, in this process: what a train function does, and which tables come of it."""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from caviar_workers.data import load_data
from caviar_workers.lease import run_lease
from caviar_workers.messages import Demand, Lease, Program
from caviar_workers.trial import Trial

from ..leases import Rows, ended, make_lease, rows_of


def run(train: Callable[..., Any], trials: int = 1, **given: Any) -> dict[str, Rows]:
    """Run a lease; the rows of each table."""
    program = Program(digest="d", train="train", final="train", functions={"train": train})
    given = {
        "seeds": tuple(range(100, 100 + trials)),
        "configs": {"lr": tuple(i / 10 for i in range(trials))},
        **given,
    }
    return rows_of(run_lease(program, make_lease(range(trials), **given), own_process=False))


def test_reports_become_rows_in_order_with_their_trial() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        for step in range(3):
            trial.report(step, loss=config["lr"] + step, acc=np.float32(0.5))

    tables = run(train, trials=2)

    columns = ("trial", "attempt", "_seq", "_start", "step", "loss", "acc")
    assert [tuple(row[name] for name in columns) for row in tables["curves"]] == [
        (t, 0, s, 0, s, t / 10 + s, 0.5) for t in range(2) for s in range(3)
    ]
    assert [row["state"] for row in ended(tables)] == ["COMPLETED", "COMPLETED"]
    assert [(r["last_loss"], r["min_loss"], r["max_loss"], r["step"], r["rows"]) for r in ended(tables)] == [
        (2.0, 0.0, 2.0, 2, 3),
        (2.1, 0.1, 2.1, 2, 3),
    ]


def test_a_generator_reports_what_it_yields() -> None:
    def train(config: dict[str, Any], trial: Trial) -> Iterator[dict[str, float]]:
        yield {"step": 0, "loss": 2.0}
        yield {"step": 5, "loss": 1.0}

    assert [(r["step"], r["loss"]) for r in run(train)["curves"]] == [(0, 2.0), (5, 1.0)]


@pytest.mark.parametrize("result", [0.25, np.float32(0.25), {"loss": 0.25, "acc": 1}])
def test_a_function_that_only_returns_its_result_is_a_curve_of_one_point(result: Any) -> None:
    tables = run(lambda config, trial: result)

    assert [(r["step"], r["loss"]) for r in tables["curves"]] == [(0, 0.25)]
    assert ended(tables)[0]["state"] == "COMPLETED"


def test_a_tensor_that_is_changed_after_the_report_does_not_change_the_past() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        total = np.zeros(())
        for step in range(3):
            total += 1
            trial.report(step, loss=total)

    assert [r["loss"] for r in run(train)["curves"]] == [1.0, 2.0, 3.0]


def test_a_trial_that_raises_fails_alone_with_its_own_frames_and_keeps_its_curve() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        for step in range(10):
            if step == 7 and trial.number == 0:
                raise KeyError("boom")
            trial.report(step, loss=1.0)

    tables = run(train, trials=2)

    first, second = ended(tables)
    assert (first["state"], first["kind"], first["rows"]) == ("FAILED", "error", 7)
    assert first["error"].splitlines()[-1] == "KeyError: 'boom'"
    assert "caviar_workers" not in first["error"]
    assert (second["state"], second["rows"]) == ("COMPLETED", 10)
    assert [r["step"] for r in tables["curves"] if r["trial"] == 0] == list(range(7))


@pytest.mark.parametrize(("error", "kind"), [(SystemExit(3), "error"), (MemoryError(), "oom")])
def test_leaving_the_process_and_running_out_of_memory_end_the_trial_not_the_lease(
    error: BaseException, kind: str
) -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        if trial.number == 0:
            raise error

    first, second = ended(run(train, trials=2))

    assert (first["state"], first["kind"]) == ("FAILED", kind)
    assert second["state"] == "COMPLETED"


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ({"loss": "low"}, "one real number"),
        ({"loss": {"a": 1}}, "one real number"),
        ({"Loss": 1.0, "loss": 1.0}, "more than case"),
        ({"trial": 1.0}, "metric name 'trial'"),
        ({"_x": 1.0}, "must not start with"),
        ({"a\x1b": 1.0}, "control characters"),
        ({f"m{i}": 1.0 for i in range(1001)}, "at most 1000 metrics"),
    ],
)
def test_a_report_that_cannot_be_a_row_fails_the_trial_with_one_sentence(report: dict[str, Any], sentence: str) -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        trial.report(1, **report)

    tables = run(train)

    assert ended(tables)[0]["state"] == "FAILED"
    assert sentence in ended(tables)[0]["error"]
    assert [r["step"] for r in tables["curves"]] == [0]


def test_a_trial_with_too_many_metrics_takes_no_room_from_those_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caviar_workers.row_checks.MOST_METRICS", 6)

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0, **{f"m{i}": 1.0 for i in range(4)})
        if trial.number == 1:
            trial.report(1, **{f"odd{i}": 1.0 for i in range(2)})
        trial.report(2, loss=2.0, acc=3.0)

    tables = run(train, trials=4)

    assert [row["state"] for row in ended(tables)] == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    assert "at most 1000 metrics" in ended(tables)[1]["error"]
    assert [row["last_acc"] for row in ended(tables)] == [3.0, None, 3.0, 3.0]


def test_steps_may_repeat_but_not_go_back() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(3, loss=1.0)
        trial.report(3, acc=0.5)
        trial.report(2, loss=1.0)

    tables = run(train)

    assert "got step 2 after step 3" in ended(tables)[0]["error"]
    assert [(r["loss"], r["acc"]) for r in tables["curves"]] == [(1.0, None), (None, 0.5)]


def test_a_wrong_row_stops_a_long_trial_soon() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(5, loss=1.0)
        for _ in range(1000):
            trial.report(1, loss=1.0)
            time.sleep(0.01)

    started = time.monotonic()
    tables = run(train, flush_s=0.05)

    assert time.monotonic() - started < 5
    assert "steps never go back" in ended(tables)[0]["error"]


def test_an_objective_that_is_never_reported_fails_with_a_suggestion() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, los=1.0)

    row = ended(run(train))[0]

    assert (row["state"], row["kind"]) == ("FAILED", "metric")
    assert row["error"] == "the metric 'loss' was never reported, only los: did you mean metric='los'?"


def test_nan_and_infinity_are_recorded_and_mark_the_trial_as_diverged() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        trial.report(1, loss=float("nan") if trial.number else float("inf"))

    tables = run(train, trials=2)

    assert [row["diverged"] for row in ended(tables)] == [True, True]
    assert [row["min_loss"] for row in ended(tables)] == [1.0, 1.0]
    assert np.isnan(ended(tables)[1]["last_loss"])
    assert ended(tables)[0]["last_loss"] == float("inf")


def test_every_trial_starts_from_its_own_random_state_whoever_came_before() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=random.random(), draw=np.random.rand())

    together = run(train, trials=3)["curves"]
    alone = run(train, trials=1, seeds=(102,))["curves"]

    assert (together[2]["loss"], together[2]["draw"]) == (alone[0]["loss"], alone[0]["draw"])
    assert together[0]["loss"] != together[1]["loss"]


def test_what_a_trial_prints_is_kept_with_the_trial() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        print("out of", trial.number)
        print("err of", trial.number, file=sys.stderr)
        trial.report(0, loss=1.0)

    before = sys.stdout
    logs = run(train, trials=2)["logs"]

    assert sys.stdout is before
    assert {(r["trial"], r["stream"], r["text"]) for r in logs} == {
        (t, s, f"{s} of {t}\n") for t in range(2) for s in ("out", "err")
    }


def test_endless_output_is_cut_with_a_word() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        print("x" * 3_000_000)
        trial.report(0, loss=1.0)

    text = "".join(r["text"] for r in run(train)["logs"])

    assert len(text) < 1_100_000
    assert "the rest of the output was dropped" in text


def test_rows_arrive_while_the_trial_runs_and_it_is_seen_running() -> None:
    go_on = threading.Event()

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        go_on.wait(20)

    program = Program(digest="d", train="train", functions={"train": train})
    lease = Lease(
        id=0, sweep="s", metric="loss", trials=(0,), attempts=(0,), seeds=(0,), configs={"lr": (1.0,)}, flush_s=0.05
    )
    batches = run_lease(program, lease, own_process=False)
    first = next(batches)
    go_on.set()

    assert pa.ipc.open_stream(first.curves).read_all()["step"].to_pylist() == [0]
    assert pa.ipc.open_stream(first.attempts).read_all()["state"].to_pylist() == ["RUNNING"]
    assert [pa.ipc.open_stream(b.attempts).read_all()["state"].to_pylist() for b in batches] == [["COMPLETED"]]


def test_a_torrent_of_reports_is_complete_and_in_order() -> None:
    def train(config: dict[str, Any], trial: Trial) -> None:
        for step in range(200_000):
            trial.report(step, loss=0.0)

    tables = run(train, flush_s=0.05)

    assert [r["_seq"] for r in tables["curves"]] == list(range(200_000))
    assert ended(tables)[0]["rows"] == 200_000


def test_final_gets_only_the_arguments_that_it_takes() -> None:
    def final(config: dict[str, Any], trial: Trial, epochs: int = 3) -> dict[str, float]:
        return {"test": epochs}

    tables = run(final, final=True, train_args={"epochs": 5, "other": 1})

    assert tables["curves"][0]["test"] == 5


def test_every_trial_and_the_data_get_arguments_of_their_own() -> None:
    given = {"milestones": [1, 2], "options": {"deep": [{"lr": 0.1}]}, "names": {"a"}, "pair": ([3], 4)}
    whole = repr(given)
    seen = []

    def train(config: dict[str, Any], trial: Trial, **arguments: Any) -> float:
        seen.append(repr(arguments))
        arguments["milestones"].pop()
        arguments["options"]["deep"][0]["lr"] = config["lr"]
        arguments["names"].clear()
        arguments["pair"][0].append(5)
        return 1.0

    def data(milestones: list[int]) -> None:
        milestones.clear()

    run(train, trials=3, train_args=given)
    program = Program(digest="d", train="", data="data", functions={"data": data})
    load_data(program, given)
    run(train, final=True, train_args=given)

    assert seen == [whole] * 4
    assert repr(given) == whole


def test_devices_are_shown_only_to_trials_that_have_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CUDA_VISIBLE_DEVICES", "3")

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=len(trial.devices))

    assert ended(run(train, demand=Demand(gpus=0.5)))[0]["devices"] == "3"
    assert ended(run(train, demand=Demand()))[0]["devices"] == ""
