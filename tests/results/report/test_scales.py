"""Values become whole numbers and come back within half a step, whatever floats there are."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caviar.results.report.scales import FEW, LAST, MISSING, Scale, near_one, roomy, scale_of, single

VALUES = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats())


@given(VALUES, st.sampled_from([16, 12, 10]))
@example(np.array([3.5e-198, 8.5e-82]), 16)  # a logarithmic scale of no length
def test_a_page_reads_values_back_within_a_step(values, bits):
    scale = scale_of(values).coarse(bits)
    found = scale.values(scale.whole(values))
    finite = np.isfinite(values)
    assert (np.isnan(found) == ~finite).all()
    shown = np.clip(values[finite], scale.low, scale.high)
    if scale.log:
        step = (scale.high / scale.low) ** (scale.step / LAST) * (1 + 1e-12)  # exp and log round
        assert (found[finite] / shown <= step).all()
        assert (found[finite] / shown >= 1 / step).all()
    else:
        step = (scale.high / 2 - scale.low / 2) * 2 / LAST * scale.step
        assert (np.abs(found[finite] / 2 - shown / 2) <= step / 2 * 1.001 + np.abs(shown) * 1e-12).all()


@given(VALUES)
def test_a_scale_holds_its_values_as_floats_of_32_bits(values):
    scale = scale_of(values)
    assert np.isfinite(np.float32([scale.low, scale.high])).all()
    assert scale.low <= scale.high
    assert not scale.log or np.float32(scale.low) > 0


def test_far_apart_and_above_zero_is_logarithmic():
    assert scale_of(np.array([0.01, 1.0])).log
    assert not scale_of(np.array([0.1, 1.0])).log
    assert not scale_of(np.array([0.0, 1.0])).log
    assert scale_of(np.array([np.nan, np.inf])) == Scale(low=0.0, high=1.0, log=False)


def test_the_ends_are_exact_and_coarse_numbers_are_multiples():
    scale = Scale(low=2.0, high=4.0, log=False)
    assert scale.whole([2.0, 4.0, np.nan, -np.inf]).tolist() == [0, LAST, MISSING, MISSING]
    coarse = scale.coarse(10)
    whole = coarse.whole(np.linspace(2.0, 4.0, 999))
    assert (whole % 64 == 0).all()
    assert coarse.values(whole)[[0, -1]] == pytest.approx([2.0, 4.0])


def test_few_floats_keep_their_digits_and_many_keep_five():
    few = np.random.default_rng(0).lognormal(0, 9, FEW)
    assert (single(few) == few.astype(np.float32)).all()
    many = np.concatenate([few, [np.nan, np.inf, -np.inf, 0.0]])
    assert single(many)[:FEW] == pytest.approx(few, rel=1e-5)
    assert np.isnan(single(many)[FEW])
    assert single(many)[FEW + 1 :] == pytest.approx([3e38, -3e38, 0.0], rel=1e-5)
    beta = 1 - 10 ** -np.random.default_rng(0).uniform(1, 6, FEW + 1)
    assert (1 - near_one(beta)) == pytest.approx(1 - beta, rel=1e-5)


@given(arrays.arrays(np.float64, st.integers(0, 9), elements=st.floats(allow_nan=False, allow_infinity=False)))
@example(np.array([1.7e308, -1.7e308]))
@example(np.array([1.7e308]))
@example(np.array([5e-324, 1.7e308]))
@example(np.array([5e-324]))
@example(np.array([1.1e-308, 2.2e-308]))
def test_an_axis_has_room_and_ends_that_a_page_can_read(values):
    for log in (False, True) if len(values) and (values > 0).all() else (False,):
        low, high = roomy(values, log=log, share=0.04)
        assert np.isfinite([low, high]).all()
        assert low < high
        assert not log or low > 0
