"""Random lives of a sweep: nothing acknowledged is lost, nothing doubled, no histories mixed."""

from functools import partial

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import SweepLife

QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None, "print_blob": False}


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.nightly) for part in range(1, 6))])
def test_three_hundred_lives(part):
    """Fifty of them in the gate."""
    life = settings(max_examples=50, stateful_step_count=8, **QUICK)
    run_state_machine_as_test(seed(part)(partial(SweepLife)), settings=life)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_ten_thousand_lives():
    run_state_machine_as_test(SweepLife, settings=settings(max_examples=10_000, stateful_step_count=40, **QUICK))
