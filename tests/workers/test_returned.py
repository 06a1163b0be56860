"""Numbers of any library, and what train returns: stored, or refused with a word."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.workers.test_lease import ended, run

from caviar_workers.trial import Trial


class Tensor:
    """As much of a 0-d tensor with a gradient as matters: float() of the real one warns, its item() does not."""

    shape = ()
    requires_grad = True

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value

    def __float__(self) -> float:
        raise AssertionError("item() says it")

    __int__ = __float__


def libraries() -> list[Callable[[float], Any]]:
    return [Tensor, np.array, np.float32, lambda value: np.array([value]), np.ma.array]


@pytest.mark.parametrize("number", libraries())
def test_numbers_of_any_library_are_taken_wherever_a_number_is(number: Callable[[float], Any]) -> None:
    def reports(config: dict[str, Any], trial: Trial) -> Any:
        trial.report(number(3), loss=number(0.5))
        trial.save(number(3), b"")

    def yields(config: dict[str, Any], trial: Trial) -> Iterator[dict[str, Any]]:
        yield {"step": number(3), "loss": number(0.5)}

    trains: list[Callable[..., Any]] = [
        reports,
        yields,
        lambda config, trial: number(0.5),
        lambda config, trial: {"loss": number(0.5), "step": number(3)},
    ]
    for train in trains:
        tables = run(train)
        assert ended(tables)[0]["state"] == "COMPLETED", ended(tables)[0]["error"]
        assert [row["loss"] for row in tables["curves"]] == [0.5]


@pytest.mark.nightly
def test_so_are_torch_s_own() -> None:
    torch = pytest.importorskip("torch")

    def train(config: dict[str, Any], trial: Trial) -> Any:
        trial.report(
            torch.tensor(3), loss=torch.tensor(0.5, requires_grad=True), half=torch.tensor([1], dtype=torch.bfloat16)
        )
        trial.save(torch.tensor(3), b"")
        return {"test": torch.tensor(0.25)}

    assert [(row["loss"], row["test"]) for row in run(train)["curves"]] == [(0.5, None), (None, 0.25)]


@pytest.mark.parametrize("masked", [np.ma.masked, np.ma.array(1.0, mask=True), np.ma.array([1.0], mask=[True])])
def test_a_masked_value_is_no_number(masked: Any) -> None:
    for train in (
        lambda config, trial: trial.report(0, loss=masked),
        lambda config, trial: trial.report(masked, loss=1.0),
    ):
        assert "TypeError: a " in ended(run(train))[0]["error"]


RETURNED = [
    ({"test": 0.5}, [(4, {"test": 0.5})], ""),
    ({"step": 7, "loss": 0.5}, [(7, {"loss": 0.5})], ""),
    ({"loss": 0.5, "model": "x"}, [], "returned dict"),
    ({}, [], "returned dict"),
    (0.5, [], "returned 0.5, which is not stored: loss was reported before"),
    (0, [], "returned 0, which"),
    (True, [], "returned bool"),
    ([1, 2], [], "returned list"),
    ("done", [], "returned str"),
    (None, [], ""),
]


@pytest.mark.parametrize("pause", [0.0, 0.05])
@pytest.mark.parametrize("generates", [False, True])
@pytest.mark.parametrize(("result", "rows", "word"), RETURNED)
def test_what_is_returned_after_reports_is_stored_or_told(
    result: Any, rows: list[tuple[int, dict[str, float]]], word: str, generates: bool, pause: float
) -> None:
    def reports(config: dict[str, Any], trial: Trial) -> Any:
        trial.report(4, loss=1.0)
        time.sleep(pause)  # the row may have been taken away since
        return result

    def yields(config: dict[str, Any], trial: Trial) -> Any:
        yield {"step": 4, "loss": 1.0}
        time.sleep(pause)
        return result

    tables = run(yields if generates else reports, flush_s=0.01)

    found = [
        (row["step"], {name: row[name] for name in ("loss", "test") if row.get(name) is not None})
        for row in tables["curves"]
    ]
    assert found == [(4, {"loss": 1.0}), *rows]
    assert ended(tables)[0]["state"] == "COMPLETED"
    printed = "".join(row["text"] for row in tables["logs"])
    assert (word in printed) if word else not printed


def test_a_number_that_is_returned_is_the_metric_s_value_where_only_others_were_reported() -> None:
    def train(config: dict[str, Any], trial: Trial) -> float:
        trial.report(4, train_loss=1.0)
        return 0.5

    tables = run(train)

    assert [(row["step"], row["loss"]) for row in tables["curves"]] == [(4, None), (4, 0.5)]
    assert ended(tables)[0]["state"] == "COMPLETED"


@pytest.mark.parametrize("generates", [False, True])
@pytest.mark.parametrize("reports", [False, True])
@pytest.mark.parametrize(
    ("result", "error"),
    [
        (None, ""),
        ({}, ""),
        ({"a": 1, "b": np.float32(2)}, ""),
        ({"a": 1, "b": "x"}, r"TypeError: a metric is one real number, .* b='x'"),
        (0.5, "TypeError: final returns a dict of metrics, but it returned a float"),
        (True, "it returned a bool"),
        (np.float32(0.5), "it returned a float32"),
        ("good", "it returned a str"),
        ([1.0], "it returned a list"),
    ],
)
def test_what_final_returns_is_stored_whole_or_refused(result: Any, error: str, reports: bool, generates: bool) -> None:
    def plain(config: dict[str, Any], trial: Trial) -> Any:
        if reports:
            trial.report(2, t=1.0)
        return result

    def yields(config: dict[str, Any], trial: Trial) -> Any:
        if reports:
            yield {"step": 2, "t": 1.0}
        return result

    tables = run(yields if generates else plain, final=True, metric="")

    (attempt,) = ended(tables)
    if error:
        assert attempt["kind"] == "error"
        assert re.search(error, attempt["error"])
    else:
        assert attempt["kind"] in (None, "metric")
        assert [row["b"] for row in tables["curves"] if row.get("a")] == ([2.0] if result else [])
