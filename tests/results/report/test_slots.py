"""Lanes in which nothing overlaps, and how busy the slots were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.results.open_sweep import open_sweep
from caviar.results.report.slots import PARTS, lanes, slot_use
from caviar.results.report.trial_rows import trial_rows

from ...small_stores import add_digits
from ..conftest import say_nothing

STRETCHES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), min_size=1, max_size=30)


@given(STRETCHES)
def test_no_two_of_a_lane_overlap_and_there_are_as_few_as_can_be(stretches):
    begin = np.array([a for a, _ in stretches], float)
    end = begin + [length for _, length in stretches]
    found = lanes(begin, end)
    for lane in np.unique(found):
        order = np.argsort(begin[found == lane])
        assert (begin[found == lane][order][1:] >= end[found == lane][order][:-1]).all()
    most = max(((begin <= moment) & (end > moment)).sum() for moment in begin)
    assert set(found.tolist()) == set(range(most))


def test_who_has_no_times_has_no_lane():
    assert lanes(np.array([0.0, np.nan, 0.5]), np.array([1.0, 2.0, np.nan])).tolist() == [0, -1, -1]


def test_how_busy_the_slots_were_is_summed_over_all_attempts(store):
    sweep = add_digits(store)  # a trial a second, each takes 3.2 s; one of them twice
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        use = slot_use(opened, trial_rows(opened))
        spans = opened.rows("SELECT epoch_ms(ended) - epoch_ms(started) AS ms FROM attempts")
    assert len(spans) == 9
    assert (use.slots, use.seconds) == (5, pytest.approx(10.2))
    assert use.share == pytest.approx(sum(one["ms"] for one in spans) / 1000 / (5 * 10.2))
    assert len(use.parts) == PARTS
    assert use.parts.mean() == pytest.approx(use.share)
    assert use.parts[0] == pytest.approx(1 / 5)
