"""Sobol points: even over every part of the cube, drawn once, and without the second that scipy.stats takes."""

import subprocess
import sys

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.search.samplers import SobolSampler, sobol, sobol_numbers


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_the_first_2_to_the_k_fill_every_stripe_once(seed):
    u = SobolSampler(10, seed).points(0, 2048)
    for k in (4, 6, 11):
        stripes = np.sort(np.floor(u[: 1 << k] * (1 << k)), axis=0)
        assert (stripes == np.arange(1 << k)[:, None]).all()


def test_every_later_block_fills_every_stripe_too():
    """A block that was skipped, repeated or cut wrongly would not."""
    u = SobolSampler(4, 5).points(0, 8192)
    for first in range(0, 8192, 1024):
        stripes = np.sort(np.floor(u[first : first + 1024] * 1024), axis=0)
        assert (stripes == np.arange(1024)[:, None]).all()


def test_a_plane_is_filled_more_evenly_than_by_chance():
    u = SobolSampler(2, 0).points(0, 1024)
    counts, *_ = np.histogram2d(u[:, 0], u[:, 1], bins=32, range=[[0, 1], [0, 1]])
    assert (counts == 1).all()  # the first two dimensions form a (0, m, 2)-net


def test_bounds_of_the_unit_interval_hold_for_many_points():
    u = SobolSampler(3, 1).points(0, 1 << 17)
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert all(len(np.unique(column)) == 1 << 17 for column in u.T)


def test_far_points_agree_with_those_drawn_in_sequence():
    sequence = SobolSampler(3, 9).points(0, 300_000)
    assert (SobolSampler(3, 9).points(299_000, 1000) == sequence[299_000:]).all()


def test_the_last_point_exists(monkeypatch):
    """Skipping in several steps gives the same as in one; 2^32 - 1 itself takes seconds."""
    expected = SobolSampler(1, 0).points(200_000, 10)
    monkeypatch.setattr(sobol, "_LONGEST_SKIP", 1 << 14)
    assert (SobolSampler(1, 0).points(200_000, 10) == expected).all()


class Counted:
    """scipy's engine, counting the points it draws and skips."""

    def __init__(self, engine):
        self.engine, self.drawn, self.skipped = engine, 0, 0

    def random(self, count):
        self.drawn += count
        return self.engine.random(count)

    def fast_forward(self, count):
        self.skipped += count
        return self.engine.fast_forward(count)


@pytest.fixture
def engines(monkeypatch):
    made, make = [], sobol._engine

    def counted(dimensions, seed):
        made.append(Counted(make(dimensions, seed)))
        return made[-1]

    monkeypatch.setattr(sobol, "_engine", counted)
    return made


def test_reading_on_draws_every_point_once(engines):
    sampler = SobolSampler(5, 0)
    for start in range(0, 10_000, 10):
        sampler.points(start, 10)
    assert [(engine.drawn, engine.skipped) for engine in engines] == [(10_240, 0)]


def test_a_jump_ahead_skips_and_a_jump_back_begins_again(engines):
    sampler = SobolSampler(5, 0)
    sampler.points(0, 1)
    sampler.points(50_000, 1)
    sampler.points(1500, 1)
    assert [(engine.drawn, engine.skipped) for engine in engines] == [(2048, 47 * 1024), (1024, 1024)]


def test_an_interrupt_leaves_no_engine_that_stands_elsewhere(engines, monkeypatch):
    expected = SobolSampler(2, 0).points(5000, 3000)
    sampler = SobolSampler(2, 0)
    sampler.points(0, 10)

    def interrupted(count):  # after the skip, before the points
        raise KeyboardInterrupt

    monkeypatch.setattr(engines[-1], "random", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sampler.points(5000, 10)
    monkeypatch.undo()
    assert (sampler.points(5000, 3000) == expected).all()


def test_identity_names_the_library_and_the_points():
    import scipy

    identity = SobolSampler(3, 4).identity()
    assert identity["name"] == "sobol"
    assert identity["scipy"] == scipy.__version__
    assert len(str(identity["first_points"])) == 64


def test_too_many_dimensions_are_refused():
    SobolSampler(21201, 0)
    with pytest.raises(SpecError, match="at most 21201 dimensions, got 21202; use 'random'"):
        SobolSampler(21202, 0)


def test_the_limit_of_dimensions_is_scipys():
    from scipy.stats import qmc

    assert qmc.Sobol.MAXDIM == 21201


@pytest.mark.parametrize("dimensions", [1, 2, 10, 300])
@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_they_are_scipys_bit_for_bit(dimensions, seed, monkeypatch):
    ours = sobol._engine(dimensions, seed)
    monkeypatch.setattr(sobol_numbers, "_TABLE", "nowhere.npz")  # then they are drawn by scipy
    theirs = sobol._engine(dimensions, seed)
    assert type(theirs).__module__.startswith("scipy")
    for skip in (0, 64, (1 << 20) - 1):  # scipy takes minutes over more
        for engine in (ours, theirs) if skip else ():
            engine.fast_forward(skip)
        assert (ours.random(64) == theirs.random(64)).all()


def test_scipy_stats_is_never_imported():
    code = (
        "import sys; from caviar.search.samplers import make_sampler; from caviar.space import Space, Float; "
        "s = make_sampler('sobol', Space({'a': Float(0, 1)}), 0, 8); "
        "s.points(0, 1); s.identity(); assert 'scipy.stats' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
