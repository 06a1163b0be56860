"""That nobody reports the sweep's metric is said while it runs, once, and not too early."""

import pytest

from caviar.run.engine.counters import Counters
from caviar.run.unmeasured import CLOSE_S, FAR_S, Unmeasured


def told(metric: str, reports: dict[float, list[str]], until: float) -> list[tuple[float, str]]:
    """When what is said, if these metrics are reported at these seconds."""
    now, said = [0.0], []
    tally = Counters(metric, "min")
    watch = Unmeasured(metric, lambda text: said.append((now[0], text)), clock=lambda: now[0])
    while now[0] <= until:
        tally.hear(["trial", "attempt", "_seq", "_start", "step", "time", *reports.get(now[0], [])])
        watch.look(tally)
        now[0] += 0.5
    return said


@pytest.mark.parametrize(
    ("metric", "name", "wait"),
    [
        ("val_los", "val_loss", CLOSE_S),
        ("Accuracy", "accuracy", CLOSE_S),
        ("acc", "accuracy", FAR_S),
        ("loss", "val_loss", FAR_S),
    ],
)
def test_a_name_that_looks_like_it_is_suggested(metric: str, name: str, wait: float) -> None:
    said = told(metric, {0.5: ["lr", name]}, 100.0)

    assert said == [
        (
            0.5 + wait,
            f"no trial has reported the metric '{metric}' so far, only lr, {name}: did you mean metric='{name}'?",
        )
    ]


def test_nothing_is_said_of_a_metric_that_comes_in_time_or_where_nothing_comes() -> None:
    assert told("val_loss", {0.0: ["val_los"], CLOSE_S: ["val_loss"]}, 100.0) == []
    assert told("val_loss", {0.0: ["lr"], FAR_S: ["val_loss"]}, 100.0) == []
    assert told("val_loss", {}, 100.0) == []
    assert told("val_loss", {0.0: ["lr"]}, 20.0)[0][1].endswith("only lr: set metric= to one of them or report it")
