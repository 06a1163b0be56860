"""An error of the disk at any call of a sweep's life, before or after the call did its work."""

import errno
import itertools

import pytest
from scenario import examine, live
from simulated_disk import Platter
from simulated_sweep import Simulation

from caviar.errors import StoreError
from caviar_workers.backoff import TRANSIENT

ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR, errno.ESTALE)
OF_A_STREAM = ("open", "write", "fsync")
"""Calls that are not made again while a merge or an end writes its files; the whole is done another time."""

CALLS = 800
"""More than the scenario makes."""


class Failing:
    """The n-th call fails, once."""

    def __init__(self, n, when, number):
        self.left, self.when, self.number = n, when, number
        self.struck = self.operation = None

    def __call__(self, when, operation, path):
        if when != self.when:
            return
        self.left -= 1
        if self.left == -1:
            self.operation = operation
            self.struck = f"{errno.errorcode[self.number]} {when} {operation} {path.name}"
            raise OSError(self.number, "made up")


def suffer(simulation, failing):
    """Live through the scenario until it gives up; whether it was struck at all."""
    try:
        for _ in live(simulation, failing):
            pass
    except (OSError, StoreError) as error:
        if failing.struck is None or "\n" in str(error):
            raise
        if failing.number in TRANSIENT and failing.operation not in OF_A_STREAM:
            raise
    simulation.processes.living.clear()
    try:
        examine(simulation, ending=True)
    except BaseException as error:
        error.add_note(f"after {failing.struck}")
        raise
    return failing.struck is not None


def sequence(start, step):
    kinds = itertools.cycle(itertools.product(("before", "after"), ERRORS))
    return [(n, *next(kinds)) for n in range(start, CALLS, step)]


def suffer_all(mirror, monkeypatch, faults):
    struck = 0
    for n, when, number in faults:
        with monkeypatch.context() as patch:
            simulation = Simulation(mirror, patch)
            simulation.platter.restore(Platter(mirror).tree)
            struck += suffer(simulation, Failing(n, when, number))
    return struck


def test_an_error_at_any_call_is_one_sentence_and_loses_nothing(mirror, monkeypatch):
    assert suffer_all(mirror, monkeypatch, sequence(3, 61)) > 6


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shift", range(4))
def test_an_error_at_every_call(mirror, monkeypatch, shift):
    faults = [(n, when, ERRORS[(n + shift) % 4]) for n in range(CALLS) for when in ("before", "after")]
    assert suffer_all(mirror, monkeypatch, faults) > 500
