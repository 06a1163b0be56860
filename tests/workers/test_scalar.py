from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from caviar_workers.scalar import scalar, whole_step
from caviar_workers.trial import Trial


class Tensor:
    """As torch's zero- and one-dimensional tensors behave."""

    def __init__(self, value: float, shape: tuple[int, ...] = ()) -> None:
        self.value = value
        self.shape = shape

    def __float__(self) -> float:
        return self.value

    def item(self) -> float:
        return self.value


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        np.float32(0.5),
        np.float16(0.5),
        np.array(0.5),
        np.array([0.5]),
        np.array([[0.5]]),
        Decimal("0.5"),
        Fraction(1, 2),
        Tensor(0.5),
        Tensor(0.5, (1,)),
    ],
)
def test_one_number_of_any_library_is_taken(value: object) -> None:
    found = scalar("loss", value)

    assert found == 0.5
    assert type(found) is float


@pytest.mark.parametrize(("value", "expected"), [(3, 3.0), (True, 1.0), (np.bool_(False), 0.0), (np.int64(7), 7.0)])
def test_whole_numbers_and_booleans_become_floats(value: object, expected: float) -> None:
    assert scalar("n", value) == expected


@pytest.mark.parametrize(
    "value",
    ["0.5", b"1", None, {"a": 1}, [0.5], np.zeros(3), 1j, Tensor(0.5, (2,)), np.array([]), object()],
)
def test_anything_else_is_refused_with_the_metric_s_name_and_the_value_s_type(value: object) -> None:
    with pytest.raises(TypeError, match=r"one real number, but report\(\) got loss=") as caught:
        scalar("loss", value)

    assert type(value).__name__ in str(caught.value)


def test_a_long_value_is_shortened_in_the_sentence() -> None:
    with pytest.raises(TypeError) as caught:
        scalar("loss", "x" * 10_000)

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("step", [0, 7, np.int32(7), 7.0, np.float64(7)])
def test_whole_steps_are_taken(step: object) -> None:
    found = whole_step(step)

    assert found == step
    assert type(found) is int


@pytest.mark.parametrize("step", [1.5, "3", None, float("nan"), float("inf"), [1]])
def test_a_step_that_is_no_whole_number_is_refused(step: object) -> None:
    with pytest.raises(TypeError, match="a step is a whole number"):
        whole_step(step)


@pytest.mark.parametrize("step", [-1, 2**63])
def test_a_step_out_of_range_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="a step counts from 0"):
        whole_step(step)


def test_a_metric_may_be_called_self() -> None:
    trial = Trial(sweep="s", number=0, attempt=0, seed=0)
    trial.report(step=0, self=0.5)
    assert trial.waiting_value("self") == 0.5
