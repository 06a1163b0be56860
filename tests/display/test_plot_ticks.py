"""Where the axes of plots have their marks: at round values, on the scale of the parameter."""

import numpy as np
import pytest

from caviar.display.plot_ticks import ticks, value_ticks
from caviar.display.plot_values import value_axis
from caviar.space import Choice, Float, Int


@pytest.mark.parametrize(
    ("parameter", "labels"),
    [
        (Float(1e-4, 1.0, "log"), ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"]),
        (Float(0.9, 0.999, "reverse_log"), ["0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999"]),
        (Float(1e-7, 1e-5, "log"), ["1e-7", "2e-7", "5e-7", "1e-6", "2e-6", "5e-6", "1e-5"]),
        (Float(0.0, 0.5), ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        (Int(2, 4), ["2", "3", "4"]),
        (Choice(["relu", "a very long name of an option"]), ["relu", "a very long n…"]),
    ],
)
def test_marks_are_round_values(parameter, labels):
    found = ticks(parameter, 0.0, 1.0)
    assert [label for _, label in found] == labels
    assert all(0.0 <= place <= 1.0 for place, _ in found)


def test_marks_of_a_log_scale_lie_where_their_values_do():
    assert {label: place for place, label in ticks(Float(1e-4, 1, "log"), 0, 1)}["0.01"] == pytest.approx(0.5)
    assert value_ticks(0.0, 0.0)
    assert [label for _, label in value_ticks(-1.0, 1.0)] == ["-1", "-0.5", "0", "0.5", "1"]
    assert [label for _, label in value_ticks(0.0, 2e20)][-1] == "2e20"


def test_a_flat_axis_has_its_one_value_where_the_points_are():
    axis = value_axis([np.array([0.7, 0.7])])
    assert axis.marks() == [(0.5, "0.7")]
    assert axis.places([0.7]).tolist() == [0.5]
