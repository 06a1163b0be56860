import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from caviar.results.statistics.new_bests import new_bests


@given(st.lists(st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))), st.booleans())
def test_a_new_best_is_better_than_all_that_are_finite_before_it(values: list[float], largest: bool) -> None:
    found = new_bests(np.array(values, float), "max" if largest else "min").tolist()
    better = max if largest else min
    known: list[float] = []
    expected = []
    for place, value in enumerate(values):
        if np.isfinite(value) and (not known or (value != known[-1] and better(value, known[-1]) == value)):
            known.append(value)
            expected.append(place)
    assert found == expected
