"""Random lives of a sweep: nothing acknowledged is lost, nothing doubled, no histories mixed."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from machine import SweepLife

QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None, "print_blob": False}


def test_three_hundred_lives():
    life = settings(max_examples=300, stateful_step_count=8, derandomize=True, **QUICK)
    run_state_machine_as_test(SweepLife, settings=life)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_ten_thousand_lives():
    run_state_machine_as_test(SweepLife, settings=settings(max_examples=10_000, stateful_step_count=40, **QUICK))
