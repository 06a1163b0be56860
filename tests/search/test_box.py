"""The box of one parameter: widened, clipped to the range, and moved out where the best lies at an end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.search.zoom import EDGE, MARGIN, OUT, box

places = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=12)


@settings(deadline=None)
@given(at=places)
def test_it_holds_the_best_few_with_a_quarter_of_room(at):
    points = np.array(at)
    found = box(points, at[0], floor=-9.0, ceiling=9.0)
    room = MARGIN * (points.max() - points.min())
    assert found.low <= max(points.min() - room, 0.0) + 1e-12
    assert found.high >= min(points.max() + room, 1.0) - 1e-12
    assert (found.low < 0.0) == (at[0] <= EDGE)
    assert (found.high > 1.0) == (at[0] >= 1.0 - EDGE)
    assert found.high > found.low
    assert found.word


def test_the_numbers():
    found = box(np.array([0.5, 0.4, 0.6]), 0.5)
    assert (found.low, found.high) == (pytest.approx(0.35), pytest.approx(0.65))
    assert found.word == "narrowed to 30% of the range"


def test_an_end_moves_out_only_for_the_best_and_only_as_far_as_it_may():
    assert box(np.array([0.5, 0.02]), 0.5, floor=-9.0).low == 0.0
    out = box(np.array([0.02, 0.1]), 0.02, floor=-9.0)
    assert out.low == pytest.approx(-OUT)
    assert out.word == "the best lies at the low end: expanded"
    assert box(np.array([0.02, 0.1]), 0.02, floor=-0.03).low == -0.03
    stuck = box(np.array([0.99, 0.9]), 0.99)
    assert stuck.high == 1.0
    assert stuck.word == "the best lies at the high end: kept"


def test_one_good_place_still_has_room_and_a_wide_box_says_so():
    assert box(np.array([0.5, 0.5]), 0.5).high == pytest.approx(0.6)
    assert box(np.array([0.5, 0.1, 0.9]), 0.5).word == "the best lie all over it: kept"
    assert box(np.array([0.5, 0.25, 0.9]), 0.5).word == "the best lie all over it: hardly narrowed"
