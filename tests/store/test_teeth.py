"""The tests of crashes and lives have teeth: they fail when one of the store's safeguards is taken away."""

import random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import SweepLife
from safeguards import (
    SAFEGUARDS,
    finished_before_cleared,
    gaps_count,
    in_place,
    lasting_build_folder,
    no_deduplication,
    no_fsync,
    no_sync_dir,
    renumbered,
)
from scenario import Examined, record
from simulated_sweep import Simulation

NAMES = [take_away.__name__ for take_away in SAFEGUARDS]


def live(lives):
    for life in lives():
        machine = SweepLife()
        try:
            machine.create()
            life(machine)
        finally:
            machine.teardown()


@pytest.mark.parametrize("lives", {lives: None for lives, _ in SAFEGUARDS.values()})
def test_these_lives_go_well(lives):
    live(lives)


@pytest.mark.parametrize("take_away", SAFEGUARDS, ids=NAMES)
def test_without_a_safeguard_a_promise_is_broken(monkeypatch, take_away):
    lives, wrong = SAFEGUARDS[take_away]
    take_away(monkeypatch)
    with pytest.raises(Exception, match=wrong):
        live(lives)


def crash_everywhere(mirror, monkeypatch, cuts=1):
    simulation = Simulation(mirror, monkeypatch)
    moments = record(simulation)
    examined = Examined(simulation)
    for cut in range(cuts):
        for moment in moments[::-1]:
            seed = random.Random(moment.number + 1000 * cut).randrange(10**6)
            examined.recover(moment, power=True, seed=seed, every=1000)


@pytest.mark.nightly
@pytest.mark.parametrize("take_away", [no_fsync, no_sync_dir, no_deduplication])
def test_crashes_at_every_step_find_it_too(monkeypatch, mirror, take_away):
    take_away(monkeypatch)
    with pytest.raises(
        Exception, match=r"cannot be understood|is no JSON|is no store|No such file|doubled|Parquet|is lost"
    ):
        crash_everywhere(mirror, monkeypatch)


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("take_away", [in_place, gaps_count])
def test_crashes_at_every_step_find_these_in_time(monkeypatch, mirror, take_away):
    take_away(monkeypatch)
    with pytest.raises(Exception, match=r"ended without their rows|Parquet"):
        crash_everywhere(mirror, monkeypatch, cuts=40)


RARE = (gaps_count, finished_before_cleared, renumbered, lasting_build_folder)
"""What takes a coincidence that 5,000 random lives may not have; the lives above have it."""


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("take_away", [one for one in SAFEGUARDS if one not in RARE], ids=lambda one: one.__name__)
def test_random_lives_find_most_of_it(monkeypatch, take_away):
    take_away(monkeypatch)
    life = settings(
        max_examples=5000,
        stateful_step_count=25,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(Exception, match=SAFEGUARDS[take_away][1]):
        run_state_machine_as_test(SweepLife, settings=life)
