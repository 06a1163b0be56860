"""A crash at every single step of a sweep's life, with and without the loss of what was not made durable."""

import pytest
from scenario import Examined, record
from simulated_sweep import Simulation, in_memory

KILL = {"power": False, "seed": None}
CUT = {"power": True, "seed": None}


@pytest.fixture(scope="module")
def lived():
    with pytest.MonkeyPatch.context() as patch, in_memory() as mirror:
        simulation = Simulation(mirror, patch)
        yield Examined(simulation), record(simulation)


def recovered(lived, stride=1, **how):
    examined, moments = lived
    assert len(moments) > 200
    moments = moments[::stride]
    return sum(examined.recover(moment, **how) for moment in moments) / len(moments)


def test_a_kill_at_every_step_loses_and_doubles_nothing(lived):
    assert recovered(lived, **KILL, every=6) > 0.8


def test_a_power_cut_at_every_step_that_takes_all_it_can_loses_nothing_acknowledged(lived):
    assert recovered(lived, **CUT, every=6) > 0.8


def test_a_power_cut_at_every_step_that_takes_what_chance_decides_loses_nothing_acknowledged(lived):
    assert recovered(lived, stride=2, power=True, seed=0, every=8) > 0.8


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("loss", [KILL, CUT, *({"power": True, "seed": seed} for seed in range(1, 21))])
def test_a_crash_at_every_step_with_an_end_after_each(loss, mirror, monkeypatch):
    simulation = Simulation(mirror, monkeypatch)
    moments = record(simulation)
    assert recovered((Examined(simulation), moments), **loss) > 0.8
