import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

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


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("text", ["1E+400", "1E+999999", "1E+999999999", "1.5E+999999999"])
def test_a_decimal_s_digits_are_not_written_out(text: str, sign: str) -> None:
    with pytest.raises(ValueError, match="a step counts from 0"):
        whole_step(Decimal(sign + text))
    with pytest.raises(TypeError, match="one real number"):
        scalar("loss", Decimal(sign + text))
    assert whole_step(Decimal("1E+3")) == 1000
    assert scalar("loss", Decimal("-1E-999999999")) == 0.0


@pytest.mark.parametrize("step", [-1, 2**63, 2.0**63, 1e300, 10**400, -(10**400)])
def test_a_step_out_of_range_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match="a step counts from 0"):
        whole_step(step)


def test_a_metric_may_be_called_self() -> None:
    trial = Trial(sweep="s", number=0, attempt=0, seed=0)
    trial.report(step=0, self=0.5)
    assert trial.waiting_value("self") == 0.5


DISGUISED = [
    np.array("3.5"),
    np.array(["3.5"]),
    np.array(b"3"),
    np.array("3", dtype=object),
    np.array(None, dtype=object),
    np.str_("3"),
    *(
        made
        for unit in ("ns", "us", "s", "D")
        for time in (np.datetime64("2020-01-01", unit), np.timedelta64(5, unit))
        for made in (time, np.array(time), np.array([time]))
    ),
]


@pytest.mark.parametrize("value", DISGUISED, ids=repr)
def test_what_merely_converts_is_neither_a_metric_nor_a_step(value: object) -> None:
    with pytest.raises(TypeError, match="a metric is one real number"):
        scalar("loss", value)
    with pytest.raises(TypeError, match="a step is a whole number"):
        whole_step(value)


@pytest.mark.parametrize("value", [3, Decimal(3), Fraction(3), np.float64(3)])
def test_an_array_of_objects_is_what_it_holds(value: object) -> None:
    held = np.array(value, dtype=object)

    assert scalar("loss", held) == 3.0
    assert whole_step(held) == 3


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("digits", [310, 400, 5_000])
@pytest.mark.parametrize("kind", [int, Decimal, Fraction, lambda value: np.array(value, dtype=object)])
def test_what_is_beyond_the_largest_float_is_refused_and_never_infinite(kind: Any, digits: int, sign: int) -> None:
    with pytest.raises(TypeError, match="a metric is one real number"):
        scalar("loss", kind(sign * 10**digits))
    with pytest.raises(ValueError, match="a step counts from 0"):
        whole_step(kind(sign * 10**digits))


@pytest.mark.parametrize("kind", [float, Decimal, np.float32, np.longdouble, np.array])
def test_infinities_are_taken(kind: Any) -> None:
    assert [scalar("loss", kind(text)) for text in (float("inf"), float("-inf"))] == [math.inf, -math.inf]
