"""Seeds of trials: all different, each computed alone, unrelated from sweep to sweep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.search.samplers import trial_seeds, trials_with
from caviar.search.samplers.seeds import stream_key

sweep_seeds = st.integers(0, 2**63 - 1)


def test_a_million_seeds_are_all_different():
    seeds = trial_seeds(0, 0, 1_000_000)
    assert seeds.dtype == np.uint32
    assert len(np.unique(seeds)) == 1_000_000


@settings(deadline=None)
@given(seed=sweep_seeds, start=st.integers(0, 2**32 - 2000))
def test_far_ranges_do_not_meet(seed, start):
    other = (start + 2**31) % (2**32 - 2000)
    both = np.concatenate([trial_seeds(seed, start, 1000), trial_seeds(seed, other, 1000)])
    assert len(np.unique(both)) == 2000


@settings(deadline=None)
@given(seed=sweep_seeds, start=st.integers(0, 2**32 - 50), cut=st.integers(0, 50))
def test_any_cut_gives_the_same_seeds(seed, start, cut):
    parts = [trial_seeds(seed, start, cut), trial_seeds(seed, start + cut, 50 - cut)]
    assert (np.concatenate(parts) == trial_seeds(seed, start, 50)).all()


def test_the_last_seed_exists_and_none_after_it():
    assert trial_seeds(5, 2**32 - 1, 1).shape == (1,)
    with pytest.raises(ValueError, match=r"trial numbers lie in 0 \.\. 2\^32 - 1"):
        trial_seeds(5, 2**32 - 1, 2)
    with pytest.raises(ValueError, match="got start=-1"):
        trial_seeds(5, -1, 2)


def test_every_bit_is_even_and_follows_every_bit_of_the_number():
    count = 1 << 16
    seeds = trial_seeds(11, 0, count)
    error = 5 * 0.5 / np.sqrt(count)
    bits = np.arange(32, dtype=np.uint32)
    assert ((seeds[:, None] >> bits) & 1).mean(axis=0) == pytest.approx(np.full(32, 0.5), abs=error)
    for flipped in range(32):
        near = seeds[np.arange(count) ^ (1 << flipped)] if flipped < 16 else trial_seeds(11, 1 << flipped, count)
        change = seeds ^ near
        assert ((change[:, None] >> bits) & 1).mean(axis=0) == pytest.approx(np.full(32, 0.5), abs=1.5 * error)


def test_neighbouring_sweeps_share_seeds_only_by_chance():
    for other in (1, 2, 2**32, 2**62):
        assert (trial_seeds(0, 0, 10_000) == trial_seeds(other, 0, 10_000)).sum() <= 2


def test_seeds_never_change():
    # Stored sweeps are resumed and extended with them.
    assert trial_seeds(0, 0, 4).tolist() == [1247614371, 2754385036, 2646741755, 4088497879]
    assert trial_seeds(2**63 - 1, 10**6, 2).tolist() == [1665045630, 3848277608]


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        (-1, r"must lie in 0 \.\. 2\^63 - 1, got -1"),
        (2**63, r"must lie in 0 \.\. 2\^63 - 1, got 9223372036854775808"),
        (True, r"must be an integer, got True \(bool\)"),
        (1.0, r"must be an integer, got 1\.0 \(float\)"),
        ("7", r"must be an integer, got '7' \(str\)"),
        (None, r"must be an integer, got None \(NoneType\)"),
    ],
)
def test_other_sweep_seeds_are_refused(seed, sentence):
    with pytest.raises(SpecError, match=sentence):
        trial_seeds(seed, 0, 1)


def test_a_numpy_seed_is_an_integer():
    assert (trial_seeds(np.int64(7), 0, 9) == trial_seeds(7, 0, 9)).all()


def test_streams_and_seeds_have_keys_of_their_own():
    keys = {stream_key(seed, stream) for seed in range(100) for stream in ("random", "sobol")}
    assert len(keys) == 200
    assert max(keys) < 2**128


def test_each_seed_tells_its_trial():
    for start in (0, 2**31 - 500, 2**32 - 1000):
        assert (trials_with(trial_seeds(7, start, 1000), 7) == np.arange(start, start + 1000)).all()
    assert (trials_with(trial_seeds(7, 0, 1000), 8) != np.arange(1000)).any()
