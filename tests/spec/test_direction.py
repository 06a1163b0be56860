"""Whether a metric's name and its mode go together."""

import pytest

from caviar.spec.direction import direction_advice


@pytest.mark.parametrize("metric", ["accuracy", "val_acc", "valAccuracy", "f1", "test/auc", "mAP", "macro-F1"])
def test_what_is_better_large_is_not_to_be_small(metric: str) -> None:
    (said,) = direction_advice(metric, "min")
    assert said == f"the smallest {metric} wins, for mode is 'min'; if the largest is to, write mode='max'"
    assert direction_advice(metric, "max") == ()


@pytest.mark.parametrize("metric", ["loss", "val_loss", "valLoss", "rmse", "valid_0-binary_logloss", "accuracy_error"])
def test_what_is_better_small_is_not_to_be_large(metric: str) -> None:
    assert bool(direction_advice(metric, "max")) == (metric != "accuracy_error")
    assert direction_advice(metric, "min") == ()


@pytest.mark.parametrize("metric", ["score", "value", "accumulated", "lossless", "mapping"])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_other_names_say_nothing(metric: str, mode: str) -> None:
    assert direction_advice(metric, mode) == ()
